// SPDX-License-Identifier: Apache-2.0
#include "config/check.hpp"

#include "config/text.hpp"

namespace sluice::config {

void check(const Config& config, Problems& problems) {
    check_listeners(config, problems);
    check_apis(config, problems);
    check_stages(config, problems);
    check_caching(config, problems);
    check_plans(config, problems);
    check_domains(config, problems);
}

std::string place(const Location& where) {
    return where.file + ":" + std::to_string(where.line) + ":" + std::to_string(where.column);
}

const RestApi* find_api(const Config& config, const std::string& id) {
    for (const RestApi& api : config.rest_apis) {
        if (api.id == id) return &api;
    }
    return nullptr;
}

const Stage* find_stage(const Config& config, const std::string& api, const std::string& stage) {
    for (const Stage& known : config.stages) {
        if (known.rest_api_id == api && known.stage_name == stage) return &known;
    }
    return nullptr;
}

bool check_stage_reference(const Config& config, const std::string& api, const std::string& stage,
                           const std::string& who, const Location& where, Problems& problems) {
    if (api.empty() || stage.empty()) return false;  // reported where it was read
    if (find_api(config, api) == nullptr) {
        std::vector<std::string> ids;
        for (const RestApi& known : config.rest_apis)
            ids.push_back(known.id);
        error(problems, where, who + ": unknown API " + in_quotes(api) + did_you_mean(api, ids));
        return false;
    }
    if (find_stage(config, api, stage) != nullptr) return true;
    std::vector<std::string> names;
    for (const Stage& known : config.stages) {
        if (known.rest_api_id == api) names.push_back(known.stage_name);
    }
    error(problems, where,
          who + ": API " + in_quotes(api) + " has no stage " + in_quotes(stage) +
              did_you_mean(stage, names));
    return false;
}

}  // namespace sluice::config
