// SPDX-License-Identifier: Apache-2.0
#include "sluice/telemetry/history.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <map>
#include <thread>
#include <vector>

namespace sluice::telemetry {
namespace {

using namespace std::chrono_literals;

const WallTime kStart = std::chrono::sys_days{std::chrono::year{2026} / 11 / 21} + 6h;
constexpr std::size_t kEnough = 1 << 20;

std::map<History::Minute, Totals> all(const History& history) {
    std::map<History::Minute, Totals> out;
    history.visit(
        History::Minute{}, History::Minute::max(), [](const SeriesLabels&) { return true; },
        [&](History::Minute minute, const SeriesLabels&, const Totals& t) { out[minute].add(t); });
    return out;
}

Finished took(std::chrono::nanoseconds latency, int status = 200) {
    return {.status = status, .latency = latency, .overhead = latency};
}

struct HistoryTest : testing::Test {
    void next_minute() {
        now += 1min;
        ASSERT_TRUE(history.cut(now));
        history.collect();
    }
    WallTime now = kStart + 12s;
    Metrics metrics{2};
    History history{metrics, kEnough, now};
    Series& series = metrics.series({"Shop", "prod", "", ""});
};

TEST_F(HistoryTest, KeepsMinutesApart) {
    series.count_minute(0, took(3ms));
    series.count_minute(1, took(9ms, 404));
    next_minute();
    series.count_minute(0, took(5ms, 503));
    next_minute();
    next_minute();
    const auto found = all(history);
    ASSERT_EQ(found.size(), 2u);
    const Totals& first = found.at(std::chrono::floor<std::chrono::minutes>(kStart));
    EXPECT_EQ(first.requests, 2u);
    EXPECT_EQ(first.errors_4xx, 1u);
    EXPECT_EQ(first.latency.least, 3'000'000u);
    EXPECT_EQ(first.latency.most, 9'000'000u);
    EXPECT_EQ(first.latency.sum, 12'000'000u);
    EXPECT_EQ(first.integration.count, 0u);
    const Totals& second = found.rbegin()->second;
    EXPECT_EQ(second.requests, 1u);
    EXPECT_EQ(second.errors_5xx, 1u);
    EXPECT_EQ(second.latency.least, 5'000'000u);
    EXPECT_EQ(second.latency.most, 5'000'000u);
}

TEST_F(HistoryTest, ShowsTheRunningMinuteAndOneBeingCollected) {
    series.count_minute(0, took(3ms));
    EXPECT_EQ(all(history).at(history.running()).requests, 1u);
    now += 1min;
    ASSERT_TRUE(history.cut(now));
    series.count_minute(0, took(4ms));
    const auto found = all(history);
    EXPECT_EQ(found.at(history.last_full()).latency.most, 3'000'000u);
    EXPECT_EQ(found.at(history.running()).latency.most, 4'000'000u);
    history.collect();
    EXPECT_EQ(all(history).at(history.last_full()).latency.most, 3'000'000u);
    EXPECT_EQ(all(history).at(history.running()).latency.most, 4'000'000u);
}

TEST_F(HistoryTest, CutsOncePerMinuteAndNotWhileCollecting) {
    EXPECT_FALSE(history.cut(kStart + 59s));
    EXPECT_TRUE(history.cut(kStart + 60s));
    series.count_minute(0, took(1ms));
    EXPECT_FALSE(history.cut(kStart + 120s));  // a worker hangs: the minute grows
    history.collect();
    EXPECT_TRUE(history.cut(kStart + 121s));
    history.collect();
    EXPECT_EQ(all(history).at(std::chrono::floor<std::chrono::minutes>(kStart + 60s)).requests, 1u);
}

TEST_F(HistoryTest, SurvivesAClockThatGoesBack) {
    series.count_minute(0, took(1ms));
    ASSERT_TRUE(history.cut(kStart - 1h));
    history.collect();
    series.count_minute(0, took(2ms));
    ASSERT_TRUE(history.cut(kStart));
    history.collect();
    series.count_minute(0, took(3ms));
    const auto found = all(history);
    EXPECT_EQ(found.at(std::chrono::floor<std::chrono::minutes>(kStart)).requests, 2u);
    EXPECT_EQ(found.at(std::chrono::floor<std::chrono::minutes>(kStart - 1h)).requests, 1u);
}

TEST_F(HistoryTest, ForgetsAfterADay) {
    for (int i = 0; i < 1500; ++i) {
        series.count_minute(0, took(1ms));
        next_minute();
    }
    EXPECT_EQ(history.minutes(), History::kMinutes);
    EXPECT_EQ(all(history).begin()->first, history.running() - 24h);
}

TEST_F(HistoryTest, StaysWithinItsBytes) {
    std::vector<Series*> many;
    for (int i = 0; i < 200; ++i)
        many.push_back(&metrics.series({"Api" + std::to_string(i), "prod", "", ""}));
    for (int minute = 0; minute < 100; ++minute) {
        for (Series* one : many) {
            for (int n = 0; n < 20; ++n)
                one->count_minute(0, took(std::chrono::microseconds(50 * (n + 1) * (n + 1))));
        }
        next_minute();
        ASSERT_LE(history.bytes(), kEnough);
    }
    EXPECT_GT(history.minutes(), 5u);
    EXPECT_LT(history.minutes(), 100u);
    EXPECT_EQ(all(history).rbegin()->first, history.last_full());
}

TEST(History, KeepsNothingWhenTold) {
    Metrics metrics{1};
    History history{metrics, 0, kStart};
    Series& series = metrics.series({"Shop", "prod", "", ""});
    series.count_minute(0, took(1ms));
    EXPECT_EQ(series.cells(0).minutes.load(), nullptr);
    EXPECT_FALSE(history.cut(kStart + 5min));
    EXPECT_TRUE(all(history).empty());
}

TEST(History, AsksForSeriesByTheirLabels) {
    Metrics metrics{1};
    History history{metrics, kEnough, kStart};
    metrics.series({"Shop", "prod", "", ""}).count_minute(0, took(1ms));
    metrics.series({"Shop", "test", "", ""}).count_minute(0, took(1ms));
    std::uint64_t seen = 0;
    history.visit(
        history.running(), history.running() + 1min,
        [](const SeriesLabels& l) { return l.stage == "test"; },
        [&](History::Minute, const SeriesLabels& l, const Totals& t) {
            EXPECT_EQ(l.stage, "test");
            seen += t.requests;
        });
    EXPECT_EQ(seen, 1u);
}

/// Workers count all the time; what they do between two cuts is told from outside.
TEST(History, LosesNothingBetweenMinutesAndHasTrueExtremes) {
    constexpr unsigned kWorkers = 3;
    Metrics metrics{kWorkers};
    WallTime now = kStart;
    History history{metrics, 64 << 20, now};
    Series& series = metrics.series({"Shop", "prod", "", ""});
    std::atomic<bool> done{false};
    // A worker is "outside" when it has counted its present request and begins the next.
    std::array<std::atomic<std::uint64_t>, kWorkers> passes{};
    std::vector<std::thread> workers;
    std::array<std::uint64_t, kWorkers> counted{};
    for (unsigned w = 0; w < kWorkers; ++w) {
        workers.emplace_back([&, w] {
            std::uint64_t n = 0;
            while (!done) {
                ++n;
                series.count_minute(w, took(std::chrono::nanoseconds(1000 + n)));
                ++passes[w];
                if (n % 64 == 0) std::this_thread::yield();
            }
            counted[w] = n;
        });
    }
    for (int minute = 0; minute < 40; ++minute) {
        now += 1min;
        ASSERT_TRUE(history.cut(now));
        for (auto& pass : passes) {
            const std::uint64_t seen = pass;
            while (pass < seen + 2)
                std::this_thread::yield();
        }
        history.collect();
    }
    done = true;
    for (auto& worker : workers)
        worker.join();
    ASSERT_TRUE(history.cut(now + 1min));
    history.collect();
    Totals total;
    for (const auto& [minute, t] : all(history)) {
        EXPECT_EQ(t.requests, t.latency.count);
        EXPECT_EQ(t.overhead.count, t.latency.count);
        EXPECT_LE(t.latency.least, t.latency.sum / t.latency.count);
        EXPECT_GE(t.latency.most, t.latency.sum / t.latency.count);
        total.add(t);
    }
    std::uint64_t requests = 0;
    std::uint64_t sum = 0;
    for (const std::uint64_t n : counted) {
        requests += n;
        sum += 1000 * n + n * (n + 1) / 2;
    }
    EXPECT_EQ(total.requests, requests);
    EXPECT_EQ(total.latency.sum, sum);
    EXPECT_EQ(total.latency.least, 1001u);
    EXPECT_EQ(total.latency.most, 1000 + *std::max_element(counted.begin(), counted.end()));
}

}  // namespace
}  // namespace sluice::telemetry
