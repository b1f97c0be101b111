// SPDX-License-Identifier: Apache-2.0
#include "app/plan_state.hpp"

#include <algorithm>

#include "sluice/telemetry/metrics.hpp"

namespace sluice::app {
namespace {

constexpr std::chrono::seconds kAddressesMayBeOld{10};

state::QuotaRule rule_of(const config::UsagePlan& plan) {
    if (!plan.quota) return state::QuotaRule::unlimited();
    const config::Quota& quota = *plan.quota;
    return {.limit = quota.limit,
            .period = static_cast<state::Period>(quota.period),
            .offset = quota.offset};
}
static_assert(static_cast<int>(config::Period::month) == static_cast<int>(state::Period::month));

std::string_view to_string(state::Period period) {
    if (period == state::Period::day) return "day";
    return period == state::Period::week ? "week" : "month";
}

/// A row that was last written in an earlier period has used nothing in this one.
KeyState key_state(const state::UsageRow& row, const state::QuotaRule& rule, bool has_quota,
                   std::int32_t window) {
    const bool is_present = row.window == window;
    KeyState key{.key = row.key, .used = is_present ? row.used : 0};
    if (!has_quota) return key;
    const std::int64_t limit = rule.limit + (is_present ? row.extension : 0);
    key.remaining = std::max<std::int64_t>(limit - key.used, 0);
    key.share = limit > 0 ? static_cast<double>(key.used) / static_cast<double>(limit) : 1;
    return key;
}

/// Keeps the `top` keys that used most, most first.
void keep_top(std::vector<KeyState>& keys, std::size_t top) {
    const auto end = keys.begin() + static_cast<std::ptrdiff_t>(std::min(top, keys.size()));
    std::partial_sort(keys.begin(), end, keys.end(), [](const KeyState& a, const KeyState& b) {
        return a.used != b.used ? a.used > b.used : a.key < b.key;
    });
    keys.erase(end, keys.end());
}

PlanState plan_state(const config::UsagePlan& plan, const state::LimitRegistry& limits,
                     std::size_t top, WallTime wall) {
    const state::QuotaRule rule = rule_of(plan);
    const std::int32_t window = rule.window_at(wall);
    PlanState out{.id = plan.id,
                  .name = plan.name.empty() ? plan.id : plan.name,
                  .period = std::string{to_string(rule.period)},
                  .by_address = plan.meter_by == config::MeterBy::source_ip};
    if (plan.quota) out.limit = out.lowest_remaining = plan.quota->limit;
    for (const state::UsageRow& row : limits.usage(plan.id)) {
        KeyState key = key_state(row, rule, plan.quota.has_value(), window);
        out.used += key.used;
        if (key.used > 0) ++out.keys;
        out.highest_share = std::max(out.highest_share, key.share);
        if (plan.quota) out.lowest_remaining = std::min(out.lowest_remaining, key.remaining);
        if (!out.by_address) out.top_keys.push_back(std::move(key));
    }
    keep_top(out.top_keys, top);
    return out;
}

struct PlanFamily {
    std::string_view name, help;
    /// Empty: the plan has no sample of it.
    std::optional<double> (*value)(const PlanState&);
};

std::optional<double> if_limited(const PlanState& plan, double value) {
    if (!plan.limit) return std::nullopt;
    return value;
}

constexpr PlanFamily kPlanFamilies[] = {
    {"sluice_plan_usage",
     "Requests counted for the usage plan in the present period of its quota, all keys together; "
     "in the present day for a plan without quota.",
     [](const PlanState& p) { return std::optional{static_cast<double>(p.used)}; }},
    {"sluice_plan_active_keys", "Keys or addresses with requests in that period.",
     [](const PlanState& p) { return std::optional{static_cast<double>(p.keys)}; }},
    {"sluice_plan_quota_limit", "Requests that the plan's quota admits in a period, for each key.",
     [](const PlanState& p) { return if_limited(p, static_cast<double>(p.limit.value_or(0))); }},
    {"sluice_plan_quota_remaining",
     "What is left of the quota to the key of the plan that has least left.",
     [](const PlanState& p) { return if_limited(p, static_cast<double>(p.lowest_remaining)); }},
    {"sluice_plan_quota_used_ratio",
     "Share of its quota, 0 to 1, that the key of the plan that has used most has used.",
     [](const PlanState& p) { return if_limited(p, p.highest_share); }},
};

/// The `count` keys of all plans that used most.
std::vector<std::pair<const PlanState*, const KeyState*>> most_used(
    const std::vector<PlanState>& plans, std::size_t count) {
    std::vector<std::pair<const PlanState*, const KeyState*>> keys;
    for (const PlanState& plan : plans) {
        for (std::size_t i = 0; i < std::min(count, plan.top_keys.size()); ++i)
            keys.emplace_back(&plan, &plan.top_keys[i]);
    }
    std::stable_sort(keys.begin(), keys.end(),
                     [](const auto& a, const auto& b) { return a.second->used > b.second->used; });
    if (keys.size() > count) keys.resize(count);
    return keys;
}

void write_key_metrics(const std::vector<PlanState>& plans, std::size_t count, std::string& out) {
    const auto keys = most_used(plans, count);
    constexpr std::string_view kUsage = "sluice_key_usage";
    telemetry::write_family(out, kUsage, "gauge",
                            "As sluice_plan_usage, by id of the API key; keys beyond "
                            "server.metrics.perKeySeries are summed under _other.");
    std::map<const PlanState*, std::int64_t> shown;
    for (const auto& [plan, key] : keys) {
        shown[plan] += key->used;
        telemetry::write_sample(out, kUsage, {{"plan", plan->id}, {"key", key->key}},
                                static_cast<double>(key->used));
    }
    for (const PlanState& plan : plans) {
        if (plan.by_address) continue;
        telemetry::write_sample(out, kUsage, {{"plan", plan.id}, {"key", "_other"}},
                                static_cast<double>(plan.used - shown[&plan]));
    }
    constexpr std::string_view kRemaining = "sluice_key_quota_remaining";
    telemetry::write_family(out, kRemaining, "gauge", "What is left of the key's quota.");
    for (const auto& [plan, key] : keys) {
        if (!plan->limit) continue;
        telemetry::write_sample(out, kRemaining, {{"plan", plan->id}, {"key", key->key}},
                                static_cast<double>(key->remaining));
    }
}

}  // namespace

std::vector<PlanState> PlanReporter::read(const config::Config& config, std::size_t top,
                                          TimePoint now, WallTime wall) {
    std::vector<PlanState> out;
    for (const config::UsagePlan& plan : config.usage_plans) {
        if (plan.meter_by == config::MeterBy::api_key) {
            out.push_back(plan_state(plan, limits_, top, wall));
            continue;
        }
        Remembered& last = by_address_[plan.id];
        if (last.at == TimePoint{} || now - last.at >= kAddressesMayBeOld) {
            last = {now, plan_state(plan, limits_, top, wall)};
        }
        out.push_back(last.state);
    }
    return out;
}

void write_plan_metrics(const std::vector<PlanState>& plans, std::size_t per_key,
                        std::string& out) {
    for (const PlanFamily& family : kPlanFamilies) {
        telemetry::write_family(out, family.name, "gauge", family.help);
        for (const PlanState& plan : plans) {
            const auto value = family.value(plan);
            if (value) telemetry::write_sample(out, family.name, {{"plan", plan.id}}, *value);
        }
    }
    if (per_key > 0) write_key_metrics(plans, per_key, out);
}

}  // namespace sluice::app
