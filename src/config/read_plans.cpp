// SPDX-License-Identifier: Apache-2.0
#include "config/key_value.hpp"
#include "config/names.hpp"
#include "config/paths.hpp"
#include "config/read.hpp"

namespace sluice::config {
namespace {

void read_throttle(Reader& entry, const std::string& key, PlanStage& p) {
    Throttle throttle;
    if (!entry.value(throttle)) return;
    const auto normal = normal_method_key(key);
    if (!normal || *normal == "*/*")
        return entry.key_problem("must be a path and a method, such as \"/pets/GET\"");
    const auto [other, added] = p.throttle.emplace(*normal, throttle);
    if (added) return;
    entry.key_problem("the same method has a throttle at line " +
                      std::to_string(other->second.where.line) + " already");
}

/// aws-semantics 4.1, with AWS's texts
void check_offset(Reader& r, const Quota& q) {
    const auto within = [&](int most) { return q.offset >= 0 && q.offset <= most; };
    if (q.period == Period::day && !within(0)) {
        r.problem("offset", "Usage Plan quota offset must be zero in the DAY period");
    } else if (q.period == Period::week && !within(6)) {
        r.problem("offset",
                  "Usage Plan quota offset must be between 0 and 6 inclusive in the WEEK period");
    } else if (q.period == Period::month && !within(27)) {
        r.problem("offset",
                  "Usage Plan quota offset must be between 0 and 27 inclusive in the MONTH period");
    }
}

}  // namespace

void read(Reader& r, PlanStage& p) {
    r.object("PlanStage", "A stage that the plan gives access to.");
    r.required("apiId", p.api_id, "The API's id.", kApiId);
    r.required("stage", p.stage, "The stage's name.", kWord);
    r.entries("throttle", "/PATH/METHOD", "Throttles of single methods, for each key of the plan.",
              [&](Reader& entry, const std::string& key) { read_throttle(entry, key, p); });
}

void read(Reader& r, Quota& q) {
    r.object("Quota", "Requests per period, for each key of the plan. Periods are in UTC.");
    r.required("limit", q.limit, "Requests; 0 admits nothing.", Range{0, 1'000'000'000'000'000});
    r.required("period", q.period, "How often counting starts again.", kPeriods);
    r.optional("offset", q.offset,
               "Day the period starts: WEEK 0 to 6 from Monday, MONTH 0 to 27 from the first.",
               r.describing() ? Range{0, 27} : Range{-1000, 1000});
    r.optional("exact", q.exact,
               "Ours: with `state.store: redis`, ask Redis about every request in place of leasing "
               "ahead, so that a crash loses none of the quota. With other stores every count is "
               "exact.");
    if (!r.describing()) check_offset(r, q);
}

void read(Reader& r, SourceIpPrefix& p) {
    r.object("SourceIpPrefix", "How many bits of the address tell callers apart.");
    r.optional("v4", p.v4, "Of IPv4 addresses.", Range{1, 32});
    r.optional("v6", p.v6, "Of IPv6 addresses.", Range{1, 128});
}

void read(Reader& r, UsagePlan& p) {
    r.object("UsagePlan", "Who may call which stages, how fast and how often.");
    r.required("id", p.id, "Stands in references.", kWord);
    if (!r.optional("name", p.name, "Shown in reports; the id when absent.", kTitle)) p.name = p.id;
    r.optional("description", p.description, "Free text.", kDescription);
    r.optional("apiStages", p.api_stages, "The stages the plan gives access to.");
    r.optional("throttle", p.throttle,
               "One bucket per key over all stages of the plan; absent = none.");
    r.optional("quota", p.quota, "Absent = none.");
    r.optional("meterBy", p.meter_by,
               "Ours: `sourceIp` makes a plan for callers without a key, applied to methods that "
               "need none.",
               kMeterBys);
    SourceIpPrefix prefix;
    const bool prefixed = r.optional("sourceIpPrefix", prefix, "Ours, for `meterBy: sourceIp`.");
    p.source_ip_prefix_v4 = prefix.v4;
    p.source_ip_prefix_v6 = prefix.v6;
    if (prefixed && p.meter_by == MeterBy::api_key)
        r.problem("sourceIpPrefix", "needs meterBy: sourceIp");
    r.ignored("productCode");
    r.ignored("tags");
}

void read(Reader& r, ApiKey& k) {
    r.object("ApiKey", "A caller's key; it works through usage plans only.");
    r.optional("id", k.id, "Absent = 10 characters derived from the value.", kWord);
    r.optional("name", k.name, "Shown in reports.", kTitle);
    r.optional("description", k.description, "Free text.", kDescription);
    r.required("value", k.value,
               "What callers send in x-api-key: 20 to 128 printable characters (from 8 in "
               "`standard`, with a warning). A secret: `file:PATH` reads it from a file.",
               Secret{});
    r.optional("enabled", k.enabled, "A disabled key is refused in all its plans.");
    r.optional("usagePlanIds", k.usage_plan_ids, "Its plans, at most one for each stage.", kWord);
    if (k.id.empty() && !k.value.empty()) k.id = key_id(k.value);
    r.later("customerId", "AWS Marketplace.");
    for (const auto key : {"stageKeys", "tags", "createdDate", "lastUpdatedDate"})
        r.ignored(key);
    r.later("type", "Only API_KEY.", {"API_KEY"});
}

}  // namespace sluice::config
