// SPDX-License-Identifier: Apache-2.0
#include "sluice/state/usage_store.hpp"

#include <gtest/gtest.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <unistd.h>

#include <fstream>

namespace sluice::state {
namespace {

namespace fs = std::filesystem;

struct Folder {
    Folder() {
        std::string name = (fs::temp_directory_path() / "sluice-state-XXXXXX").string();
        path = ::mkdtemp(name.data());
    }
    ~Folder() {
        std::error_code ignored;
        fs::permissions(path, fs::perms::owner_all, ignored);
        fs::remove_all(path, ignored);
    }
    fs::path file() const { return path / "state.db"; }
    fs::path path;
};

UsageRow row(std::string key, std::int32_t day, std::int64_t used) {
    return {"gold", std::move(key), day, used, 0, day, used, 100 - used};
}

void execute(const fs::path& file, const char* sql) {
    sqlite3* database = nullptr;
    ASSERT_EQ(sqlite3_open(file.c_str(), &database), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(database, sql, nullptr, nullptr, nullptr), SQLITE_OK)
        << sqlite3_errmsg(database);
    sqlite3_close(database);
}

std::vector<fs::path> set_aside_in(const fs::path& folder) {
    std::vector<fs::path> found;
    for (const auto& entry : fs::directory_iterator(folder)) {
        const std::string name = entry.path().filename().string();
        if (name.starts_with("state.db.corrupt-") && !name.ends_with("-wal")) {
            found.push_back(entry.path());
        }
    }
    return found;
}

class EachStore : public testing::TestWithParam<bool> {
protected:
    std::unique_ptr<UsageStore> open(Retention retention = {}) {
        if (!GetParam()) return make_memory_usage_store(retention);
        auto opened = open_sqlite_usage_store(folder.file(), retention);
        EXPECT_TRUE(opened) << opened.error().detail;
        return std::move(opened->store);
    }
    Folder folder;
};

TEST_P(EachStore, LoadsWhatWasSavedLast) {
    const auto store = open();
    ASSERT_TRUE(
        store->save(std::vector<UsageRow>{row("a", 20'000, 3), row("b", 20'000, 1)}, {}, 20'000));
    ASSERT_TRUE(store->save(std::vector<UsageRow>{row("a", 20'000, 5)}, {}, 20'000));
    const auto rows = store->load();
    ASSERT_TRUE(rows);
    ASSERT_EQ(rows->size(), 2u);
    const UsageRow& a = rows->at(rows->at(0).key == "a" ? 0 : 1);
    EXPECT_EQ(a.plan, "gold");
    EXPECT_EQ(a.window, 20'000);
    EXPECT_EQ(a.used, 5);
    EXPECT_EQ(a.used_that_day, 5);
    EXPECT_EQ(a.remaining, 95);
}

TEST_P(EachStore, AnswersHistoryPerKeyAndDay) {
    const auto store = open();
    const std::vector<DayRow> days{{"gold", "a", 19'998, 7, 93},
                                   {"gold", "a", 19'999, 2, 98},
                                   {"gold", "b", 19'999, 4, 96},
                                   {"silver", "a", 19'999, 9, -1}};
    ASSERT_TRUE(store->save(std::vector<UsageRow>{row("a", 20'000, 5)}, days, 20'000));
    const auto all = store->history({"gold", "", 19'998, 20'000});
    ASSERT_TRUE(all);
    ASSERT_EQ(all->size(), 4u);
    EXPECT_EQ(all->at(0).day, 19'998);
    EXPECT_EQ(all->at(2).used, 5) << "the day the counter is on";
    EXPECT_EQ(all->at(2).remaining, 95);
    EXPECT_EQ(all->at(3).key, "b");
    const auto one = store->history({"gold", "a", 19'999, 19'999});
    ASSERT_TRUE(one);
    ASSERT_EQ(one->size(), 1u);
    EXPECT_EQ(one->at(0).used, 2);
    EXPECT_EQ(one->at(0).remaining, 98);
    EXPECT_TRUE(store->history({"gold", "nobody", 0, 30'000})->empty());
    EXPECT_EQ(store->history({"silver", "", 0, 30'000})->at(0).remaining, -1);
}

TEST_P(EachStore, KeepsTheLargerCountOfADayThatEndedTwice) {
    const auto store = open();
    ASSERT_TRUE(store->save({}, std::vector<DayRow>{{"gold", "a", 19'999, 7, 93}}, 20'000));
    ASSERT_TRUE(store->save({}, std::vector<DayRow>{{"gold", "a", 19'999, 2, 98}}, 20'000));
    EXPECT_EQ(store->history({"gold", "a", 0, 30'000})->at(0).used, 7);
}

TEST_P(EachStore, DropsWhatIsTooOld) {
    const auto store = open({.days = 400, .address_days = 10});
    const std::vector<DayRow> days{{"gold", "a", 19'600, 1, -1},
                                   {"gold", "a", 19'601, 1, -1},
                                   {"gold", "ip:::1", 19'985, 1, -1},
                                   {"gold", "ip:::1", 19'995, 1, -1},
                                   {"gold", "ipx", 19'985, 1, -1}};
    const std::vector<UsageRow> rows{row("old", 19'000, 1), row("ip:1.1.1.1", 19'989, 1),
                                     row("ip:2.2.2.2", 19'990, 1)};
    ASSERT_TRUE(store->save(rows, days, 20'000));
    EXPECT_EQ(store->load()->size(), 1u);
    EXPECT_EQ(store->history({"gold", "", 0, 30'000})->size(), 5u);
    ASSERT_TRUE(store->save({}, {}, 20'001));
    EXPECT_EQ(store->history({"gold", "a", 0, 30'000})->size(), 1u) << "pruned again next day";
}

TEST_P(EachStore, TakesAnyTextAsKey) {
    const auto store = open();
    const std::string odd = "'; DROP TABLE counters; --\xff";
    ASSERT_TRUE(store->save(std::vector<UsageRow>{row(odd, 20'000, 3)}, {}, 20'000));
    EXPECT_EQ(store->load()->at(0).key, odd);
    EXPECT_EQ(store->history({"gold", odd, 0, 30'000})->at(0).used, 3);
}

TEST_P(EachStore, KeepsTheLastOfACountersRows) {
    const auto store = open();
    std::vector<UsageRow> rows;
    for (int n = 0; n < 100; ++n)
        rows.push_back(row("other-" + std::to_string(n), 20'000, 1));
    // Evicted and come back: the same name under another number.
    for (const std::int64_t used : {7, 2, 3}) {
        rows.push_back(row("a", 20'000, used));
        rows.back().number = next_usage_number();
    }
    ASSERT_TRUE(store->save(rows, {}, 20'000));
    EXPECT_EQ(store->load()->size(), 101u);
    EXPECT_EQ(store->history({"gold", "a", 0, 30'000})->at(0).used, 3);
    rows[100].used_that_day = 9;
    ASSERT_TRUE(store->save(std::span{rows}.subspan(100, 1), {}, 20'000));
    EXPECT_EQ(store->load()->size(), 101u);
    EXPECT_EQ(store->history({"gold", "a", 0, 30'000})->at(0).used, 9);
}

TEST_P(EachStore, SavesANumberedCounterAgainAfterItWasDropped) {
    const auto store = open({.days = 10, .address_days = 10});
    std::vector<UsageRow> rows{row("a", 20'000, 1), row("b", 20'000, 2)};
    for (UsageRow& r : rows)
        r.number = next_usage_number();
    ASSERT_TRUE(store->save(rows, {}, 20'000));
    ASSERT_TRUE(store->save({}, {}, 20'011));
    EXPECT_TRUE(store->load()->empty());
    rows[1].day = 20'011;
    ASSERT_TRUE(store->save(std::span{rows}.subspan(1), {}, 20'011));
    ASSERT_EQ(store->load()->size(), 1u);
    EXPECT_EQ(store->load()->at(0).key, "b");
}

INSTANTIATE_TEST_SUITE_P(Stores, EachStore, testing::Bool(), [](const auto& kind) {
    return std::string{kind.param ? "sqlite" : "memory"};
});

TEST(MemoryUsageStore, IsBounded) {
    const auto store = make_memory_usage_store({}, 10);
    for (std::int32_t day = 20'000; day < 20'050; ++day) {
        ASSERT_TRUE(store->save({}, std::vector<DayRow>{{"gold", "a", day, 1, -1}}, day));
    }
    const auto kept = store->history({"gold", "a", 0, 30'000});
    ASSERT_EQ(kept->size(), 10u);
    EXPECT_EQ(kept->at(0).day, 20'040);
}

TEST(SqliteUsageStore, SurvivesReopening) {
    const Folder folder;
    {
        auto opened = open_sqlite_usage_store(folder.file());
        ASSERT_TRUE(opened);
        ASSERT_TRUE(opened->store->save(std::vector<UsageRow>{row("a", 20'000, 3)}, {}, 20'000));
    }
    auto again = open_sqlite_usage_store(folder.file());
    ASSERT_TRUE(again);
    EXPECT_TRUE(again->set_aside.empty());
    EXPECT_EQ(again->store->load()->at(0).used, 3);
}

TEST(SqliteUsageStore, IsOpenedByOneProcessOnly) {
    const Folder folder;
    const auto first = open_sqlite_usage_store(folder.file());
    ASSERT_TRUE(first);
    const auto second = open_sqlite_usage_store(folder.file());
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, "state_in_use");
    EXPECT_NE(second.error().detail.find("state.db"), std::string::npos);
    EXPECT_TRUE(set_aside_in(folder.path).empty());
}

TEST(SqliteUsageStore, SaysWhichPathCannotBeWritten) {
    const Folder folder;
    const fs::path paths[] = {folder.path / "absent" / "state.db", folder.path,
                              "/proc/self/state.db"};
    for (const fs::path& path : paths) {
        const auto opened = open_sqlite_usage_store(path);
        ASSERT_FALSE(opened) << path;
        EXPECT_EQ(opened.error().code, "state_unwritable") << opened.error().detail;
        EXPECT_NE(opened.error().detail.find(path.string()), std::string::npos);
    }
}

TEST(SqliteUsageStore, SetsADamagedFileAsideAndSaysSo) {
    const struct {
        const char* name;
        void (*damage)(const fs::path&);
    } cases[] = {
        {"not a database", [](const fs::path& f) { std::ofstream(f) << std::string(10'000, 'x'); }},
        {"cut off", [](const fs::path& f) { fs::resize_file(f, fs::file_size(f) / 2); }},
        {"a page overwritten",
         [](const fs::path& f) {
             std::fstream file(f, std::ios::in | std::ios::out | std::ios::binary);
             file.seekp(4096);
             file << std::string(8192, '\xa5');
         }},
        {"schema overwritten",
         [](const fs::path& f) {
             std::fstream file(f, std::ios::in | std::ios::out | std::ios::binary);
             file.seekp(100);
             file << std::string(3000, '\x5a');
         }},
    };
    for (const auto& c : cases) {
        const Folder folder;
        {
            auto opened = open_sqlite_usage_store(folder.file());
            ASSERT_TRUE(opened);
            std::vector<UsageRow> rows;
            for (int n = 0; n < 2000; ++n) {
                rows.push_back(row("key-" + std::to_string(n), 20'000, n));
            }
            ASSERT_TRUE(opened->store->save(rows, {}, 20'000));
        }
        c.damage(folder.file());
        auto again = open_sqlite_usage_store(folder.file());
        ASSERT_TRUE(again) << c.name << again.error().detail;
        EXPECT_FALSE(again->damage.empty()) << c.name;
        EXPECT_TRUE(fs::exists(again->set_aside)) << c.name;
        EXPECT_EQ(set_aside_in(folder.path), std::vector<fs::path>{again->set_aside});
        EXPECT_TRUE(again->store->load()->empty());
        EXPECT_TRUE(again->store->save(std::vector<UsageRow>{row("a", 20'000, 1)}, {}, 20'000));
    }
}

// As version 1 made it; migrations are never edited, so this is not either.
constexpr const char* kVersion1 =
    "PRAGMA journal_mode=WAL; CREATE TABLE schema_version(version INTEGER NOT NULL);"
    "INSERT INTO schema_version VALUES(1);"
    "CREATE TABLE counters(plan TEXT NOT NULL, key TEXT NOT NULL, window INTEGER NOT NULL,"
    " used INTEGER NOT NULL, extension INTEGER NOT NULL, day INTEGER NOT NULL,"
    " used_that_day INTEGER NOT NULL, remaining INTEGER NOT NULL,"
    " PRIMARY KEY(plan, key)) WITHOUT ROWID;"
    "CREATE TABLE days(plan TEXT NOT NULL, key TEXT NOT NULL, day INTEGER NOT NULL,"
    " used INTEGER NOT NULL, remaining INTEGER NOT NULL,"
    " PRIMARY KEY(plan, key, day)) WITHOUT ROWID;"
    "CREATE INDEX days_by_day ON days(day);"
    "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 1999)"
    " INSERT INTO counters SELECT 'p' || (i % 3), 'k' || i, 19990, i, i % 5, 20000, i / 2, 5000 - i"
    " FROM n;"
    "INSERT INTO days VALUES('p1', 'k1', 19999, 7, 93), ('p1', 'gone', 19999, 8, -1);";

TEST(SqliteUsageStore, TakesOverADatabaseOfVersion1) {
    const Folder folder;
    execute(folder.file(), kVersion1);
    for (int opening = 0; opening < 2; ++opening) {
        auto opened = open_sqlite_usage_store(folder.file());
        ASSERT_TRUE(opened) << opened.error().detail;
        EXPECT_TRUE(opened->set_aside.empty()) << opened->damage;
        const auto rows = opened->store->load();
        ASSERT_TRUE(rows);
        ASSERT_EQ(rows->size(), 2000u);
        for (const UsageRow& r : *rows) {
            const std::int64_t i = std::stoll(r.key.substr(1));
            EXPECT_EQ(r.plan, "p" + std::to_string(i % 3));
            EXPECT_EQ(r.window, 19'990);
            EXPECT_EQ(r.used, i);
            EXPECT_EQ(r.extension, i % 5);
            EXPECT_EQ(r.day, 20'000);
            EXPECT_EQ(r.used_that_day, i / 2);
            EXPECT_EQ(r.remaining, 5000 - i);
        }
        const auto days = opened->store->history({"p1", "", 19'999, 19'999});
        ASSERT_EQ(days->size(), 2u);
        EXPECT_EQ(days->at(0).key, "gone");
        EXPECT_EQ(days->at(1).used, 7);
        EXPECT_EQ(opened->store->history({"p1", "k1999", 0, 30'000})->at(0).used, 999);
        // Counting goes on in the row that was there: the next opening finds no second one.
        UsageRow next = rows->at(5);
        ASSERT_TRUE(opened->store->save(std::span{&next, 1}, {}, 20'000));
    }
}

TEST(SqliteUsageStore, SetsADamagedDatabaseOfVersion1Aside) {
    const Folder folder;
    execute(folder.file(), kVersion1);
    std::fstream file(folder.file(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(5 * 4096 +
               7);  // a leaf of the counters says how much of it is unused: its rows read
    file.put('\x3b');
    file.close();
    const auto opened = open_sqlite_usage_store(folder.file());
    ASSERT_TRUE(opened) << opened.error().detail;
    EXPECT_FALSE(opened->damage.empty());
    EXPECT_TRUE(fs::exists(opened->set_aside));
    EXPECT_TRUE(opened->store->load()->empty());
}

TEST(SqliteUsageStore, SavesAllOrNothing) {
    const Folder folder;
    auto opened = open_sqlite_usage_store(folder.file());
    ASSERT_TRUE(opened);
    UsageStore& store = *opened->store;
    std::vector<UsageRow> rows{row("a", 20'000, 1), row("b", 20'000, 2)};
    for (UsageRow& r : rows)
        r.number = next_usage_number();
    const std::vector<DayRow> days{{"gold", "a", 19'999, 7, 93}};
    ASSERT_TRUE(store.save({}, {}, 20'000));  // pruned today
    execute(folder.file(),
            "CREATE TRIGGER full BEFORE INSERT ON days BEGIN SELECT RAISE(ABORT, 'no room'); END");
    const auto failed = store.save(rows, days, 20'000);
    ASSERT_FALSE(failed);
    EXPECT_NE(failed.error().detail.find("no room"), std::string::npos);
    EXPECT_TRUE(store.load()->empty()) << "not a part of it";
    execute(folder.file(), "DROP TRIGGER full");
    // What was rolled back is not remembered: "b" must not get the row "a" would have had.
    ASSERT_TRUE(store.save(std::span{rows}.subspan(1), days, 20'000));
    ASSERT_TRUE(store.save(rows, {}, 20'000));
    ASSERT_EQ(store.load()->size(), 2u);
    EXPECT_EQ(store.history({"gold", "a", 20'000, 20'000})->at(0).used, 1);
    EXPECT_EQ(store.history({"gold", "b", 20'000, 20'000})->at(0).used, 2);
}

TEST(SqliteUsageStore, LeavesADatabaseOfALaterVersionAlone) {
    const Folder folder;
    (void)open_sqlite_usage_store(folder.file());
    execute(folder.file(), "UPDATE schema_version SET version=99");
    const auto opened = open_sqlite_usage_store(folder.file());
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, "state_too_new");
    EXPECT_TRUE(fs::exists(folder.file()));
}

}  // namespace
}  // namespace sluice::state
