// SPDX-License-Identifier: Apache-2.0
#include "sluice/state/usage_writer.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <random>
#include <thread>

namespace sluice::state {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

const TimePoint kStart = TimePoint{} + 1000h;
const WallTime kWall = std::chrono::sys_days{std::chrono::year{2026} / 6 / 15} + 12h;
const QuotaRule kMonthly{100'000, Period::month, 0};

struct Gateway {
    explicit Gateway(UsageStore& s, UsageWriter::Options options = {}) : store(s) {
        options.wall = [] { return kWall; };
        writer.emplace(registry, store, std::move(options));
        PlanUse::Limits limits{};
        limits.quota = kMonthly;
        registry.plan("gold", limits, kStart);
        restored = writer->restore();
        key = registry.key_use("gold", "k1");
    }
    bool count(WallTime wall = kWall) { return key->quota().take(kMonthly, wall); }
    std::int64_t used() const { return key->quota().read(kMonthly, kWall).used; }

    LimitRegistry registry;
    UsageStore& store;
    std::optional<UsageWriter> writer;
    Result<std::size_t> restored = std::size_t{0};
    std::shared_ptr<KeyUse> key;
};

/// Fails while it is told to.
struct Flaky final : UsageStore {
    Result<std::vector<UsageRow>> load() override { return inner->load(); }
    Result<void> save(std::span<const UsageRow> rows, std::span<const DayRow> days,
                      std::int32_t today) override {
        if (throws) throw std::bad_alloc{};
        if (broken) return Error{Origin::store, "state_failed", "disk full", Retry::always};
        ++saves;
        last_rows = rows.size();
        return inner->save(rows, days, today);
    }
    Result<std::vector<DayRow>> history(const HistoryQuery& query) override {
        return inner->history(query);
    }
    std::unique_ptr<UsageStore> inner = make_memory_usage_store();
    std::atomic<bool> broken{false}, throws{false};
    std::atomic<int> saves{0};
    std::atomic<std::size_t> last_rows{0};
};

TEST(UsageWriter, CarriesCountsOverARestart) {
    const auto store = make_memory_usage_store();
    {
        Gateway gateway(*store);
        EXPECT_EQ(*gateway.restored, 0u);
        for (int n = 0; n < 40; ++n) {
            EXPECT_TRUE(gateway.count());
        }
        gateway.key->quota().set_remaining(kMonthly, kWall, 2);
        EXPECT_TRUE(gateway.writer->stop());
    }
    Gateway again(*store);
    EXPECT_EQ(*again.restored, 1u);
    EXPECT_EQ(again.used(), 40);
    EXPECT_TRUE(again.count());
    EXPECT_TRUE(again.count());
    EXPECT_FALSE(again.count());
}

TEST(UsageWriter, SavesFromItsThreadAndOnlyWhatChanged) {
    Flaky store;
    Gateway gateway(store, {.interval = 1ms});
    for (int n = 0; n < 100; ++n) {
        (void)gateway.registry.key_use("gold", "idle-" + std::to_string(n));
    }
    EXPECT_TRUE(gateway.count());
    gateway.writer->start();
    while (gateway.writer->stats().saved_rows == 0)
        std::this_thread::yield();
    EXPECT_EQ(store.last_rows, 1u);
    EXPECT_EQ(store.load()->at(0).used, 1);
    const int saves = store.saves;
    EXPECT_TRUE(gateway.writer->flush_now());
    EXPECT_EQ(store.saves, saves) << "nothing changed, nothing written";
    EXPECT_TRUE(gateway.writer->stop());
    EXPECT_TRUE(gateway.writer->stop()) << "a second stop does nothing";
}

TEST(UsageWriter, KeepsWhatItCouldNotSave) {
    Flaky store;
    std::atomic<int> failures{0}, recoveries{0};
    std::string detail;
    Gateway gateway(store, {.on_failure =
                                [&](const Error& error) {
                                    ++failures;
                                    detail = error.detail;
                                },
                            .on_recovery = [&] { ++recoveries; }});
    store.broken = true;
    EXPECT_TRUE(gateway.count());
    EXPECT_FALSE(gateway.writer->flush_now());
    EXPECT_TRUE(gateway.count(kWall + 24h));
    EXPECT_FALSE(gateway.writer->flush_now());
    EXPECT_EQ(failures, 1) << "once per outage";
    EXPECT_EQ(detail, "disk full");
    EXPECT_EQ(gateway.writer->stats().failures, 2u);
    EXPECT_EQ(gateway.writer->stats().waiting_rows, 2u) << "the counter and the day that ended";
    store.broken = false;
    store.throws = true;
    EXPECT_FALSE(gateway.writer->flush_now());
    store.throws = false;
    EXPECT_TRUE(gateway.writer->flush_now());
    EXPECT_EQ(recoveries, 1);
    EXPECT_EQ(gateway.writer->stats().waiting_rows, 0u);
    EXPECT_EQ(store.load()->at(0).used, 2);
    EXPECT_EQ(store.history({"gold", "k1", 0, 99'999})->size(), 2u);
}

TEST(UsageWriter, WritesEachDayOfAMonthToTheHistory) {
    const auto store = make_memory_usage_store();
    Gateway gateway(*store);
    const std::int32_t first = day_at(kWall);
    for (int day = 0; day < 10; ++day) {
        for (int n = 0; n <= day; ++n) {
            EXPECT_TRUE(gateway.count(kWall + day * 24h));
        }
        if (day % 3 == 0) {
            EXPECT_TRUE(gateway.writer->flush_now());
        }
    }
    EXPECT_TRUE(gateway.writer->stop());
    const auto days = store->history({"gold", "k1", first, first + 9});
    ASSERT_EQ(days->size(), 10u);
    std::int64_t total = 0;
    for (std::size_t n = 0; n < 10; ++n) {
        EXPECT_EQ(days->at(n).used, static_cast<std::int64_t>(n) + 1);
        total += days->at(n).used;
        EXPECT_EQ(days->at(n).remaining, 100'000 - total);
    }
}

/// Counts as fast as it is let, in a process of its own, until it is killed.
class Victim {
public:
    Victim() {
        void* const memory = ::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE,
                                    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        shared_ = new (memory) Shared{};
        std::string name = (fs::temp_directory_path() / "sluice-kill-XXXXXX").string();
        folder_ = ::mkdtemp(name.data());
    }
    ~Victim() {
        fs::remove_all(folder_);
        ::munmap(shared_, sizeof(Shared));
    }
    fs::path file() const { return folder_ / "state.db"; }
    std::int64_t admitted() const { return shared_->admitted; }

    /// Lives for a while, then, if `settled`, until one whole save has passed. Returns how many
    /// had been admitted in all before that save: none of them may be lost.
    std::int64_t live(std::chrono::milliseconds life, bool settled, const QuotaRule& rule) {
        shared_->ready = 0;
        std::int64_t before = admitted();
        const pid_t child = ::fork();
        if (child == 0) ::_exit(serve(rule));
        int status = 0;
        bool alive = true;
        const auto wait_for = [&](const auto& is_reached) {
            while (alive && !is_reached()) {
                alive = ::waitpid(child, &status, WNOHANG) == 0;
                std::this_thread::yield();
            }
        };
        wait_for([&] { return shared_->ready == 1; });
        std::this_thread::sleep_for(life);  // the moment of death is what varies
        if (settled) {
            before = admitted();
            const std::int64_t next = shared_->saves + 2;  // the first may have begun already
            wait_for([&] { return shared_->saves >= next; });
        }
        ::kill(child, SIGKILL);
        if (alive) ::waitpid(child, &status, 0);
        EXPECT_TRUE(WIFSIGNALED(status)) << "exit status " << WEXITSTATUS(status);
        return before;
    }

private:
    struct Shared {
        std::atomic<std::int64_t> admitted, ready, saves;
    };
    int serve(const QuotaRule& rule) {
        auto opened = open_sqlite_usage_store(file());
        if (!opened || !opened->set_aside.empty()) return 3;
        Gateway gateway(*opened->store);
        if (!gateway.restored) return 4;
        gateway.writer->start();
        shared_->saves = 0;
        shared_->ready = 1;
        for (;;) {
            shared_->saves = static_cast<std::int64_t>(gateway.writer->stats().saves);
            if (gateway.key->quota().take(rule, kWall)) ++shared_->admitted;
            std::this_thread::sleep_for(500us);
        }
    }
    Shared* shared_;
    fs::path folder_;
};

TEST(UsageWriter, LosesOnlyTheLastMomentsToKill9) {
    Victim victim;
    QuotaRule rule{1'000'000, Period::month, 0};
    std::mt19937 random{std::random_device{}()};
    std::int64_t saved = 0, lost = 0;
    for (int round = 0; round < 20; ++round) {
        const bool is_last = round >= 15;  // the quota is nearly used: what was lost comes again
        if (round == 15) rule.limit = saved + 50;
        const bool settled = !is_last && round % 3 == 0;
        const std::chrono::milliseconds life{std::uniform_int_distribution{0, 250}(random)};
        const std::int64_t saved_before = saved;
        const std::int64_t admitted_before = victim.admitted();
        const std::int64_t safe = victim.live(life, settled, rule) - admitted_before;

        auto opened = open_sqlite_usage_store(victim.file());
        ASSERT_TRUE(opened) << opened.error().detail;
        ASSERT_TRUE(opened->set_aside.empty()) << opened->damage;
        const auto rows = opened->store->load();
        ASSERT_TRUE(rows);
        saved = rows->empty() ? 0 : rows->at(0).used;
        EXPECT_LE(saved, rule.limit);
        EXPECT_GE(saved - saved_before, safe) << "lost although it was saved";
        EXPECT_LE(saved - saved_before, victim.admitted() - admitted_before + 1);
        lost += victim.admitted() - admitted_before - (saved - saved_before);
        if (is_last) {
            EXPECT_LE(victim.admitted() - admitted_before, rule.limit - saved_before);
        }
    }
    std::printf("    admitted %lld, lost in 20 crashes %lld\n",
                static_cast<long long>(victim.admitted()), static_cast<long long>(lost));
    EXPECT_GT(saved, 0);
    EXPECT_LE(victim.admitted(), rule.limit + lost);
}

}  // namespace
}  // namespace sluice::state
