// SPDX-License-Identifier: Apache-2.0
#include "state/bucket_leases.hpp"

#include <gtest/gtest.h>

#include "state/local_share.hpp"

namespace sluice::state {
namespace {

using namespace std::chrono_literals;

/// Grants up to what it has and keeps every question.
class FakeSource final : public LeaseSource {
public:
    void ask(BucketAsk ask, std::function<void(const BucketAnswer&)> done) override {
        asks.push_back(ask);
        BucketAnswer answer;
        if (is_away) return done(answer);
        answer.reach = StoreReach::reached;
        answer.granted = std::min(ask.want, tokens);
        tokens += ask.back - answer.granted;
        answer.retry = tokens > 0 ? 0ns : retry;
        answer.available = static_cast<double>(tokens);
        done(answer);
    }
    void ask(QuotaAsk, std::function<void(const QuotaAnswer&)> done) override { done({}); }
    std::int64_t nodes() const override { return node_count; }
    WallTime wall(TimePoint) const override { return {}; }

    std::vector<BucketAsk> asks{};
    std::int64_t tokens = 1'000'000;
    std::int64_t node_count = 1;
    std::chrono::nanoseconds retry = 10s;
    bool is_away = false;
};

struct Waiter final : LeaseWaiter {
    int answers = 0;
    Outcome outcome{};
    void resolved(Outcome o) noexcept override {
        ++answers;
        outcome = o;
    }
};

class BucketLeasesTest : public testing::Test {
protected:
    std::shared_ptr<Waiter> ask(BucketLeases& leases, TimePoint at) {
        auto waiter = std::make_shared<Waiter>();
        leases.ask({"b", &bucket, shape, {}}, std::make_shared<PendingAsk>(waiter), at);
        return waiter;
    }
    TokenBucket bucket{};
    BucketShape shape = BucketShape{1'000, 500}.leased();
    FakeSource source{};
    TimePoint now = std::chrono::steady_clock::now();
};

TEST_F(BucketLeasesTest, TheFirstRequestAsksForOneToken) {
    BucketLeases leases{source, {}};
    EXPECT_TRUE(bucket.needs_grant(now));
    const auto waiter = ask(leases, now);
    EXPECT_EQ(waiter->answers, 1);
    EXPECT_EQ(waiter->outcome, LeaseWaiter::Outcome::answered);
    EXPECT_EQ(source.asks.size(), 1U);
    EXPECT_EQ(source.asks[0].want, 1);
    EXPECT_EQ(bucket.stock(), 1);
    EXPECT_TRUE(bucket.take(shape, now));
    EXPECT_FALSE(bucket.take(shape, now));
}

TEST_F(BucketLeasesTest, ANodeHoldsAtMostItsPartOfOneLease) {
    for (const std::int64_t nodes : {1, 4}) {
        BucketLeases leases{source, {}};
        source.node_count = nodes;
        now = std::chrono::steady_clock::now();  // answers are dated by the real clock
        std::int64_t most = 0;
        for (int i = 0; i < 400; ++i) {  // spends all it is given, ten times the limit
            now += 1ms;
            for (int n = 0; n < 10; ++n) {
                if (!bucket.take(shape, now)) (void)ask(leases, now);
            }
            most = std::max(most, bucket.stock());
            (void)leases.look(now);
        }
        EXPECT_GT(most, 100 / nodes / 4);
        EXPECT_LE(most, 100 / nodes + 1) << "1,000 a second for 100 ms, and who waits";
        leases.close(now);
        EXPECT_EQ(bucket.stock(), 0);
    }
}

TEST_F(BucketLeasesTest, WhatIsNotSpentGoesBack) {
    BucketLeases leases{source, {}};
    const std::int64_t before = source.tokens;
    for (int i = 0; i < 100; ++i) {
        now += 1ms;
        if (!bucket.take(shape, now)) (void)ask(leases, now);
        (void)leases.look(now);
    }
    EXPECT_GT(bucket.stock(), 0);
    for (int i = 0; i < 20; ++i)
        (void)leases.look(now += 25ms);
    EXPECT_EQ(bucket.stock(), 0);
    EXPECT_EQ(leases.size(), 0U);
    EXPECT_LT(source.tokens, before);
    std::int64_t granted = 0;
    std::int64_t back = 0;
    for (const BucketAsk& ask : source.asks)
        back += ask.back;
    granted = static_cast<std::int64_t>(leases.tokens());
    EXPECT_EQ(before - source.tokens, granted - back) << "nothing is lost and nothing made";
}

TEST_F(BucketLeasesTest, ARefusalIsRememberedWithItsTime) {
    BucketLeases leases{source, {}};
    source.tokens = 0;
    (void)ask(leases, now);
    const TimePoint later = std::chrono::steady_clock::now();
    EXPECT_FALSE(bucket.needs_grant(later));
    const auto wait = bucket.shortage(shape, later);
    ASSERT_TRUE(wait);
    EXPECT_GT(*wait, 9s);
    EXPECT_LE(*wait, 10s + 1us) << "kept in microseconds";
    EXPECT_TRUE(bucket.needs_grant(later + 11s));
    (void)ask(leases, later);
    EXPECT_EQ(source.asks.size(), 1U) << "answered without a question";
    bucket.reshape(shape, BucketShape{2'000, 500}.leased(), later);
    EXPECT_TRUE(bucket.needs_grant(later)) << "another limit, another answer";
}

TEST_F(BucketLeasesTest, AwayAsConfigured) {
    source.is_away = true;
    source.node_count = 5;
    {
        BucketLeases leases{source, {.away = AwayMode::closed}};
        EXPECT_EQ(ask(leases, now)->outcome, LeaseWaiter::Outcome::unavailable);
        EXPECT_EQ(bucket.stock(), 0);
    }
    {
        BucketLeases leases{source, {.away = AwayMode::open}};
        for (int i = 0; i < 1'000; ++i) {
            (void)ask(leases, now);
            EXPECT_TRUE(bucket.take(shape, now));
        }
        source.is_away = false;
        (void)ask(leases, now);
        EXPECT_LE(source.asks.back().back, -1'000) << "counted later";
        (void)bucket.withdraw(1'000);
        source.is_away = true;
    }
    BucketLeases leases{source, {.away = AwayMode::local}};
    int admitted = 0;
    for (int i = 0; i < 1'000; ++i) {
        if (bucket.needs_grant(now)) (void)ask(leases, now);
        admitted += bucket.take(shape, now);
    }
    EXPECT_EQ(admitted, 100) << "a fifth of the burst";
}

TEST(LocalShare, IsAPartOfRateAndBurstAndAtLeastOne) {
    LocalShare share;
    const BucketShape shape{30, 60};
    TimePoint now = std::chrono::steady_clock::now();
    EXPECT_EQ(share.take("b", shape, 3, -1, 100, now).tokens, 20);
    const auto refused = share.take("b", shape, 3, -1, 1, now);
    EXPECT_EQ(refused.tokens, 0);
    EXPECT_NEAR(static_cast<double>(refused.retry.count()), 1e8, 1e6);
    EXPECT_EQ(share.take("b", shape, 3, -1, 100, now + 1s).tokens, 10);
    EXPECT_EQ(share.take("one", BucketShape{1, 1}, 10, -1, 5, now).tokens, 1);
    EXPECT_EQ(share.take("known", shape, 3, 30, 100, now).tokens, 10) << "a third of what was left";
    EXPECT_EQ(share.take("empty", shape, 3, 0, 100, now).tokens, 0);
    share.give_back("b", 5);
    EXPECT_EQ(share.take("b", shape, 3, -1, 100, now + 1s).tokens, 5);
    (void)share.take("late", shape, 3, -1, 1, now + 1h);
    EXPECT_EQ(share.size(), 1U) << "full ones are forgotten";
}

}  // namespace
}  // namespace sluice::state
