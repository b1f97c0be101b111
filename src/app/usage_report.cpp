// SPDX-License-Identifier: Apache-2.0
#include "app/usage_report.hpp"

#include <algorithm>

#include "sluice/telemetry/log.hpp"

namespace sluice::app {
namespace {

std::int32_t day_number(std::chrono::sys_days day) {
    return static_cast<std::int32_t>(day.time_since_epoch().count());
}

class PlanReport {
public:
    PlanReport(const admin::UsageQuery& query, const config::UsagePlan& plan)
        : query_{query}, first_{day_number(query.start)}, last_{day_number(query.end)} {
        usage_.usage_plan_id = plan.id;
        empty_.remaining = plan.quota ? plan.quota->limit : -1;
    }

    /// Every key of the plan has a row, whether it was used or not.
    void add_keys(const config::Config& config) {
        for (const config::ApiKey& key : config.api_keys) {
            const auto& ids = key.usage_plan_ids;
            const bool member =
                std::find(ids.begin(), ids.end(), usage_.usage_plan_id) != ids.end();
            if (member && wants(key.id)) days_of(key.id);
        }
    }
    void add(const std::string& key, std::int32_t day, std::int64_t used, std::int64_t remaining) {
        if (day < first_ || day > last_ || !wants(key)) return;
        days_of(key)[static_cast<std::size_t>(day - first_)] = {used, remaining};
    }
    admin::PlanUsage take() { return std::move(usage_); }

private:
    bool wants(const std::string& key) const {
        return query_.key_id.empty() || query_.key_id == key;
    }
    std::vector<admin::UsageDay>& days_of(const std::string& key) {
        auto& days = usage_.keys[key];
        if (days.empty()) days.assign(query_.days(), empty_);
        return days;
    }

    const admin::UsageQuery& query_;
    std::int32_t first_, last_;
    admin::UsageDay empty_{};
    admin::PlanUsage usage_{};
};

}  // namespace

std::optional<std::vector<admin::PlanUsage>> report_usage(const admin::UsageQuery& query,
                                                          const config::Config& config,
                                                          const state::LimitRegistry& limits,
                                                          state::UsageStore& store) {
    std::vector<admin::PlanUsage> all;
    for (const config::UsagePlan& plan : config.usage_plans) {
        if (!query.usage_plan_id.empty() && query.usage_plan_id != plan.id) continue;
        PlanReport report{query, plan};
        report.add_keys(config);
        const auto history = store.history({.plan = plan.id,
                                            .key = query.key_id,
                                            .from = day_number(query.start),
                                            .to = day_number(query.end)});
        if (history) {
            for (const state::DayRow& row : *history) {
                report.add(row.key, row.day, row.used, row.remaining);
            }
        } else {
            log::error("usage history: {}", history.error().detail);
        }
        if (store.is_shared()) {  // what was counted here is in the history already
            all.push_back(report.take());
            continue;
        }
        for (const state::UsageRow& row : limits.usage(plan.id, query.key_id)) {
            report.add(row.key, row.day, row.used_that_day, row.remaining);
        }
        all.push_back(report.take());
    }
    if (all.empty() && !query.usage_plan_id.empty()) return std::nullopt;
    return all;
}

std::vector<admin::ApiObject> describe_apis(const config::Config& config) {
    std::vector<admin::ApiObject> objects;
    for (const config::RestApi& api : config.rest_apis) {
        admin::ApiObject object{.id = api.id,
                                .name = api.name.empty() ? api.id : api.name,
                                .description = api.description,
                                .created_date = api.created_date};
        for (const config::Stage& stage : config.stages) {
            if (stage.rest_api_id != api.id) continue;
            object.stages.push_back({.name = stage.stage_name,
                                     .description = stage.description,
                                     .cache_enabled = stage.cache_cluster_enabled,
                                     .variables = stage.variables});
        }
        objects.push_back(std::move(object));
    }
    return objects;
}

}  // namespace sluice::app
