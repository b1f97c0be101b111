// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <map>
#include <mutex>
#include <tuple>

#include "sluice/state/usage_store.hpp"

namespace sluice::state {

namespace {

bool is_address(std::string_view key) { return key.starts_with("ip:"); }

class MemoryUsageStore final : public UsageStore {
public:
    MemoryUsageStore(Retention retention, std::size_t max_days)
        : retention_(retention), max_days_(max_days) {}

    Result<std::vector<UsageRow>> load() override {
        const std::lock_guard lock(mutex_);
        std::vector<UsageRow> rows;
        for (const auto& [identity, row] : counters_) {
            rows.push_back(row);
        }
        return rows;
    }

    Result<void> save(std::span<const UsageRow> counters, std::span<const DayRow> finished,
                      std::int32_t today) override {
        const std::lock_guard lock(mutex_);
        for (const UsageRow& row : counters) {
            counters_.insert_or_assign({row.plan, row.key}, row);
        }
        for (const DayRow& day : finished) {
            keep(day);
        }
        if (today != pruned_) prune(today);
        pruned_ = today;
        return {};
    }

    Result<std::vector<DayRow>> history(const HistoryQuery& query) override {
        const std::lock_guard lock(mutex_);
        std::map<std::pair<std::string, std::int32_t>, DayRow> found;
        const auto wanted = [&](const auto& row) {
            return row.plan == query.plan && (query.key.empty() || row.key == query.key) &&
                   row.day >= query.from && row.day <= query.to;
        };
        for (const auto& [key, day] : days_) {
            if (wanted(day)) found.insert_or_assign({day.key, day.day}, day);
        }
        for (const auto& [identity, row] : counters_) {
            if (!wanted(row) || row.used_that_day == 0) continue;
            DayRow& day = found[{row.key, row.day}];
            day = {row.plan, row.key, row.day, std::max(day.used, row.used_that_day),
                   row.remaining};
        }
        std::vector<DayRow> rows;
        for (auto& [key, day] : found) {
            rows.push_back(std::move(day));
        }
        return rows;
    }

private:
    using Place = std::tuple<std::int32_t, std::string, std::string>;  // oldest first

    void keep(const DayRow& day) {
        DayRow& kept = days_[{day.day, day.plan, day.key}];
        if (day.used >= kept.used) kept = day;
        if (days_.size() > max_days_) days_.erase(days_.begin());
    }

    void prune(std::int32_t today) {
        const auto is_old = [&](const auto& row) {
            const std::int32_t kept =
                is_address(row.key) ? retention_.address_days : retention_.days;
            return row.day < today - kept;
        };
        std::erase_if(days_, [&](const auto& entry) { return is_old(entry.second); });
        std::erase_if(counters_, [&](const auto& entry) { return is_old(entry.second); });
    }

    const Retention retention_;
    const std::size_t max_days_;
    std::mutex mutex_;
    std::map<std::pair<std::string, std::string>, UsageRow> counters_;
    std::map<Place, DayRow> days_;
    std::int32_t pruned_ = 0;
};

}  // namespace

std::unique_ptr<UsageStore> make_memory_usage_store(Retention retention, std::size_t max_days) {
    return std::make_unique<MemoryUsageStore>(retention, max_days);
}

}  // namespace sluice::state
