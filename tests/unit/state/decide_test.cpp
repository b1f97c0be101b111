// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "sluice/state/limits.hpp"

namespace sluice::state {
namespace {

using namespace std::chrono_literals;
using Outcome = Decision::Outcome;

const TimePoint kStart = TimePoint{} + 1000h;
const WallTime kWall = std::chrono::sys_days{std::chrono::year{2026} / 6 / 1} + 12h;

struct Limit {
    Limit(Level at, double rate, std::int64_t burst) : shape(rate, burst), level(at) {}
    operator Charge() { return {&bucket, &shape, level}; }
    std::int64_t left(TimePoint now = kStart) const { return bucket.available(shape, now); }
    BucketShape shape;
    Level level;
    TokenBucket bucket;
};

int admit(int tries, std::vector<Charge> charges, std::vector<QuotaCharge> quotas = {},
          TimePoint now = kStart) {
    int admitted = 0;
    for (int n = 0; n < tries; ++n) {
        admitted += decide(charges, quotas, now, kWall).outcome == Outcome::admitted ? 1 : 0;
    }
    return admitted;
}

// aws-semantics B.2
TEST(Decide, LetsTheLowestLimitGovernAndChargesRefusalsToNobody) {
    Limit t1{Level::plan_method, 1, 1}, t2{Level::plan, 100, 10}, t3{Level::stage_method, 5, 5};
    EXPECT_EQ(admit(10, {t1, t2, t3}), 1);
    EXPECT_EQ(t1.left(), 0);
    EXPECT_EQ(t2.left(), 9);
    EXPECT_EQ(t3.left(), 4);
}

TEST(Decide, SharesAPlanBucketBetweenStages) {
    Limit plan{Level::plan, 1, 10};
    Limit a{Level::stage_method, 1000, 1000}, b{Level::stage_method, 1000, 1000};
    EXPECT_EQ(admit(6, {plan, a}) + admit(6, {plan, b}), 10);
}

TEST(Decide, KeepsMethodsApart) {
    Limit m1{Level::stage_method, 5, 5}, m2{Level::stage_method, 5, 5};
    EXPECT_EQ(admit(5, {m1}) + admit(5, {m2}), 10);
}

TEST(Decide, NamesTheFirstThatRefusedAndWhenToComeBack) {
    Limit plan{Level::plan, 10, 1}, stage{Level::stage_method, 2, 1};
    const std::vector<Charge> charges{plan, stage};
    EXPECT_EQ(decide(charges, {}, kStart, kWall).outcome, Outcome::admitted);
    const Decision both = decide(charges, {}, kStart, kWall);
    EXPECT_EQ(both.outcome, Outcome::throttled);
    EXPECT_EQ(both.refused_by, Level::plan);
    EXPECT_EQ(both.retry_after, 100ms);
    const Decision second = decide(charges, {}, kStart + 200ms, kWall);
    EXPECT_EQ(second.refused_by, Level::stage_method);
    EXPECT_EQ(second.retry_after, 300ms);
    EXPECT_EQ(plan.left(kStart + 200ms), 1) << "the plan's token was not spent";
}

TEST(Decide, LooksAtTheQuotaFirstAndCountsOnlyWhatPasses) {
    const QuotaRule rule{3, Period::day, 0};
    QuotaCounter counter;
    Limit stage{Level::stage_method, 1, 2};
    const std::vector<QuotaCharge> quota{{&counter, &rule}};
    EXPECT_EQ(admit(5, {stage}, quota), 2);
    EXPECT_EQ(counter.read(rule, kWall).used, 2) << "throttled requests do not count";
    EXPECT_EQ(admit(5, {stage}, quota, kStart + 10s), 1);
    EXPECT_EQ(counter.read(rule, kWall).used, 3);
    EXPECT_EQ(stage.left(kStart + 10s), 1) << "a request over quota takes no token";
    EXPECT_EQ(decide(std::vector<Charge>{stage}, quota, kStart + 10s, kWall).outcome,
              Outcome::quota_exceeded);
}

TEST(Decide, CountsInAllQuotasOrNone) {
    const QuotaRule wide{100, Period::day, 0}, narrow{2, Period::day, 0};
    QuotaCounter first, second;
    EXPECT_EQ(admit(9, {}, {{&first, &wide}, {&second, &narrow}}), 2);
    EXPECT_EQ(first.read(wide, kWall).used, 2);
}

TEST(Decide, NeedsNoLimits) { EXPECT_EQ(admit(10, {}), 10); }

TEST(Decide, ChargesABucketNamedTwiceOnce) {
    Limit twice{Level::plan, 1, 3};
    EXPECT_EQ(admit(5, {twice, twice}), 3);
}

TEST(Decide, RefusesAnImpossibleNumberOfCharges) {
    Limit one{Level::plan, 1, 3};
    EXPECT_THROW(admit(1, std::vector<Charge>(kMaxCharges + 1, one)), std::logic_error);
}

TEST(Decide, WithAnUnlimitedLevelAsksTheOthers) {
    Limit plan{Level::plan, std::numeric_limits<double>::infinity(), 1};
    Limit closed{Level::plan, std::numeric_limits<double>::infinity(), 0};
    Limit stage{Level::stage_method, 1, 4};
    EXPECT_EQ(admit(9, {plan, stage}), 4);
    EXPECT_EQ(admit(9, {closed}), 0);
}

TEST(Decide, MovesAQuotaLeftInTheFutureByAWrongClock) {
    const QuotaRule rule{1, Period::day, 0};
    QuotaCounter counter;
    EXPECT_TRUE(counter.take(rule, kWall + 24h * 3650));
    EXPECT_EQ(admit(3, {}, {{&counter, &rule}}), 0);
    EXPECT_TRUE(counter.take(rule, kWall + 24h));
}

TEST(Decide, NamesItsLevelsAsTheMetricsDo) {
    EXPECT_EQ(to_string(Level::plan_method), "plan_method");
    EXPECT_EQ(to_string(Level::source_ip), "source_ip");
}

// Threads race for buckets of different sizes, in opposite orders: whatever was admitted took one
// token from every bucket, and nothing else did.
TEST(Decide, IsAllOrNothingUnderRaces) {
    const QuotaRule rule{900, Period::day, 0};
    for (int round = 0; round < 20; ++round) {
        Limit a{Level::plan, 0, 1000}, b{Level::stage_method, 0, 700}, c{Level::account, 0, 2000};
        QuotaCounter counter;
        const std::vector<QuotaCharge> quota{{&counter, &rule}};
        const std::vector<Charge> orders[] = {{a, b, c}, {c, b, a}, {b, a, c}, {a, c}};
        std::atomic<int> admitted{0}, without_b{0};
        std::vector<std::thread> threads;
        for (const std::vector<Charge>& charges : orders) {
            threads.emplace_back([&, t = &charges - orders] {
                const int mine = admit(400, charges, quota);
                admitted += mine;
                if (t == 3) without_b += mine;
            });
        }
        for (std::thread& thread : threads) {
            thread.join();
        }
        EXPECT_EQ(a.left(), 1000 - admitted);
        EXPECT_EQ(b.left(), 700 - (admitted - without_b));
        EXPECT_EQ(c.left(), 2000 - admitted);
        EXPECT_EQ(counter.read(rule, kWall).used, admitted);
        EXPECT_LE(admitted, 900);
        EXPECT_GE(admitted, 700) << "nobody is refused while every limit has room";
    }
}

// The same with time passing differently for each thread: no bucket ever exceeds its limit.
TEST(Decide, NeverExceedsALimitUnderRaces) {
    Limit a{Level::plan, 50'000, 3}, b{Level::stage_method, 20'000, 2},
        c{Level::account, 100'000, 1};
    std::atomic<int> admitted{0};
    std::atomic<std::int64_t> clock{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&, t] {
            const std::vector<Charge> charges =
                t % 2 == 0 ? std::vector<Charge>{a, b, c} : std::vector<Charge>{c, b, a};
            for (int n = 0; n < 20'000; ++n) {
                const TimePoint now = kStart + std::chrono::nanoseconds{clock += 997};
                admitted += admit(1, charges, {}, now);
            }
        });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    const double seconds = static_cast<double>(clock.load()) / 1e9;
    EXPECT_LE(static_cast<double>(admitted), 2 + 20'000 * seconds + 1e-6);
    EXPECT_GE(static_cast<double>(admitted), 20'000 * seconds * 0.9);
}

}  // namespace
}  // namespace sluice::state
