// SPDX-License-Identifier: Apache-2.0
#include "config/check.hpp"

#include "config/text.hpp"

namespace sluice::config {

void check(const Config& config, Findings& findings) {
    check_listeners(config, findings);
    check_apis(config, findings);
    check_stages(config, findings);
    check_caching(config, findings);
    check_plans(config, findings);
    check_domains(config, findings);
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

bool check_stage_reference(const Config& config, const StageReference& to, const std::string& who,
                           Findings& findings) {
    if (to.api.empty() || to.stage.empty()) return false;  // reported where it was read
    if (find_api(config, to.api) == nullptr) {
        std::vector<std::string> ids;
        for (const RestApi& known : config.rest_apis)
            ids.push_back(known.id);
        error(findings, to.where,
              who + ": unknown API " + in_quotes(to.api) + did_you_mean(to.api, ids), {to.api_key});
        return false;
    }
    if (find_stage(config, to.api, to.stage) != nullptr) return true;
    std::vector<std::string> names;
    for (const Stage& known : config.stages) {
        if (known.rest_api_id == to.api) names.push_back(known.stage_name);
    }
    error(findings, to.where,
          who + ": API " + in_quotes(to.api) + " has no stage " + in_quotes(to.stage) +
              did_you_mean(to.stage, names),
          {"stage"});
    return false;
}

}  // namespace sluice::config
