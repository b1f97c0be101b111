// SPDX-License-Identifier: Apache-2.0
#include "state/redis_usage_store.hpp"

#include <algorithm>
#include <charconv>
#include <map>

namespace sluice::state {

namespace {

constexpr std::int64_t kDaySeconds = 86'400;

class RedisUsageStore final : public UsageStore {
public:
    RedisUsageStore(RedisCalls& calls, RedisNames names, std::string instance, Retention retention)
        : calls_{calls},
          names_{std::move(names)},
          instance_{std::move(instance)},
          retention_{retention} {}

    bool is_shared() const override { return true; }
    // What this node counts begins anew with the process: the rest is in Redis already.
    Result<std::vector<UsageRow>> load() override { return std::vector<UsageRow>{}; }
    Result<void> save(std::span<const UsageRow>, std::span<const DayRow>,
                      std::int32_t today) override;
    Result<std::vector<DayRow>> history(const HistoryQuery&) override;

private:
    using Calls = std::vector<RedisCalls::Call>;
    void add(Calls&, const DayRow&, std::int32_t today) const;
    Result<std::vector<std::string>> keys_of(const HistoryQuery&);

    RedisCalls& calls_;
    const RedisNames names_;
    const std::string instance_;
    const Retention retention_;
};

void RedisUsageStore::add(Calls& calls, const DayRow& row, std::int32_t today) const {
    if (row.used <= 0) return;
    const std::int32_t kept =
        row.key.starts_with("ip:") ? retention_.address_days : retention_.days;
    calls.push_back({&history_script(),
                     {names_.days(row.plan, row.key), std::to_string(row.day), instance_,
                      std::to_string(row.used), std::to_string(today - kept),
                      std::to_string(kept * kDaySeconds)}});
    calls.push_back(
        {nullptr, {"ZADD", names_.users(row.plan), "GT", std::to_string(row.day), row.key}});
    calls.push_back({nullptr,
                     {"EXPIRE", names_.users(row.plan),
                      std::to_string(std::int64_t{retention_.days} * kDaySeconds)}});
}

Result<void> RedisUsageStore::save(std::span<const UsageRow> counters,
                                   std::span<const DayRow> finished, std::int32_t today) {
    Calls calls;
    for (const DayRow& row : finished)
        add(calls, row, today);
    for (const UsageRow& row : counters)
        add(calls, {row.plan, row.key, row.day, row.used_that_day, row.remaining}, today);
    const auto answers = calls_.call(std::move(calls));
    if (!answers) return answers.error();
    return {};
}

Result<std::vector<std::string>> RedisUsageStore::keys_of(const HistoryQuery& query) {
    if (!query.key.empty()) return std::vector<std::string>{query.key};
    const std::string users = names_.users(query.plan);
    // Nobody whose last day was before the first one asked for.
    auto answers =
        calls_.call({{nullptr, {"ZRANGEBYSCORE", users, std::to_string(query.from), "+inf"}}});
    if (!answers) return answers.error();
    return std::move(answers->front());
}

std::int64_t number(std::string_view text) {
    std::int64_t value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

/// "20000:gateway" -> requests, "20000:r" -> what remained of the quota.
void add_days(std::map<std::int32_t, DayRow>& days, const std::vector<std::string>& fields) {
    for (std::size_t i = 0; i + 1 < fields.size(); i += 2) {
        const std::string& name = fields[i];
        const std::size_t colon = name.find(':');
        if (colon == std::string::npos) continue;
        DayRow& row = days[static_cast<std::int32_t>(number(name.substr(0, colon)))];
        if (name.substr(colon + 1) == "r") {
            row.remaining = number(fields[i + 1]);
        } else {
            row.used += number(fields[i + 1]);
        }
    }
}

Result<std::vector<DayRow>> RedisUsageStore::history(const HistoryQuery& query) {
    const auto keys = keys_of(query);
    if (!keys) return keys.error();
    Calls calls;
    for (const std::string& key : *keys)
        calls.push_back({nullptr, {"HGETALL", names_.days(query.plan, key)}});
    const auto answers = calls_.call(std::move(calls));
    if (!answers) return answers.error();
    std::vector<DayRow> rows;
    for (std::size_t i = 0; i < keys->size(); ++i) {
        std::map<std::int32_t, DayRow> days;
        add_days(days, (*answers)[i]);
        for (auto& [day, row] : days) {
            if (day < query.from || day > query.to || row.used == 0) continue;
            row.plan = query.plan;
            row.key = (*keys)[i];
            row.day = day;
            rows.push_back(std::move(row));
        }
    }
    std::ranges::stable_sort(rows, {}, &DayRow::key);
    return rows;
}

}  // namespace

std::unique_ptr<UsageStore> make_redis_usage_store(RedisCalls& calls, RedisNames names,
                                                   std::string instance, Retention retention) {
    return std::make_unique<RedisUsageStore>(calls, std::move(names), std::move(instance),
                                             retention);
}

}  // namespace sluice::state
