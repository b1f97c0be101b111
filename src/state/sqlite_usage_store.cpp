// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <mutex>
#include <unordered_map>
#include <utility>

#include "sluice/state/usage_store.hpp"
#include "state/sqlite_file.hpp"

namespace sluice::state {

namespace {

namespace fs = std::filesystem;

constexpr const char* kFindName = "SELECT id FROM names WHERE plan=?1 AND key=?2";
constexpr const char* kAddName = "INSERT INTO names(plan, key) VALUES(?1,?2)";
constexpr const char* kSaveCounter = "REPLACE INTO counters VALUES(?1,?2,?3,?4,?5,?6,?7)";
// A day can end twice after the clock went back: the larger count is the true one.
constexpr const char* kSaveDay =
    "INSERT INTO days VALUES(?1,?2,?3,?4,?5) ON CONFLICT DO UPDATE SET"
    " used=excluded.used, remaining=excluded.remaining WHERE excluded.used >= used";
constexpr const char* kPruneDays =
    "DELETE FROM days WHERE day < ?1 OR (day < ?2 AND key >= 'ip:' AND key < 'ip;')";
constexpr const char* kPruneCounters =
    "DELETE FROM counters WHERE day < ?1 OR (day < ?2 AND id IN"
    " (SELECT id FROM names WHERE key >= 'ip:' AND key < 'ip;'))";
constexpr const char* kPruneNames = "DELETE FROM names WHERE id NOT IN (SELECT id FROM counters)";
constexpr const char* kLoad =
    "SELECT plan, key, window, used, extension, day, used_that_day, remaining"
    " FROM counters JOIN names USING(id)";
constexpr const char* kHistory =
    "SELECT key, day, max(used), remaining FROM ("
    " SELECT key, day, used, remaining FROM days"
    "  WHERE plan=?1 AND day BETWEEN ?2 AND ?3"
    " UNION ALL"
    " SELECT key, day, used_that_day, remaining FROM counters JOIN names USING(id)"
    "  WHERE plan=?1 AND day BETWEEN ?2 AND ?3 AND used_that_day > 0)"
    " GROUP BY key, day ORDER BY key, day";
constexpr const char* kHistoryOfKey =
    "SELECT key, day, max(used), remaining FROM ("
    " SELECT key, day, used, remaining FROM days"
    "  WHERE plan=?1 AND key=?4 AND day BETWEEN ?2 AND ?3"
    " UNION ALL"
    " SELECT key, day, used_that_day, remaining FROM counters JOIN names USING(id)"
    "  WHERE plan=?1 AND key=?4 AND day BETWEEN ?2 AND ?3 AND used_that_day > 0)"
    " GROUP BY key, day ORDER BY key, day";

// Numbers of rows remembered at most; then it begins anew, and names are looked up once more.
constexpr std::size_t kMostKnown = std::size_t{1} << 20;

class SqliteStore final : public UsageStore {
public:
    SqliteStore(SqliteFile file, fs::path path, Retention retention)
        : file_(std::move(file)), path_(std::move(path)), retention_(retention) {}

    bool prepare();
    Error error() const;
    Result<std::vector<UsageRow>> load() override;
    Result<void> save(std::span<const UsageRow>, std::span<const DayRow>,
                      std::int32_t today) override;
    Result<std::vector<DayRow>> history(const HistoryQuery&) override;

private:
    /// Rolled back unless it was committed, also when memory ran out.
    struct Transaction {
        SqliteStore& store;
        bool is_open = true;
        ~Transaction() {
            if (is_open) store.undo();
        }
    };
    void undo();
    bool write(std::span<const UsageRow>, std::span<const DayRow>, std::int32_t today);
    bool place(std::span<const UsageRow>);
    std::int64_t id_of(const UsageRow&);
    std::int64_t find_or_add(const UsageRow&);
    bool prune(std::int32_t today);
    sqlite3* database() const { return file_.database.get(); }

    std::mutex mutex_;
    SqliteFile file_;
    const fs::path path_;
    const Retention retention_;
    std::int32_t pruned_ = 0;
    std::unordered_map<std::uint64_t, std::int64_t> ids_{};  ///< by UsageRow::number
    std::vector<std::pair<std::int64_t, const UsageRow*>> placed_{};
    Statement begin_{}, commit_{}, rollback_{}, find_name_{}, add_name_{}, save_counter_{},
        save_day_{};
};

Error SqliteStore::error() const { return sqlite_error(database(), path_); }

bool SqliteStore::prepare() {
    const std::pair<Statement*, const char*> statements[] = {
        {&begin_, "BEGIN IMMEDIATE"}, {&commit_, "COMMIT"},   {&rollback_, "ROLLBACK"},
        {&find_name_, kFindName},     {&add_name_, kAddName}, {&save_counter_, kSaveCounter},
        {&save_day_, kSaveDay},
    };
    for (const auto& [statement, sql] : statements) {
        *statement = {database(), sql};
        if (statement->status() != SQLITE_OK) return false;
    }
    return true;
}

Result<std::vector<UsageRow>> SqliteStore::load() {
    const std::lock_guard lock(mutex_);
    Statement read(database(), kLoad);
    if (read.status() != SQLITE_OK) return error();
    std::vector<UsageRow> rows;
    int status = 0;
    while ((status = read.step()) == SQLITE_ROW) {
        rows.push_back({read.text(0), read.text(1), static_cast<std::int32_t>(read.integer(2)),
                        read.integer(3), read.integer(4),
                        static_cast<std::int32_t>(read.integer(5)), read.integer(6),
                        read.integer(7)});
    }
    if (status != SQLITE_DONE) return error();
    return rows;
}

Result<void> SqliteStore::save(std::span<const UsageRow> counters, std::span<const DayRow> finished,
                               std::int32_t today) {
    const std::lock_guard lock(mutex_);
    if (begin_.run() != SQLITE_DONE) return error();
    Transaction transaction{*this};
    if (!write(counters, finished, today) || commit_.run() != SQLITE_DONE) return error();
    transaction.is_open = false;
    pruned_ = today;
    return {};
}

void SqliteStore::undo() {
    ids_.clear();  // names that were added are not there
    (void)rollback_.run();
}

bool SqliteStore::write(std::span<const UsageRow> counters, std::span<const DayRow> finished,
                        std::int32_t today) {
    if (!place(counters)) return false;
    for (const auto& [id, row] : placed_) {
        save_counter_.bind(id, row->window, row->used, row->extension, row->day, row->used_that_day,
                           row->remaining);
        if (save_counter_.run() != SQLITE_DONE) return false;
    }
    for (const DayRow& r : finished) {
        save_day_.bind(r.plan, r.key, r.day, r.used, r.remaining);
        if (save_day_.run() != SQLITE_DONE) return false;
    }
    return today == pruned_ || prune(today);
}

/// As the table is ordered: neighbours share pages. Of one counter's rows the last one stays.
bool SqliteStore::place(std::span<const UsageRow> counters) {
    placed_.clear();
    for (const UsageRow& row : counters) {
        const std::int64_t id = id_of(row);
        if (id == 0) return false;
        placed_.emplace_back(id, &row);
    }
    std::ranges::sort(placed_);
    return true;
}

/// 0 = the database failed.
std::int64_t SqliteStore::id_of(const UsageRow& row) {
    const auto known = ids_.find(row.number);
    if (known != ids_.end()) return known->second;
    const std::int64_t id = find_or_add(row);
    if (id == 0 || row.number == 0) return id;
    if (ids_.size() >= kMostKnown) ids_.clear();
    ids_.emplace(row.number, id);
    return id;
}

std::int64_t SqliteStore::find_or_add(const UsageRow& row) {
    find_name_.bind(row.plan, row.key);
    const int status = find_name_.step();
    const std::int64_t id = status == SQLITE_ROW ? find_name_.integer(0) : 0;
    find_name_.reset();
    if (status != SQLITE_DONE) return id;
    add_name_.bind(row.plan, row.key);
    return add_name_.run() == SQLITE_DONE ? sqlite3_last_insert_rowid(database()) : 0;
}

bool SqliteStore::prune(std::int32_t today) {
    for (const char* sql : {kPruneDays, kPruneCounters}) {
        Statement prune(database(), sql);
        if (prune.status() != SQLITE_OK) return false;
        prune.bind(today - retention_.days, today - retention_.address_days);
        if (prune.run() != SQLITE_DONE) return false;
    }
    ids_.clear();  // what was dropped has none now
    Statement names(database(), kPruneNames);
    return names.status() == SQLITE_OK && names.run() == SQLITE_DONE;
}

Result<std::vector<DayRow>> SqliteStore::history(const HistoryQuery& query) {
    const std::lock_guard lock(mutex_);
    Statement read(database(), query.key.empty() ? kHistory : kHistoryOfKey);
    if (read.status() != SQLITE_OK) return error();
    read.bind(query.plan, query.from, query.to);
    if (!query.key.empty()) read.bind(query.plan, query.from, query.to, query.key);
    std::vector<DayRow> rows;
    int status = 0;
    while ((status = read.step()) == SQLITE_ROW) {
        rows.push_back({query.plan, read.text(0), static_cast<std::int32_t>(read.integer(1)),
                        read.integer(2), read.integer(3)});
    }
    if (status != SQLITE_DONE) return error();
    return rows;
}

}  // namespace

Result<SqliteUsageStore> open_sqlite_usage_store(const fs::path& path, Retention retention) {
    Result<SqliteFile> file = open_sqlite_file(path);
    if (!file) return file.error();
    SqliteUsageStore opened{.set_aside = std::move(file->set_aside),
                            .damage = std::move(file->damage)};
    auto store = std::make_unique<SqliteStore>(std::move(*file), path, retention);
    if (!store->prepare()) return store->error();
    opened.store = std::move(store);
    return opened;
}

}  // namespace sluice::state
