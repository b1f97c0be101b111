// SPDX-License-Identifier: Apache-2.0
//
// What every store must do alike: aws-semantics appendix B.2 and B.3, periods, restarts, reloads.
#include "unit/state/store_conformance.hpp"

#include <gtest/gtest.h>

#include <thread>

namespace sluice::state::conformance {
namespace {

using namespace std::chrono;

class Conformance : public testing::TestWithParam<Kind> {
protected:
    Scene scene{GetParam()};
    bool is_redis() const { return GetParam() == Kind::redis; }
};

std::string name_of(const testing::TestParamInfo<Kind>& info) {
    return info.param == Kind::memory ? "memory" : info.param == Kind::sqlite ? "sqlite" : "redis";
}
INSTANTIATE_TEST_SUITE_P(Stores, Conformance,
                         testing::Values(Kind::memory, Kind::sqlite, Kind::redis), &name_of);

Terms plan(double rate, std::int64_t burst) { return {.t2 = BucketShape{rate, burst}}; }

Terms quota(std::int64_t limit, Period period = Period::day, int offset = 0) {
    return {.quota = QuotaRule{.limit = limit, .period = period, .offset = offset}};
}

// ---------------------------------------------------------------- B.2

TEST_P(Conformance, B2BurstThenRefillUpToCapacity) {
    const Terms t = plan(10, 5);
    EXPECT_EQ(scene->admitted(t, 20), 5);
    scene.advance(100ms);
    EXPECT_EQ(scene->admitted(t, 3), 1);
    scene.advance(9'900ms);
    EXPECT_EQ(scene->admitted(t, 20), 5);
}

TEST_P(Conformance, B2SlowRate) {
    const Terms t = plan(0.1, 1);
    EXPECT_EQ(scene->admitted(t, 1), 1);
    scene.advance(5s);
    EXPECT_EQ(scene->admitted(t, 1), 0);
    scene.advance(5s);
    EXPECT_EQ(scene->admitted(t, 1), 1);
}

TEST_P(Conformance, B2BurstAboveRate) { EXPECT_EQ(scene->admitted(plan(10, 20), 25), 20); }

TEST_P(Conformance, B2TheLowestOfThreeLevelsGovernsAndRefusalsSpendNothing) {
    Terms t{.t1 = BucketShape{1, 1}, .t2 = BucketShape{100, 10}, .t3 = BucketShape{5, 5}};
    EXPECT_EQ(scene->admitted(t, 10), 1);
    EXPECT_EQ(scene->decide(t).refused_by, Level::plan_method);
    scene.advance(0ms);  // redis: another node, after leases came back
    Terms anothers{.key = "another", .t2 = t.t2, .t3 = t.t3};
    EXPECT_EQ(scene->admitted(anothers, 20), 4) << "what the stage's method has left";
    Terms elsewhere{.method = "other", .t2 = t.t2};
    EXPECT_EQ(scene->admitted(elsewhere, 20), 9) << "what the plan has left";
}

TEST_P(Conformance, B2APlanIsOneBucketOverItsStages) {
    Terms a = plan(0.001, 10);
    Terms b = a;
    b.method = "another";
    EXPECT_EQ(scene->admitted(a, 6) + scene->admitted(b, 6), 10);
}

TEST_P(Conformance, B2MethodsOfAStageHaveTheirOwnBuckets) {
    Terms one{.method = "m1", .t3 = BucketShape{0.001, 5}};
    Terms two{.method = "m2", .t3 = BucketShape{0.001, 5}};
    EXPECT_EQ(scene->admitted(one, 5) + scene->admitted(two, 5), 10);
    EXPECT_EQ(scene->admitted(one, 1) + scene->admitted(two, 1), 0);
}

TEST_P(Conformance, B2FiveHundredASecond) {
    const Terms t = plan(500, 100);
    EXPECT_EQ(scene->admitted(t, 150), 100);
    int admitted = 0;
    for (int step = 0; step < 10; ++step) {  // 500 over a second, in tenths
        scene.advance(100ms);
        admitted += scene->admitted(t, 50);
    }
    EXPECT_EQ(admitted, 500);
}

TEST_P(Conformance, RateZeroAndBurstZero) {
    EXPECT_EQ(scene->admitted(plan(0, 3), 5), 3);
    scene.advance(1h);
    EXPECT_EQ(scene->admitted(plan(0, 3), 5), 0);
    Terms closed = plan(10, 0);
    closed.key = "other";
    EXPECT_EQ(scene->admitted(closed, 5), 0);
}

// ---------------------------------------------------------------- B.3

TEST_P(Conformance, B3Quota) {
    const Terms t = quota(3);
    scene.set(sys_days{2026y / 3 / 10} + 23h + 59min + 30s);
    EXPECT_EQ(scene->admitted(t, 3), 3);
    EXPECT_EQ(scene->usage(t), (std::pair<std::int64_t, std::int64_t>{3, 0}));
    EXPECT_EQ(scene->decide(t).outcome, Decision::Outcome::quota_exceeded);
    EXPECT_EQ(scene->usage(t), (std::pair<std::int64_t, std::int64_t>{3, 0}));
    scene->set_remaining(t, 2);
    scene.advance(0ms);
    EXPECT_EQ(scene->admitted(t, 3), 2);
    EXPECT_EQ(scene->usage(t), (std::pair<std::int64_t, std::int64_t>{5, 0}));
    scene.set(sys_days{2026y / 3 / 11});
    EXPECT_EQ(scene->admitted(t, 1), 1);
    EXPECT_EQ(scene->usage(t), (std::pair<std::int64_t, std::int64_t>{1, 2}));
    Terms throttled = t;
    throttled.t2 = BucketShape{0.001, 0};
    EXPECT_EQ(scene->decide(throttled).outcome, Decision::Outcome::throttled);
    scene.advance(0ms);
    EXPECT_EQ(scene->usage(t), (std::pair<std::int64_t, std::int64_t>{1, 2}));
}

struct Rollover {
    const char* name;
    Period period;
    int offset;
    WallTime last, first;  ///< the end of a window, and the beginning of the next
};

TEST_P(Conformance, EveryPeriodBeginsAnewWhenItShould) {
    const Rollover cases[] = {
        {"day", Period::day, 0, sys_days{2026y / 3 / 10} + 23h + 59min, sys_days{2026y / 3 / 11}},
        {"week from Monday", Period::week, 0, sys_days{2026y / 3 / 15} + 23h + 59min,
         sys_days{2026y / 3 / 16}},
        {"week from Thursday", Period::week, 3, sys_days{2026y / 3 / 18} + 23h + 59min,
         sys_days{2026y / 3 / 19}},
        {"month", Period::month, 0, sys_days{2026y / 3 / 31} + 23h + 59min,
         sys_days{2026y / 4 / 1}},
        {"month from the 15th", Period::month, 14, sys_days{2026y / 4 / 14} + 23h + 59min,
         sys_days{2026y / 4 / 15}},
        {"end of the year", Period::month, 0, sys_days{2026y / 12 / 31} + 23h + 59min,
         sys_days{2027y / 1 / 1}},
        {"leap day ends", Period::day, 0, sys_days{2028y / 2 / 29} + 23h + 59min,
         sys_days{2028y / 3 / 1}},
        {"February with a leap day", Period::month, 0, sys_days{2028y / 2 / 29} + 23h + 59min,
         sys_days{2028y / 3 / 1}},
        {"month from the 28th, leap year", Period::month, 27, sys_days{2028y / 3 / 27} + 23h,
         sys_days{2028y / 3 / 28}},
    };
    for (const Rollover& c : cases) {
        Scene fresh{GetParam()};
        const Terms t = quota(4, c.period, c.offset);
        fresh.set(c.last);
        EXPECT_EQ(fresh->admitted(t, 3), 3) << c.name;
        fresh.advance(5s);
        EXPECT_EQ(fresh->admitted(t, 3), 1) << c.name;
        fresh.set(c.first);
        EXPECT_EQ(fresh->admitted(t, 6), 4) << c.name;
    }
}

TEST_P(Conformance, HistoryKeepsEveryDay) {
    const Terms t = quota(100, Period::month);
    const std::int32_t first = day_at(sys_days{2026y / 3 / 10});
    for (int day = 0; day < 3; ++day) {
        scene.set(sys_days{2026y / 3 / 10} + days{day} + 1h);
        EXPECT_EQ(scene->admitted(t, 2 + day), 2 + day);
    }
    std::vector<std::int64_t> used, remaining;
    for (const DayRow& row : scene->history(first, first + 2)) {
        used.push_back(row.used);
        remaining.push_back(row.remaining);
    }
    EXPECT_EQ(used, (std::vector<std::int64_t>{2, 3, 4}));
    EXPECT_EQ(remaining, (std::vector<std::int64_t>{98, 95, 91}));
    scene.set(sys_days{2026y / 3 / 10} + days{500});
    EXPECT_EQ(scene->admitted(t, 1), 1);
    EXPECT_TRUE(scene->history(first, first + 90).empty()) << "400 days are kept";
}

// ---------------------------------------------------------------- restart, reload, threads

TEST_P(Conformance, AQuotaSurvivesARestart) {
    if (GetParam() == Kind::memory) GTEST_SKIP() << "memory forgets, as it says";
    const Terms t = quota(10);
    EXPECT_EQ(scene->admitted(t, 7), 7);
    scene.restart();
    EXPECT_EQ(scene->admitted(t, 7), 3);
    EXPECT_EQ(scene->usage(t), (std::pair<std::int64_t, std::int64_t>{10, 0}));
}

TEST_P(Conformance, AReloadKeepsWhatIsUsed) {
    Terms t = plan(0.001, 8);
    t.quota = quota(12).quota;
    EXPECT_EQ(scene->admitted(t, 10), 8);
    t.t2 = BucketShape{0.001, 10};
    EXPECT_EQ(scene->admitted(t, 10), 2);
    t.t2 = BucketShape{0.001, 100};
    EXPECT_EQ(scene->admitted(t, 10), 2) << "the quota is used up";
    t.quota->limit = 15;
    scene.advance(2s);
    EXPECT_EQ(scene->admitted(t, 10), 3);
    Terms moved = t;
    moved.key = "another";
    EXPECT_EQ(scene->admitted(moved, 20), 15);
}

TEST_P(Conformance, ThreadsNeverAdmitMoreThanTheLimit) {
    Terms t = plan(0.001, 2'000);
    t.quota = quota(1'500).quota;
    std::atomic<int> admitted{0};
    {
        std::vector<std::jthread> threads;
        for (int i = 0; i < 4; ++i) {
            threads.emplace_back([&] { admitted += scene->admitted(t, 1'000); });
        }
    }
    EXPECT_EQ(admitted + scene->admitted(t, 5), 1'500);
    EXPECT_EQ(scene->usage(t).first, 1'500);
}

TEST_P(Conformance, SeveralNodesShareOneLimitInRedis) {
    if (!is_redis()) GTEST_SKIP() << "one node only";
    Terms t = plan(0.001, 3'000);
    t.quota = quota(2'500).quota;
    const auto second = scene.make_node();
    const auto third = scene.make_node();
    std::atomic<int> admitted{0};
    {
        std::vector<std::jthread> threads;
        for (Node* node : {&scene.node(), second.get(), third.get()}) {
            for (int i = 0; i < 2; ++i)
                threads.emplace_back([&, node] { admitted += node->admitted(t, 700); });
        }
    }
    EXPECT_LE(admitted, 2'500);
    // What another node holds comes back within a lease; refusals end within a second.
    const auto end = steady_clock::now() + 20s;
    while (admitted < 2'500 && steady_clock::now() < end) {
        admitted += scene->admitted(t, 1);
    }
    EXPECT_EQ(admitted + scene->admitted(t, 5), 2'500);
}

// ---------------------------------------------------------------- addresses

TEST_P(Conformance, ManyAddressesHaveABucketEachAndBoundedMemory) {
    SourceLimits limits{.cap = 4'096, .throttle = BucketShape{0.5, 1}};
    const std::uint32_t count = is_redis() ? 3'000 : 200'000;
    std::uint32_t admitted = 0;
    for (std::uint32_t n = 0; n < count; ++n) {
        const auto byte = [&](int shift) { return static_cast<std::uint8_t>(n >> shift); };
        const auto address = IpAddress::v4({10, byte(16), byte(8), byte(0)});
        admitted += scene->admits(address, limits);
        if (n < 1'000) {
            EXPECT_FALSE(scene->admits(address, limits)) << n;
        }
        if (!is_redis() && n % 2'048 == 2'047) scene.advance(2s);  // what is full may be dropped
    }
    EXPECT_EQ(admitted, count);
    EXPECT_LE(scene->registry().sizes().sources, 4'096U);
    if (!is_redis()) return;
    // In Redis a bucket goes when it would be full again.
    const std::string key = "sluice:b:{key|anonymous|ip:10.0.0.1}";
    EXPECT_EQ(scene.redis()->ask({"EXISTS", key}), ":1\r\n");
    scene.advance(10s);
    EXPECT_EQ(scene.redis()->ask({"EXISTS", key}), ":0\r\n");
}

}  // namespace
}  // namespace sluice::state::conformance
