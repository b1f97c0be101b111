// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <thread>
#include <vector>

#include "sluice/state/limits.hpp"

namespace sluice::state {
namespace {

using namespace std::chrono_literals;
using std::chrono::nanoseconds;

TimePoint at(double seconds) {
    return TimePoint{} + 1000h + nanoseconds{std::llround(seconds * 1e9)};
}

int take_many(TokenBucket& bucket, const BucketShape& shape, int tries, double seconds) {
    int taken = 0;
    for (int n = 0; n < tries; ++n) {
        taken += bucket.take(shape, at(seconds)) ? 1 : 0;
    }
    return taken;
}

// aws-semantics B.2
TEST(TokenBucket, StartsFullAndRefillsAtItsRate) {
    const BucketShape shape{10, 5};
    TokenBucket bucket;
    EXPECT_EQ(bucket.available(shape, at(0)), 5);
    EXPECT_EQ(take_many(bucket, shape, 20, 0), 5);
    EXPECT_EQ(take_many(bucket, shape, 20, 0.099'999'999), 0);
    EXPECT_EQ(take_many(bucket, shape, 20, 0.1), 1);
    EXPECT_EQ(take_many(bucket, shape, 20, 10), 5);
}

TEST(TokenBucket, KnowsRatesBelowOne) {
    const BucketShape shape{0.1, 1};
    TokenBucket bucket;
    EXPECT_TRUE(bucket.take(shape, at(0)));
    EXPECT_FALSE(bucket.take(shape, at(5)));
    EXPECT_EQ(bucket.shortage(shape, at(5)), 5s);
    EXPECT_TRUE(bucket.take(shape, at(10)));
}

TEST(TokenBucket, MayHoldMoreThanASecondRefills) {
    TokenBucket bucket;
    EXPECT_EQ(take_many(bucket, {10, 20}, 25, 0), 20);
}

TEST(TokenBucket, AdmitsTheBurstAndThenTheRate) {
    const BucketShape shape{500, 100};
    TokenBucket bucket;
    EXPECT_EQ(take_many(bucket, shape, 150, 0), 100);
    int spread = 0;
    for (int n = 1; n <= 500; ++n) {
        spread += take_many(bucket, shape, 1, n / 500.0);
    }
    EXPECT_EQ(spread, 500);
}

TEST(TokenBucket, OfRateZeroGivesItsBurstOnce) {
    const BucketShape shape{0, 3};
    TokenBucket bucket;
    EXPECT_EQ(bucket.available(shape, at(0)), 3);
    EXPECT_EQ(take_many(bucket, shape, 10, 0), 3);
    EXPECT_EQ(take_many(bucket, shape, 10, 1e8), 0);
    EXPECT_EQ(bucket.shortage(shape, at(1)), nanoseconds::max());
    EXPECT_EQ(bucket.available(shape, at(1)), 0);
}

TEST(TokenBucket, OfInfiniteRateRefusesOnlyWithoutBurst) {
    const double infinity = std::numeric_limits<double>::infinity();
    TokenBucket bucket;
    EXPECT_EQ(take_many(bucket, {infinity, 1}, 1000, 0), 1000);
    EXPECT_EQ(bucket.shortage({infinity, 1}, at(0)), std::nullopt);
    EXPECT_EQ(take_many(bucket, {infinity, 0}, 10, 0), 0);
    EXPECT_EQ(bucket.shortage({infinity, 0}, at(0)), nanoseconds::max());
}

TEST(TokenBucket, OfBurstZeroRefuses) {
    TokenBucket bucket;
    EXPECT_EQ(take_many(bucket, {1000, 0}, 10, 0), 0);
    EXPECT_EQ(take_many(bucket, {1000, 0}, 10, 1e6), 0);
    EXPECT_EQ(bucket.shortage({1000, 0}, at(0)), nanoseconds::max());
    EXPECT_EQ(take_many(bucket, {1000, -5}, 10, 0), 0);
    EXPECT_EQ(bucket.available({1000, 0}, at(0)), 0);
}

TEST(TokenBucket, TakesNonsenseRatesAsZero) {
    for (const double rate : {-1.0, std::nan(""), 1e-300, -0.0}) {
        TokenBucket bucket;
        EXPECT_EQ(take_many(bucket, {rate, 2}, 5, 0), 2) << rate;
        EXPECT_EQ(take_many(bucket, {rate, 2}, 5, 1e9), 0) << rate;
    }
}

TEST(TokenBucket, HoldsHugeBurstsOfSlowRates) {
    const struct {
        double rate;
        std::int64_t burst;
    } cases[] = {{0.001, 1'000'000},
                 {1e-9, 5},
                 {1e-6, 1000},
                 {1, 2'147'483'647},
                 {1e6, std::numeric_limits<std::int64_t>::max()},
                 {1e-9, std::numeric_limits<std::int64_t>::max()}};
    for (const auto& c : cases) {
        const BucketShape shape{c.rate, c.burst};
        TokenBucket bucket;
        const int tries = static_cast<int>(std::min<std::int64_t>(c.burst, 2000));
        EXPECT_EQ(take_many(bucket, shape, tries, 0), tries) << c.rate << " " << c.burst;
        if (c.burst > 2000) continue;
        EXPECT_EQ(take_many(bucket, shape, 10, 0), 0) << c.rate << " " << c.burst;
        EXPECT_EQ(take_many(bucket, shape, 10, 0.99 / c.rate), 0);
        EXPECT_EQ(take_many(bucket, shape, 1, 1.01 / c.rate), 1);
    }
}

TEST(TokenBucket, LosesUnderATenThousandthToRounding) {
    for (const double rate : {1e6, 999'983.0, 300'007.5, 7.0, 0.3}) {
        const BucketShape shape{rate, 10};
        TokenBucket bucket;
        const double seconds = 100'000 / rate;
        (void)take_many(bucket, shape, 10, 0);
        std::int64_t taken = 0;
        for (int n = 1; n <= 200'000; ++n) {
            taken += take_many(bucket, shape, 1, seconds * n / 200'000);
        }
        EXPECT_LE(taken, 100'000) << rate;
        EXPECT_GE(taken, 99'988) << rate;
    }
}

TEST(TokenBucket, RefillsNothingWhenTimeGoesBack) {
    const BucketShape shape{10, 5};
    TokenBucket bucket;
    EXPECT_EQ(take_many(bucket, shape, 5, 10), 5);
    EXPECT_EQ(take_many(bucket, shape, 5, 9), 0);
    EXPECT_EQ(take_many(bucket, shape, 5, 0), 0);
    EXPECT_EQ(take_many(bucket, shape, 5, 10.05), 0);
    EXPECT_EQ(take_many(bucket, shape, 5, 10.1), 1);
}

TEST(TokenBucket, GivesBackWhatWasTaken) {
    const BucketShape shape{1, 2};
    TokenBucket bucket;
    bucket.refund(shape);
    EXPECT_EQ(bucket.available(shape, at(0)), 2);
    EXPECT_TRUE(bucket.take(shape, at(0)));
    bucket.refund(shape);
    EXPECT_EQ(take_many(bucket, shape, 5, 0), 2);
}

TEST(TokenBucket, KeepsWhatWasConsumedWhenItsLimitChanges) {
    TokenBucket bucket;
    EXPECT_EQ(take_many(bucket, {1, 10}, 4, 0), 4);
    bucket.reshape({1, 10}, {100, 20}, at(0));
    EXPECT_EQ(bucket.available({100, 20}, at(0)), 16);
    bucket.reshape({100, 20}, {0.01, 3}, at(0));
    EXPECT_EQ(bucket.available({0.01, 3}, at(0)), 0);
    bucket.reshape({0.01, 3}, {0, 5}, at(0));
    EXPECT_EQ(bucket.available({0, 5}, at(0)), 2);  // an empty bucket of 3 owes 3
    bucket.reshape({0, 5}, {10, 5}, at(50));
    EXPECT_EQ(bucket.available({10, 5}, at(50)), 2);
    EXPECT_EQ(bucket.available({10, 5}, at(51)), 5);
    bucket.reshape({10, 5}, BucketShape::unlimited(), at(51));
    bucket.reshape(BucketShape::unlimited(), {1, 2}, at(52));
    EXPECT_EQ(bucket.available({1, 2}, at(52)), 2);
}

TEST(TokenBucket, RecoversFromARequestThatStillUsedASlowerShape) {
    const BucketShape slow{0.001, 5}, fast{100, 5};
    TokenBucket bucket;
    bucket.reshape(slow, fast, at(0));
    EXPECT_EQ(take_many(bucket, slow, 5, 0), 5);  // more than an hour of debt
    EXPECT_FALSE(bucket.take(fast, at(0.001)));
    EXPECT_TRUE(bucket.take(fast, at(0.02)));
    EXPECT_FALSE(bucket.take(fast, at(0.02)));
}

TEST(TokenBucket, NeverExceedsItsLimitOverAnyInterval) {
    std::mt19937_64 random{42};
    for (int round = 0; round < 200; ++round) {
        const double rate = std::exp(std::uniform_real_distribution{-9.0, 14.0}(random));
        const std::int64_t burst = std::uniform_int_distribution<std::int64_t>{1, 20}(random);
        const BucketShape shape{rate, burst};
        TokenBucket bucket;
        std::vector<double> taken;  // in tokens since the start: rate * t
        double now = 0;
        for (int n = 0; n < 400; ++n) {
            now += std::exponential_distribution{rate * 1.5}(random);
            const double exact = static_cast<double>(std::llround(now * 1e9)) / 1e9;
            if (bucket.take(shape, at(exact))) taken.push_back(exact * rate);
        }
        for (std::size_t i = 0; i < taken.size(); ++i) {
            for (std::size_t j = i; j < taken.size(); ++j) {
                ASSERT_LE(static_cast<double>(j - i + 1),
                          static_cast<double>(burst) + (taken[j] - taken[i]) * (1 + 1e-9) + 1e-9)
                    << rate << " " << burst;
            }
        }
    }
}

class Hammer : public testing::TestWithParam<int> {};

TEST_P(Hammer, AdmitsExactlyWhatTimeGivesInInjectedTime) {
    const BucketShape shape{1000, 50};
    TokenBucket bucket;
    std::atomic<std::int64_t> clock{0}, admitted{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < GetParam(); ++t) {
        threads.emplace_back([&] {
            for (int n = 0; n < 20'000; ++n) {
                const double now = static_cast<double>(clock.fetch_add(10'000)) / 1e9;
                admitted += bucket.take(shape, at(now)) ? 1 : 0;
            }
        });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    const double seconds = 20'000.0 * GetParam() * 10'000 / 1e9;
    EXPECT_LE(static_cast<double>(admitted), 50 + 1000 * seconds + 1e-6);
    EXPECT_GE(static_cast<double>(admitted), 50 + 1000 * seconds - 5);
}

TEST_P(Hammer, NeverAdmitsMoreInRealTime) {
    const BucketShape shape{100'000, 100};
    TokenBucket bucket;
    std::atomic<std::int64_t> admitted{0};
    const TimePoint start = std::chrono::steady_clock::now();
    std::vector<std::thread> threads;
    for (int t = 0; t < GetParam(); ++t) {
        threads.emplace_back([&] {
            for (int n = 0; n < 100'000; ++n) {
                admitted += bucket.take(shape, std::chrono::steady_clock::now()) ? 1 : 0;
            }
        });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
    EXPECT_LE(static_cast<double>(admitted), 100 + 100'000 * elapsed.count());
    EXPECT_GE(admitted, 100);
}

INSTANTIATE_TEST_SUITE_P(Threads, Hammer, testing::Values(2, 4));

}  // namespace
}  // namespace sluice::state
