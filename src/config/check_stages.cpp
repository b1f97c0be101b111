// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <map>

#include "config/check.hpp"
#include "config/paths.hpp"
#include "config/text.hpp"

namespace sluice::config {
namespace {

void check_settings(const RestApi& api, const Stage& stage, Findings& findings) {
    const auto keys = method_keys(api);
    const auto all = stage.method_settings.find("*/*");
    for (const auto& [key, settings] : stage.method_settings) {
        auto level = settings.logging_level;
        if (!level && all != stage.method_settings.end()) level = all->second.logging_level;
        if (settings.data_trace.value_or(false) &&
            level.value_or(LoggingLevel::off) == LoggingLevel::off) {
            warning(findings, settings.where,
                    "stages " + in_quotes(stage.stage_name) + " methodSettings " + in_quotes(key) +
                        ": dataTraceEnabled does nothing while loggingLevel is OFF",
                    {"dataTraceEnabled"});
        }
        if (key == "*/*" || std::find(keys.begin(), keys.end(), key) != keys.end()) continue;
        error(findings, settings.where,
              "stages " + in_quotes(stage.stage_name) + " methodSettings: API " +
                  in_quotes(api.id) + " has no method " + in_quotes(key) + did_you_mean(key, keys));
    }
}

}  // namespace

void check_stages(const Config& config, Findings& findings) {
    std::map<std::pair<std::string, std::string>, Location> first;
    std::vector<std::string> ids;
    for (const RestApi& api : config.rest_apis)
        ids.push_back(api.id);
    for (const Stage& stage : config.stages) {
        if (stage.rest_api_id.empty() || stage.stage_name.empty()) continue;
        const auto [other, added] =
            first.emplace(std::pair{stage.rest_api_id, stage.stage_name}, stage.where);
        if (!added) {
            error(findings, stage.where,
                  "stages: second definition of stage " + in_quotes(stage.stage_name) + " of API " +
                      in_quotes(stage.rest_api_id) + "; the first is at " + place(other->second),
                  {"stageName"});
        }
        const RestApi* api = find_api(config, stage.rest_api_id);
        if (api != nullptr) {
            check_settings(*api, stage, findings);
            continue;
        }
        error(findings, stage.where,
              "stages " + in_quotes(stage.stage_name) + ": unknown API " +
                  in_quotes(stage.rest_api_id) + did_you_mean(stage.rest_api_id, ids),
              {"restApiId"});
    }
}

}  // namespace sluice::config
