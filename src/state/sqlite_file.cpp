// SPDX-License-Identifier: Apache-2.0
#include "state/sqlite_file.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <mutex>
#include <system_error>

namespace sluice::state {

namespace {

namespace fs = std::filesystem;

// quick_check reads the whole file. Larger ones are checked where an error would miscount.
constexpr std::uintmax_t kCheckAllBelow = 64U << 20;

// Pages of 100,000 counters are 3 MB. With SQLite's 2 MB a save that visits them in order would
// read every one of them again.
constexpr const char* kPageCache = "PRAGMA cache_size=-8192";

// Step n brings a database of version n to version n + 1; steps are never edited.
// A counter holds its present day itself and a day reaches `days` when it is over, so counting
// touches one row. Since version 2 that row is found by a number and is without text, so that a
// page holds many: what many changed counters cost is mostly the pages they are on.
constexpr std::array kMigrations{
    "CREATE TABLE counters(plan TEXT NOT NULL, key TEXT NOT NULL, window INTEGER NOT NULL,"
    " used INTEGER NOT NULL, extension INTEGER NOT NULL, day INTEGER NOT NULL,"
    " used_that_day INTEGER NOT NULL, remaining INTEGER NOT NULL,"
    " PRIMARY KEY(plan, key)) WITHOUT ROWID;"
    "CREATE TABLE days(plan TEXT NOT NULL, key TEXT NOT NULL, day INTEGER NOT NULL,"
    " used INTEGER NOT NULL, remaining INTEGER NOT NULL,"
    " PRIMARY KEY(plan, key, day)) WITHOUT ROWID;"
    "CREATE INDEX days_by_day ON days(day);",

    "CREATE TABLE names(id INTEGER PRIMARY KEY, plan TEXT NOT NULL, key TEXT NOT NULL,"
    " UNIQUE(plan, key));"
    "INSERT INTO names(plan, key) SELECT plan, key FROM counters ORDER BY plan, key;"
    "ALTER TABLE counters RENAME TO counters_by_name;"
    "CREATE TABLE counters(id INTEGER PRIMARY KEY, window INTEGER NOT NULL,"
    " used INTEGER NOT NULL, extension INTEGER NOT NULL, day INTEGER NOT NULL,"
    " used_that_day INTEGER NOT NULL, remaining INTEGER NOT NULL);"
    "INSERT INTO counters SELECT id, window, used, extension, day, used_that_day, remaining"
    " FROM names JOIN counters_by_name USING(plan, key) ORDER BY id;"
    "DROP TABLE counters_by_name;"};

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
    int migrate();
    int upgrade_from(std::int64_t version);
    int check();
    int check(const char* sql);
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
    if (const int s = run(kPageCache)) return s;
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
    return upgrade_from(std::max<std::int64_t>(found, 0));
}

int Opening::upgrade_from(std::int64_t found) {
    // What a damaged page says must not become rows that look whole.
    if (const int s = check("PRAGMA quick_check(1)")) return s;
    for (auto version = static_cast<std::size_t>(found); version < kMigrations.size(); ++version) {
        if (const int s = run(kMigrations[version])) return s;
    }
    const std::string write = "DELETE FROM schema_version; INSERT INTO schema_version VALUES(" +
                              std::to_string(kMigrations.size()) + "); COMMIT";
    return run(write.c_str());
}

int Opening::check() {
    std::error_code ignored;
    const auto size = fs::file_size(path_, ignored);
    if (ignored || size < kCheckAllBelow) return check("PRAGMA quick_check(1)");
    if (const int s = check("PRAGMA quick_check('names')")) return s;
    return check("PRAGMA quick_check('counters')");
}

int Opening::check(const char* sql) {
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

}  // namespace

Error sqlite_error(sqlite3* database, const fs::path& path) {
    const std::string_view code = code_for(sqlite3_extended_errcode(database));
    return error_of(code, path.string() + ": " + sqlite3_errmsg(database));
}

Result<SqliteFile> open_sqlite_file(const fs::path& path) {
    SqliteFile opened;
    for (bool again = false;; again = true) {
        Opening opening(path);
        const int status = opening.open();
        if (status == SQLITE_OK) {
            opened.lock = opening.take_lock();
            opened.database = opening.take();
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
