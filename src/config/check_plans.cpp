// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <map>
#include <set>
#include <unordered_map>
#include <unordered_set>

#include "config/check.hpp"
#include "config/key_value.hpp"
#include "config/paths.hpp"
#include "config/text.hpp"

namespace sluice::config {
namespace {

using StageName = std::pair<std::string, std::string>;

/// Method keys of each API, made once: many plans name methods of few APIs.
class MethodNames {
public:
    struct Names {
        std::vector<std::string> all{};
        std::unordered_set<std::string> known{};
    };
    const Names& of(const RestApi& api) {
        Names& names = by_api_[api.id];
        if (names.all.empty()) {
            names.all = method_keys(api);
            names.known.insert(names.all.begin(), names.all.end());
        }
        return names;
    }

private:
    std::unordered_map<std::string, Names> by_api_{};
};

void check_plan_stage(const Config& config, const UsagePlan& plan, const PlanStage& stage,
                      MethodNames& methods, Findings& findings) {
    const std::string who = "usagePlans " + in_quotes(plan.id);
    const StageReference to{stage.api_id, stage.stage, "apiId", stage.where};
    if (!check_stage_reference(config, to, who, findings)) {
        return;
    }
    if (stage.throttle.empty()) return;
    const MethodNames::Names& names = methods.of(*find_api(config, stage.api_id));
    for (const auto& [key, throttle] : stage.throttle) {
        if (names.known.contains(key)) continue;
        error(findings, throttle.where,
              who + " throttle: API " + in_quotes(stage.api_id) + " has no method " +
                  in_quotes(key) + did_you_mean(key, names.all));
    }
}

void check_plan(const Config& config, const UsagePlan& plan, MethodNames& methods,
                Findings& findings) {
    const std::string who = "usagePlans " + in_quotes(plan.id);
    std::set<StageName> seen;
    for (const PlanStage& stage : plan.api_stages) {
        check_plan_stage(config, plan, stage, methods, findings);
        if (seen.emplace(stage.api_id, stage.stage).second) continue;
        error(findings, stage.where,
              who + ": stage " + in_quotes(stage.stage) + " of API " + in_quotes(stage.api_id) +
                  " stands twice");
    }
    if (plan.api_stages.empty()) {
        warning(findings, plan.where, who + ": has no apiStages, so it gives access to nothing");
    }
    if (plan.quota && !plan.throttle) {
        warning(findings, plan.quota->where,
                who + ": a quota without a throttle: one burst can use up a whole period");
    }
}

void check_key_value(const Config& config, const ApiKey& key, Findings& findings) {
    const bool aws = config.compatibility == Compatibility::aws;
    const std::size_t least = aws ? kMinKeyValue : kMinStandardKeyValue;
    const std::string who = "apiKeys " + in_quotes(key.id) + " value: ";
    if (key.value.size() < least) {
        // AWS's text (aws-semantics 2.1)
        error(findings, key.where,
              who + "API Key value should be at least " + std::to_string(least) + " characters",
              {"value"});
    } else if (key.value.size() > kMaxKeyValue) {
        error(findings, key.where, who + "API Key value exceeds maximum size of 128 characters",
              {"value"});
    } else if (key.value.size() < kMinKeyValue) {
        warning(findings, key.where, who + "shorter than 20 characters, which is easier to guess",
                {"value"});
    }
    if (!is_key_value(key.value)) {
        error(findings, key.where,
              who + "must be printable ASCII without blanks, commas and quotes", {"value"});
    }
}

/// At most one plan for each (key, API, stage), aws-semantics 2.3.
void check_key_plans(const ApiKey& key,
                     const std::unordered_map<std::string, const UsagePlan*>& plans,
                     const std::vector<std::string>& ids, Findings& findings) {
    const std::string who = "apiKeys " + in_quotes(key.id) + " usagePlanIds: ";
    std::map<StageName, std::string> plan_of;
    std::set<std::string> seen;
    for (const std::string& id : key.usage_plan_ids) {
        const auto plan = plans.find(id);
        if (plan == plans.end()) {
            error(findings, key.where,
                  who + "unknown usage plan " + in_quotes(id) + did_you_mean(id, ids),
                  {"usagePlanIds", id});
            continue;
        }
        if (!seen.insert(id).second) {
            error(findings, key.where, who + in_quotes(id) + " stands twice", {"usagePlanIds", id});
            continue;
        }
        if (plan->second->meter_by == MeterBy::source_ip) {
            error(findings, key.where,
                  who + in_quotes(id) + " meters by source IP and takes no keys",
                  {"usagePlanIds", id});
        }
        for (const PlanStage& stage : plan->second->api_stages) {
            const auto [other, added] = plan_of.emplace(StageName{stage.api_id, stage.stage}, id);
            if (added || other->second == id) continue;
            error(findings, key.where,
                  who + "plans " + in_quotes(other->second) + " and " + in_quotes(id) +
                      " both cover stage " + in_quotes(stage.stage) + " of API " +
                      in_quotes(stage.api_id) + "; a key may have one plan for a stage",
                  {"usagePlanIds", id});
        }
    }
    if (key.usage_plan_ids.empty()) {
        warning(findings, key.where,
                "apiKeys " + in_quotes(key.id) + ": is in no usage plan, so it opens nothing");
    }
}

void check_keys(const Config& config, Findings& findings) {
    std::unordered_map<std::string, const UsagePlan*> plans;
    std::vector<std::string> ids;
    for (const UsagePlan& plan : config.usage_plans) {
        plans.emplace(plan.id, &plan);
        ids.push_back(plan.id);
    }
    std::unordered_map<std::string, const ApiKey*> first_id;
    std::unordered_map<std::string, const ApiKey*> first_value;
    for (const ApiKey& key : config.api_keys) {
        if (key.value.empty()) continue;  // reported where it was read
        check_key_value(config, key, findings);
        check_key_plans(key, plans, ids, findings);
        const auto [value, new_value] = first_value.emplace(key.value, &key);
        const auto [id, new_id] = first_id.emplace(key.id, &key);
        if (!new_value) {
            error(findings, key.where,
                  "apiKeys " + in_quotes(key.id) +
                      ": API Key already exists: the same value is at " +
                      place(value->second->where),
                  {"value"});
        } else if (!new_id) {
            error(findings, key.where,
                  "apiKeys: second definition of id " + in_quotes(key.id) + "; the first is at " +
                      place(id->second->where),
                  {"id"});
        }
    }
}

}  // namespace

void check_plans(const Config& config, Findings& findings) {
    MethodNames methods;
    std::map<std::string, Location> first;
    std::set<std::string> used;
    for (const ApiKey& key : config.api_keys) {
        used.insert(key.usage_plan_ids.begin(), key.usage_plan_ids.end());
    }
    for (const UsagePlan& plan : config.usage_plans) {
        if (plan.id.empty()) continue;
        const auto [other, added] = first.emplace(plan.id, plan.where);
        if (!added) {
            error(findings, plan.where,
                  "usagePlans: second definition of id " + in_quotes(plan.id) +
                      "; the first is at " + place(other->second),
                  {"id"});
        }
        check_plan(config, plan, methods, findings);
        if (plan.meter_by == MeterBy::api_key && !used.contains(plan.id)) {
            warning(findings, plan.where, "usagePlans " + in_quotes(plan.id) + ": has no keys");
        }
    }
    check_keys(config, findings);
}

}  // namespace sluice::config
