// SPDX-License-Identifier: Apache-2.0
#include "sluice/telemetry/statistics.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "telemetry/packed_totals.hpp"

namespace sluice::telemetry {
namespace {

constexpr std::uint64_t kMilli = 1'000'000;

Spread spread_of(const std::vector<std::uint64_t>& values) {
    Spread spread;
    for (const std::uint64_t value : values) {
        ++spread.count;
        spread.sum += value;
        spread.least = std::min(spread.least, value);
        spread.most = std::max(spread.most, value);
        ++spread.buckets[kBuckets.bucket(value)];
    }
    return spread;
}

double value(CloudMetric metric, const char* statistic, const Totals& totals) {
    return evaluate(metric, *parse_statistic(statistic), totals).value_or(-1);
}

TEST(LatencyBuckets, PutEveryValueBetweenItsBounds) {
    std::mt19937_64 random(1);
    std::vector<std::uint64_t> values{0, 1, 2, ~std::uint64_t{0}};
    for (std::size_t i = 0; i + 1 < kFineBuckets; ++i) {
        for (const int offset : {-1, 0, 1})
            values.push_back(kBuckets.bounds[i] + static_cast<std::uint64_t>(offset));
    }
    for (int i = 0; i < 100'000; ++i)
        values.push_back(random() >> (random() % 64));
    for (const std::uint64_t v : values) {
        const std::size_t bucket = kBuckets.bucket(v);
        ASSERT_LT(bucket, kFineBuckets);
        ASSERT_LE(v, kBuckets.bounds[bucket]);
        if (bucket > 0) {
            ASSERT_GT(v, kBuckets.bounds[bucket - 1]);
        }
    }
}

TEST(LatencyBuckets, AreAThirteenthWideAtMostAndHoldEveryExportedBound) {
    std::size_t found = 0;
    for (std::size_t i = 0; i + 1 < kFineBuckets; ++i) {
        const auto bound = static_cast<double>(kBuckets.bounds[i]);
        if (i > 0) {
            EXPECT_LE(bound / static_cast<double>(kBuckets.bounds[i - 1]), 1.13);
        }
        for (const double exported : kLatencyBounds)
            found += std::abs(bound - exported * 1e9) < 1 ? 1 : 0;
    }
    EXPECT_EQ(found, kLatencyBounds.size());
}

TEST(Statistic, KnowsCloudWatchsNames) {
    EXPECT_EQ(parse_statistic("p99.9")->percent, 99.9);
    EXPECT_EQ(parse_statistic("p100")->percent, 100);
    EXPECT_EQ(parse_statistic("p0")->percent, 0);
    EXPECT_EQ(parse_statistic("Average")->kind, Statistic::Kind::average);
    for (const char* wrong : {"", "p", "p101", "p-1", "p1e1", "p1.2.3", "pnan", "average", "tm99",
                              "p99999999999999999"})
        EXPECT_FALSE(parse_statistic(wrong)) << wrong;
}

TEST(Statistic, OfErrorsIsANumberAndARate) {
    const Totals t{.requests = 200, .errors_4xx = 30, .errors_5xx = 0};
    EXPECT_EQ(value(CloudMetric::errors_4xx, "Sum", t), 30);
    EXPECT_EQ(value(CloudMetric::errors_4xx, "Average", t), 0.15);
    EXPECT_EQ(value(CloudMetric::errors_4xx, "SampleCount", t), 200);
    EXPECT_EQ(value(CloudMetric::errors_4xx, "Minimum", t), 0);
    EXPECT_EQ(value(CloudMetric::errors_4xx, "Maximum", t), 1);
    EXPECT_EQ(value(CloudMetric::errors_4xx, "p85", t), 0);
    EXPECT_EQ(value(CloudMetric::errors_4xx, "p85.1", t), 1);
    EXPECT_EQ(value(CloudMetric::errors_5xx, "Maximum", t), 0);
    EXPECT_EQ(value(CloudMetric::count, "Sum", t), 200);
    EXPECT_EQ(value(CloudMetric::count, "SampleCount", t), 200);
    for (const char* one : {"Average", "Minimum", "Maximum", "p50"})
        EXPECT_EQ(value(CloudMetric::count, one, t), 1);
}

TEST(Statistic, OfACacheIsAboutThoseWhoAskedIt) {
    const Totals t{.requests = 100, .cache_hits = 30, .cache_misses = 10};
    EXPECT_EQ(value(CloudMetric::cache_hits, "Average", t), 0.75);
    EXPECT_EQ(value(CloudMetric::cache_misses, "Average", t), 0.25);
    EXPECT_EQ(value(CloudMetric::cache_misses, "SampleCount", t), 40);
}

TEST(Statistic, OfNothingIsNothing) {
    for (std::size_t i = 0; i < kCloudMetrics; ++i)
        EXPECT_FALSE(evaluate(static_cast<CloudMetric>(i), *parse_statistic("Sum"), Totals{}));
    // Not one request reached a backend.
    const Totals refused{.requests = 3, .latency = spread_of({kMilli})};
    EXPECT_FALSE(evaluate(CloudMetric::integration_latency, *parse_statistic("p50"), refused));
}

TEST(Statistic, OfLatencyIsExactButForTheShape) {
    const Totals t{.requests = 3, .latency = spread_of({2 * kMilli, 3 * kMilli, 70'123'456})};
    EXPECT_DOUBLE_EQ(value(CloudMetric::latency, "Sum", t), 75.123456);
    EXPECT_DOUBLE_EQ(value(CloudMetric::latency, "Average", t), 25.041152);
    EXPECT_DOUBLE_EQ(value(CloudMetric::latency, "Minimum", t), 2);
    EXPECT_DOUBLE_EQ(value(CloudMetric::latency, "Maximum", t), 70.123456);
    EXPECT_DOUBLE_EQ(value(CloudMetric::latency, "p0", t), 2);
    EXPECT_DOUBLE_EQ(value(CloudMetric::latency, "p100", t), 70.123456);
}

TEST(Spread, PercentilesAreWithinATenthOfTheTruth) {
    std::mt19937_64 random(7);
    std::lognormal_distribution<double> shape(std::log(8e6), 1.1);
    std::vector<std::uint64_t> values;
    for (int i = 0; i < 200'000; ++i)
        values.push_back(static_cast<std::uint64_t>(shape(random)));
    const Spread spread = spread_of(values);
    std::sort(values.begin(), values.end());
    for (const double p : {1.0, 10.0, 50.0, 90.0, 99.0, 99.9}) {
        const auto rank = static_cast<std::size_t>(std::ceil(p / 100 * 200'000)) - 1;
        const auto truth = static_cast<double>(values[rank]);
        EXPECT_NEAR(spread.percentile(p) / truth, 1, 0.1) << p;
    }
}

TEST(Spread, OfOneValueHasItEverywhere) {
    const Spread spread = spread_of({12'345});
    for (const double p : {0.0, 50.0, 99.9, 100.0})
        EXPECT_DOUBLE_EQ(spread.percentile(p), 12'345);
}

TEST(PackedTotals, ComeBackAsTheyWere) {
    std::mt19937_64 random(3);
    for (int round = 0; round < 200; ++round) {
        Totals t{.requests = random() >> (random() % 64), .errors_5xx = random() % 300};
        std::vector<std::uint64_t> values;
        for (std::uint64_t i = random() % 50; i > 0; --i)
            values.push_back((random() >> 8) >> (random() % 50));
        t.latency = spread_of(values);
        t.overhead = spread_of({0});
        std::string packed = "before";
        pack(packed, t);
        packed += "behind";
        Totals back;
        unpack(std::string_view{packed}.substr(6), back);
        EXPECT_EQ(back.requests, t.requests);
        EXPECT_EQ(back.errors_5xx, t.errors_5xx);
        EXPECT_EQ(back.latency.count, t.latency.count);
        EXPECT_EQ(back.latency.sum, t.latency.sum);
        EXPECT_EQ(back.latency.least, t.latency.least);
        EXPECT_EQ(back.latency.most, t.latency.most);
        EXPECT_EQ(back.latency.buckets, t.latency.buckets);
        EXPECT_EQ(back.integration.count, 0u);
        EXPECT_EQ(back.overhead.count, 1u);
    }
}

}  // namespace
}  // namespace sluice::telemetry
