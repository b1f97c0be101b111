// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <chrono>
#include <mutex>
#include <optional>
#include <system_error>

#include "sluice/state/usage_store.hpp"
#include "state/file_lock.hpp"
#include "state/sqlite.hpp"

namespace sluice::state {

namespace {

namespace fs = std::filesystem;

// quick_check reads the whole file. Larger ones are checked where an error would miscount.
constexpr std::uintmax_t kCheckAllBelow = 64U << 20;

// Step n brings a database of version n to version n + 1; steps are never edited.
// A counter holds its present day itself and a day reaches `days` when it is over, so counting
// touches one row.
constexpr std::array kMigrations{
    "CREATE TABLE counters(plan TEXT NOT NULL, key TEXT NOT NULL, window INTEGER NOT NULL,"
    " used INTEGER NOT NULL, extension INTEGER NOT NULL, day INTEGER NOT NULL,"
    " used_that_day INTEGER NOT NULL, remaining INTEGER NOT NULL,"
    " PRIMARY KEY(plan, key)) WITHOUT ROWID;"
    "CREATE TABLE days(plan TEXT NOT NULL, key TEXT NOT NULL, day INTEGER NOT NULL,"
    " used INTEGER NOT NULL, remaining INTEGER NOT NULL,"
    " PRIMARY KEY(plan, key, day)) WITHOUT ROWID;"
    "CREATE INDEX days_by_day ON days(day);"};

constexpr const char* kSaveCounter =
    "INSERT INTO counters VALUES(?1,?2,?3,?4,?5,?6,?7,?8) ON CONFLICT DO UPDATE SET"
    " window=?3, used=?4, extension=?5, day=?6, used_that_day=?7, remaining=?8";
// A day can end twice after the clock went back: the larger count is the true one.
constexpr const char* kSaveDay =
    "INSERT INTO days VALUES(?1,?2,?3,?4,?5) ON CONFLICT DO UPDATE SET"
    " used=excluded.used, remaining=excluded.remaining WHERE excluded.used >= used";
constexpr const char* kPruneDays =
    "DELETE FROM days WHERE day < ?1 OR (day < ?2 AND key >= 'ip:' AND key < 'ip;')";
constexpr const char* kPruneCounters =
    "DELETE FROM counters WHERE day < ?1 OR (day < ?2 AND key >= 'ip:' AND key < 'ip;')";
constexpr const char* kLoad =
    "SELECT plan, key, window, used, extension, day, used_that_day, remaining FROM counters";
constexpr const char* kHistory =
    "SELECT key, day, max(used), remaining FROM ("
    " SELECT key, day, used, remaining FROM days"
    "  WHERE plan=?1 AND day BETWEEN ?2 AND ?3"
    " UNION ALL"
    " SELECT key, day, used_that_day, remaining FROM counters"
    "  WHERE plan=?1 AND day BETWEEN ?2 AND ?3 AND used_that_day > 0)"
    " GROUP BY key, day ORDER BY key, day";
constexpr const char* kHistoryOfKey =
    "SELECT key, day, max(used), remaining FROM ("
    " SELECT key, day, used, remaining FROM days"
    "  WHERE plan=?1 AND key=?4 AND day BETWEEN ?2 AND ?3"
    " UNION ALL"
    " SELECT key, day, used_that_day, remaining FROM counters"
    "  WHERE plan=?1 AND key=?4 AND day BETWEEN ?2 AND ?3 AND used_that_day > 0)"
    " GROUP BY key, day ORDER BY key, day";

Error error_of(std::string_view code, std::string detail) {
    return {
        .origin = Origin::store, .code = code, .detail = std::move(detail), .retry = Retry::always};
}

bool is_damage(int status) {
    const int primary = status & 0xff;
    return primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB;
}

std::string_view code_for(int status) {
    switch (status & 0xff) {
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
            return "state_in_use";
        case SQLITE_CANTOPEN:
        case SQLITE_READONLY:
        case SQLITE_PERM:
        case SQLITE_AUTH:
            return "state_unwritable";
        default:
            return "state_failed";
    }
}

std::string_view hint_for(std::string_view code) {
    if (code == "state_in_use") return " (does another gateway use this state.path?)";
    if (code == "state_unwritable") {
        return " (state.path must be a file this process may create and write)";
    }
    return "";
}

/// A file being opened: every step says what SQLite said.
class Opening {
public:
    explicit Opening(const fs::path& path) : path_(path) {}

    /// SQLITE_OK, or what failed; `what` then says more.
    int open();
    Database take() { return std::move(database_); }
    FileLock take_lock() { return std::move(lock_); }
    const std::string& what() const { return what_; }
    bool is_too_new() const { return too_new_; }

private:
    int run(const char* sql);
    int lock();
    int check();
    int migrate();
    int fail(int status);

    fs::path path_;
    FileLock lock_{};
    Database database_{};
    std::string what_{};
    bool too_new_ = false;
};

int Opening::fail(int status) {
    what_ = database_ ? sqlite3_errmsg(database_.get()) : sqlite3_errstr(status);
    return status;
}

int Opening::run(const char* sql) {
    const int status = sqlite3_exec(database_.get(), sql, nullptr, nullptr, nullptr);
    return status == SQLITE_OK ? status : fail(status);
}

int Opening::open() {
    // Nobody reads SQLite's memory statistics, and keeping them takes a lock per allocation.
    static std::once_flag configured;
    std::call_once(configured, [] { sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0); });
    sqlite3* made = nullptr;
    // NOMUTEX: SqliteStore's own mutex is held around every use of the connection.
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    const int status = sqlite3_open_v2(path_.c_str(), &made, flags, nullptr);
    database_.reset(made);
    if (status != SQLITE_OK) return fail(status);
    sqlite3_extended_result_codes(made, 1);
    sqlite3_busy_timeout(made, 1000);
    if (const int s = lock()) return s;
    if (const int s = run("PRAGMA journal_mode=WAL")) return s;
    if (const int s = run("PRAGMA synchronous=NORMAL")) return s;
    if (const int s = run("BEGIN IMMEDIATE; COMMIT")) return s;
    if (const int s = migrate()) return s;
    return check();
}

// Two gateways on one file would overwrite each other's counts. A file of its own, because SQLite's
// exclusive mode would also keep out who only reads: a backup, sqlite3 in a shell.
int Opening::lock() {
    const int error = lock_.acquire(path_.string() + ".lock");
    if (error == 0) return SQLITE_OK;
    const bool is_held = error == EWOULDBLOCK;
    what_ = is_held ? "database is locked" : std::system_category().message(error);
    return is_held ? SQLITE_BUSY : SQLITE_CANTOPEN;
}

int Opening::migrate() {
    if (const int s = run("BEGIN IMMEDIATE")) return s;
    if (const int s = run("CREATE TABLE IF NOT EXISTS schema_version(version INTEGER NOT NULL)")) {
        return s;
    }
    Statement read(database_.get(), "SELECT version FROM schema_version");
    if (read.status() != SQLITE_OK) return fail(read.status());
    const int row = read.step();
    if (row != SQLITE_ROW && row != SQLITE_DONE) return fail(row);
    const std::int64_t found = row == SQLITE_ROW ? read.integer(0) : 0;
    read.reset();
    if (found > static_cast<std::int64_t>(kMigrations.size())) {
        too_new_ = true;
        what_ = "it has schema version " + std::to_string(found) + ", this program knows " +
                std::to_string(kMigrations.size());
        return SQLITE_ERROR;
    }
    // Nothing is written that need not be: a gateway starts on a full disk, too.
    if (found == static_cast<std::int64_t>(kMigrations.size())) return run("COMMIT");
    for (auto version = static_cast<std::size_t>(std::max<std::int64_t>(found, 0));
         version < kMigrations.size(); ++version) {
        if (const int s = run(kMigrations[version])) return s;
    }
    const std::string write = "DELETE FROM schema_version; INSERT INTO schema_version VALUES(" +
                              std::to_string(kMigrations.size()) + "); COMMIT";
    return run(write.c_str());
}

int Opening::check() {
    std::error_code ignored;
    const auto size = fs::file_size(path_, ignored);
    const char* sql = ignored || size < kCheckAllBelow ? "PRAGMA quick_check(1)"
                                                       : "PRAGMA quick_check('counters')";
    Statement statement(database_.get(), sql);
    if (statement.status() != SQLITE_OK) return fail(statement.status());
    const int row = statement.step();
    if (row != SQLITE_ROW) return fail(row);
    what_ = statement.text(0);
    return what_ == "ok" ? SQLITE_OK : SQLITE_CORRUPT;
}

/// Renames the database and its companions out of the way.
Result<fs::path> set_aside(const fs::path& path) {
    const auto now = std::chrono::duration_cast<std::chrono::seconds>(
        std::chrono::system_clock::now().time_since_epoch());
    fs::path aside = path;
    aside += ".corrupt-" + std::to_string(now.count());
    for (int again = 1; fs::exists(aside); ++again) {
        aside = path;
        aside += ".corrupt-" + std::to_string(now.count()) + "-" + std::to_string(again);
    }
    std::error_code failed;
    fs::rename(path, aside, failed);
    if (failed) {
        return error_of("state_unwritable",
                        path.string() + " is damaged and cannot be renamed: " + failed.message());
    }
    for (const char* companion : {"-wal", "-shm"}) {
        std::error_code absent;
        fs::rename(path.string() + companion, aside.string() + companion, absent);
    }
    return aside;
}

/// As the table is ordered: neighbours share pages, which halves the cost of many rows.
std::vector<const UsageRow*> in_order(std::span<const UsageRow> rows) {
    std::vector<const UsageRow*> order(rows.size());
    std::ranges::transform(rows, order.begin(), [](const UsageRow& r) { return &r; });
    std::ranges::sort(order, [](const UsageRow* a, const UsageRow* b) {
        const int plans = a->plan.compare(b->plan);
        return plans != 0 ? plans < 0 : a->key < b->key;
    });
    return order;
}

class SqliteStore final : public UsageStore {
public:
    SqliteStore(FileLock lock, Database database, fs::path path, Retention retention)
        : lock_(std::move(lock)),
          database_(std::move(database)),
          path_(std::move(path)),
          retention_(retention) {}

    bool prepare();
    Error error() const;
    Result<std::vector<UsageRow>> load() override;
    Result<void> save(std::span<const UsageRow>, std::span<const DayRow>,
                      std::int32_t today) override;
    Result<std::vector<DayRow>> history(const HistoryQuery&) override;

private:
    bool write(std::span<const UsageRow>, std::span<const DayRow>, std::int32_t today);
    bool prune(std::int32_t today);

    std::mutex mutex_;
    FileLock lock_;
    Database database_;
    const fs::path path_;
    const Retention retention_;
    std::int32_t pruned_ = 0;
    Statement begin_{}, commit_{}, rollback_{}, save_counter_{}, save_day_{};
};

Error SqliteStore::error() const {
    const std::string_view code = code_for(sqlite3_extended_errcode(database_.get()));
    return error_of(code, path_.string() + ": " + sqlite3_errmsg(database_.get()));
}

bool SqliteStore::prepare() {
    sqlite3* const db = database_.get();
    begin_ = {db, "BEGIN IMMEDIATE"};
    commit_ = {db, "COMMIT"};
    rollback_ = {db, "ROLLBACK"};
    save_counter_ = {db, kSaveCounter};
    save_day_ = {db, kSaveDay};
    for (const Statement* s : {&begin_, &commit_, &rollback_, &save_counter_, &save_day_}) {
        if (s->status() != SQLITE_OK) return false;
    }
    return true;
}

Result<std::vector<UsageRow>> SqliteStore::load() {
    const std::lock_guard lock(mutex_);
    Statement read(database_.get(), kLoad);
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
    if (write(counters, finished, today) && commit_.run() == SQLITE_DONE) {
        pruned_ = today;
        return {};
    }
    const Error failed = error();  // before the rollback replaces the message
    (void)rollback_.run();
    return failed;
}

bool SqliteStore::write(std::span<const UsageRow> counters, std::span<const DayRow> finished,
                        std::int32_t today) {
    for (const UsageRow* row : in_order(counters)) {
        const UsageRow& r = *row;
        save_counter_.bind(r.plan, r.key, r.window, r.used, r.extension, r.day, r.used_that_day,
                           r.remaining);
        if (save_counter_.run() != SQLITE_DONE) return false;
    }
    for (const DayRow& r : finished) {
        save_day_.bind(r.plan, r.key, r.day, r.used, r.remaining);
        if (save_day_.run() != SQLITE_DONE) return false;
    }
    return today == pruned_ || prune(today);
}

bool SqliteStore::prune(std::int32_t today) {
    for (const char* sql : {kPruneDays, kPruneCounters}) {
        Statement prune(database_.get(), sql);
        if (prune.status() != SQLITE_OK) return false;
        prune.bind(today - retention_.days, today - retention_.address_days);
        if (prune.run() != SQLITE_DONE) return false;
    }
    return true;
}

Result<std::vector<DayRow>> SqliteStore::history(const HistoryQuery& query) {
    const std::lock_guard lock(mutex_);
    Statement read(database_.get(), query.key.empty() ? kHistory : kHistoryOfKey);
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
    SqliteUsageStore opened;
    for (bool again = false;; again = true) {
        Opening opening(path);
        const int status = opening.open();
        if (status == SQLITE_OK) {
            auto store =
                std::make_unique<SqliteStore>(opening.take_lock(), opening.take(), path, retention);
            if (!store->prepare()) return store->error();
            opened.store = std::move(store);
            return opened;
        }
        if (opening.is_too_new()) {
            return error_of("state_too_new", path.string() + ": " + opening.what());
        }
        if (!is_damage(status) || again) {
            const std::string_view code = code_for(status);
            return error_of(code,
                            path.string() + ": " + opening.what() + std::string{hint_for(code)});
        }
        opened.damage = opening.what();
        (void)opening.take();  // closed before it is renamed
        Result<fs::path> aside = set_aside(path);
        if (!aside) return aside.error();
        opened.set_aside = std::move(*aside);
    }
}

}  // namespace sluice::state
