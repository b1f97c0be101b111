// SPDX-License-Identifier: Apache-2.0
//
// Where usage lives when the process does not.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "sluice/base/result.hpp"

namespace sluice::state {

/// One counter as it stands: absolute numbers, so saving twice does no harm.
struct UsageRow {
    std::string plan{};
    std::string key{};           ///< key id, or "ip:<address>"
    std::int32_t window = 0;     ///< QuotaRule::window_at
    std::int64_t used = 0;       ///< in that window
    std::int64_t extension = 0;  ///< added to the limit, in that window
    std::int32_t day = 0;        ///< of the last request; days since 1970-01-01, UTC
    std::int64_t used_that_day = 0;
    std::int64_t remaining = -1;  ///< of the quota; -1 = the plan has none
    /// Stands for plan and key: next_usage_number(), 0 = nobody drew one. A store may remember by
    /// it where the counter is kept.
    std::uint64_t number = 0;
};

/// Never the same twice while the process lives.
inline std::uint64_t next_usage_number() {
    static std::atomic<std::uint64_t> last{0};
    return last.fetch_add(1, std::memory_order_relaxed) + 1;
}

/// One key's day in a report. Days without requests have no row.
struct DayRow {
    std::string plan{};
    std::string key{};
    std::int32_t day = 0;
    std::int64_t used = 0;
    std::int64_t remaining = -1;  ///< at the end of that day; -1 = no quota
};

struct HistoryQuery {
    std::string plan{};
    std::string key{};  ///< empty = every key of the plan
    std::int32_t from = 0;
    std::int32_t to = 0;  ///< inclusive
};

/// How long days are kept: reports of a year and a month; addresses are many, so shorter.
struct Retention {
    std::int32_t days = 400;
    std::int32_t address_days = 62;
};

/// Thread-safe; every call may block on the disk, none is made by a worker.
class UsageStore {
public:
    virtual ~UsageStore() = default;
    /// Holds what other gateways counted too: then this one's counters are a part of the truth.
    virtual bool is_shared() const { return false; }
    /// Every counter as last saved.
    virtual Result<std::vector<UsageRow>> load() = 0;
    /// All or nothing. `today` decides what is old enough to be dropped.
    virtual Result<void> save(std::span<const UsageRow> counters, std::span<const DayRow> finished,
                              std::int32_t today) = 0;
    /// Finished days and the day each counter is on, ordered by key and day.
    virtual Result<std::vector<DayRow>> history(const HistoryQuery&) = 0;
};

/// Forgets everything when the process ends; keeps at most `max_days` rows of history, dropping
/// the oldest days first.
std::unique_ptr<UsageStore> make_memory_usage_store(Retention = {},
                                                    std::size_t max_days = 1'000'000);

struct SqliteUsageStore {
    std::unique_ptr<UsageStore> store{};
    /// Set when the file found was damaged: where it was put. Counting began from zero, and the
    /// operator must hear of it.
    std::filesystem::path set_aside{};
    std::string damage{};  ///< what was wrong with it
};

/// Opens or creates the database. One process at a time: codes "state_in_use",
/// "state_unwritable", "state_too_new" (written by a later version), "state_failed".
Result<SqliteUsageStore> open_sqlite_usage_store(const std::filesystem::path&, Retention = {});

}  // namespace sluice::state
