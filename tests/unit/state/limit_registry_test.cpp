// SPDX-License-Identifier: Apache-2.0
#include "sluice/state/limit_registry.hpp"

#include <gtest/gtest.h>
#include <malloc.h>

#include <thread>

namespace sluice::state {
namespace {

using namespace std::chrono_literals;

const TimePoint kStart = TimePoint{} + 1000h;
const WallTime kWall = std::chrono::sys_days{std::chrono::year{2026} / 6 / 1} + 12h;
const QuotaRule kDaily{100, Period::day, 0};

TEST(LimitRegistry, KeepsABucketAcrossReloads) {
    LimitRegistry registry;
    const BucketShape before{1, 10}, after{1, 20};
    const auto bucket = registry.bucket("stage|a|prod|x/GET", before, kStart);
    for (int n = 0; n < 4; ++n) {
        EXPECT_TRUE(bucket->take(before, kStart));
    }
    EXPECT_EQ(registry.bucket("stage|a|prod|x/GET", before, kStart), bucket);
    EXPECT_EQ(bucket->available(before, kStart), 6);
    EXPECT_EQ(registry.bucket("stage|a|prod|x/GET", after, kStart), bucket);
    EXPECT_EQ(bucket->available(after, kStart), 16);
    EXPECT_NE(registry.bucket("stage|a|prod|y/GET", after, kStart), bucket);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(bucket.get()) % 64, 0u);
}

PlanUse::Limits limits(double rate, std::int64_t burst, std::vector<std::string> methods = {}) {
    PlanUse::Limits made{.throttle = {rate, burst}, .quota = kDaily, .methods = {}};
    for (std::string& identity : methods) {
        made.methods.push_back({std::move(identity), {rate, burst}});
    }
    return made;
}

TEST(LimitRegistry, KeepsWhatAKeyUsedAcrossReloads) {
    LimitRegistry registry;
    const auto plan = registry.plan("gold", limits(1, 10, {"a|prod|x/GET"}), kStart);
    const auto key = registry.key_use("gold", "k1");
    const std::size_t slot = *plan->slot("a|prod|x/GET");
    EXPECT_TRUE(key->bucket().take({1, 10}, kStart));
    EXPECT_TRUE(key->method_bucket(slot).take({1, 10}, kStart));
    EXPECT_TRUE(key->quota().take(kDaily, kWall));

    TokenBucket* const method = &key->method_bucket(slot);
    registry.plan("gold", limits(2, 5, {"a|prod|y/GET", "a|prod|x/GET"}), kStart);
    EXPECT_EQ(registry.key_use("gold", "k1"), key);
    EXPECT_EQ(key->bucket().available({2, 5}, kStart), 4);
    EXPECT_EQ(plan->slot("a|prod|x/GET"), slot);
    EXPECT_EQ(&key->method_bucket(slot), method) << "requests hold references";
    EXPECT_EQ(method->available({2, 5}, kStart), 4);
    EXPECT_EQ(key->method_bucket(*plan->slot("a|prod|y/GET")).available({2, 5}, kStart), 5);
    EXPECT_EQ(key->quota().read(kDaily, kWall).used, 1);
    EXPECT_EQ(plan->slot("a|prod|z/GET"), std::nullopt);
    EXPECT_NE(&registry.key_use("gold", "k2")->bucket(), &key->bucket());
    EXPECT_THROW(registry.key_use("silver", "k1"), std::logic_error);
}

TEST(LimitRegistry, MakesMethodBucketsOnceUnderRaces) {
    LimitRegistry registry;
    const auto plan = registry.plan("gold", limits(0, 1000, {"a", "b", "c"}), kStart);
    const auto key = registry.key_use("gold", "k1");
    std::atomic<int> taken{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&] {
            for (int n = 0; n < 600; ++n) {
                taken += key->method_bucket(2).take({0, 1000}, kStart) ? 1 : 0;
            }
        });
    }
    registry.plan("gold", limits(0, 1000, {"a", "b", "c", "d", "e"}), kStart);
    EXPECT_EQ(key->method_bucket(4).available({0, 1000}, kStart), 1000);
    for (std::thread& thread : threads) {
        thread.join();
    }
    EXPECT_EQ(taken, 1000);
}

TEST(LimitRegistry, SweepsWhatNobodyCouldMiss) {
    LimitRegistry registry;
    const BucketShape shape{1, 10};
    (void)registry.bucket("full", shape, kStart);
    (void)registry.bucket("used", shape, kStart)->take(shape, kStart);
    const auto held = registry.bucket("held", shape, kStart);
    (void)registry.plan("gold", limits(1, 10, {"m"}), kStart);
    (void)registry.key_use("gold", "idle");
    EXPECT_TRUE(registry.key_use("gold", "counted")->quota().take(kDaily, kWall));
    EXPECT_TRUE(registry.key_use("gold", "throttled")->method_bucket(0).take(shape, kStart));
    const auto in_use = registry.key_use("gold", "in use");
    UsageJournal::Batch batch;

    EXPECT_EQ(registry.sweep(kStart, kWall), 2u);  // full, idle
    EXPECT_EQ(registry.sizes().buckets, 2u);
    EXPECT_EQ(registry.sizes().keys, 3u);
    EXPECT_EQ(registry.sweep(kStart + 1min, kWall), 2u);  // used, throttled
    EXPECT_EQ(registry.sweep(kStart + 1min, kWall + 24h), 0u) << "its last count is not saved yet";
    registry.journal().collect(batch);
    EXPECT_EQ(registry.sweep(kStart + 1min, kWall + 24h), 1u);
    EXPECT_EQ(registry.sizes().keys, 1u);
    EXPECT_EQ(registry.sizes().buckets, 1u);
    batch = {};
    registry.journal().collect(batch);
    ASSERT_EQ(batch.days.size(), 1u) << "the day of the dropped key goes to the history";
    EXPECT_EQ(batch.days[0].key, "counted");
    EXPECT_EQ(batch.days[0].used, 1);
    EXPECT_EQ(batch.days[0].remaining, 99);
}

TEST(LimitRegistry, SettlesWhatAReloadLeft) {
    LimitRegistry registry;
    const BucketShape slow{0.1, 5}, fast{100, 5};
    const auto bucket = registry.bucket("b", slow, kStart);
    (void)registry.bucket("b", fast, kStart);
    for (int n = 0; n < 5; ++n) {
        EXPECT_TRUE(bucket->take(slow, kStart)) << "a request of the old snapshot";
    }
    registry.sweep(kStart, kWall);
    EXPECT_FALSE(bucket->take(fast, kStart));
    EXPECT_TRUE(bucket->take(fast, kStart + 10ms));
}

TEST(LimitRegistry, CollectsEachChangedCounterOnce) {
    LimitRegistry registry;
    (void)registry.plan("gold", limits(1, 10), kStart);
    const auto a = registry.key_use("gold", "a"), b = registry.key_use("gold", "b");
    (void)registry.key_use("gold", "untouched");
    for (int n = 0; n < 5; ++n) {
        (void)a->quota().take(kDaily, kWall);
    }
    (void)b->quota().take(kDaily, kWall);
    UsageJournal::Batch batch;
    registry.journal().collect(batch);
    ASSERT_EQ(batch.counters.size(), 2u);
    const UsageRow& row = batch.counters[0].key == "a" ? batch.counters[0] : batch.counters[1];
    EXPECT_EQ(row.plan, "gold");
    EXPECT_EQ(row.used, 5);
    EXPECT_EQ(row.used_that_day, 5);
    EXPECT_EQ(row.day, day_at(kWall));
    EXPECT_EQ(row.remaining, 95);
    batch = {};
    registry.journal().collect(batch);
    EXPECT_TRUE(batch.empty());
    (void)a->quota().take(kDaily, kWall);
    registry.journal().collect(batch);
    EXPECT_EQ(batch.counters.size(), 1u);
}

TEST(LimitRegistry, MissesNoCountWhileItCollects) {
    LimitRegistry registry;
    (void)registry.plan("gold", limits(1, 10), kStart);
    std::vector<std::shared_ptr<KeyUse>> keys;
    for (int n = 0; n < 16; ++n) {
        keys.push_back(registry.key_use("gold", "k" + std::to_string(n)));
    }
    std::atomic<int> running{3};
    std::vector<std::thread> threads;
    for (int t = 0; t < 3; ++t) {
        threads.emplace_back([&, t] {
            for (std::size_t n = 0; n < 30'000; ++n) {
                (void)keys[(n * 7 + static_cast<std::size_t>(t)) % 16]->quota().take(
                    QuotaRule::unlimited(), kWall);
            }
            --running;
        });
    }
    std::map<std::string, std::int64_t> last;
    const auto collect = [&] {
        UsageJournal::Batch batch;
        registry.journal().collect(batch);
        for (const UsageRow& row : batch.counters) {
            last[row.key] = row.used;
        }
    };
    while (running > 0)
        collect();
    for (std::thread& thread : threads) {
        thread.join();
    }
    collect();
    std::int64_t total = 0;
    for (const auto& [key, used] : last) {
        total += used;
    }
    EXPECT_EQ(total, 90'000);
}

TEST(LimitRegistry, RestoresKeysDeclaredBeforeOrAfter) {
    LimitRegistry registry;
    const std::int32_t day = day_at(kWall);
    (void)registry.plan("gold", limits(1, 10), kStart);
    const auto early = registry.key_use("gold", "early");
    const std::vector<UsageRow> rows{{"gold", "early", day, 40, 0, day, 40, 60},
                                     {"gold", "late", day, 100, 5, day, 30, 5},
                                     {"gone", "x", day, 1, 0, day, 1, -1}};
    registry.restore(rows);
    EXPECT_EQ(early->quota().read(kDaily, kWall).remaining(), 60);
    EXPECT_EQ(registry.key_use("gold", "late")->quota().read(kDaily, kWall).remaining(), 5);
    EXPECT_EQ(registry.usage("gold").size(), 2u);
    EXPECT_EQ(registry.usage("gold", "late").at(0).used_that_day, 30);
    EXPECT_EQ(registry.find_key("gold", "nobody"), nullptr);
    EXPECT_EQ(registry.find_key("gold", "early"), early);
}

TEST(LimitRegistry, HoldsAHundredThousandKeysCheaply) {
    LimitRegistry registry;
    (void)registry.plan("gold", limits(1, 10, {"a", "b"}), kStart);
    const std::size_t before = mallinfo2().uordblks;
    for (int n = 0; n < 100'000; ++n) {
        (void)registry.key_use("gold", "key-" + std::to_string(n));
    }
    const std::size_t each = (mallinfo2().uordblks - before) / 100'000;
    RecordProperty("bytes_per_key", static_cast<int>(each));
    std::printf("    %zu bytes per key\n", each);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    EXPECT_GT(each, sizeof(KeyUse));
    EXPECT_LE(each, 400u);
#endif
}

}  // namespace
}  // namespace sluice::state
