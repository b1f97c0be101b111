// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <random>
#include <thread>

#include "support/load.hpp"
#include "support/proxied.hpp"

namespace test {
namespace {

constexpr int kLimit = 10'000;
constexpr int kRate = 4'000;  // per second, so that "one second of counting" is a number

const std::string kYaml = R"(
restApis: [ { id: api, resources: { /a: { GET: { apiKeyRequired: true, integration: { type: MOCK, body: "a" } } } } } ]
stages: [ { restApiId: api, stageName: s } ]
usagePlans:
  - id: plan
    apiStages: [ { apiId: api, stage: s } ]
    throttle: { rateLimit: )" +
                          std::to_string(kRate) + R"(, burstLimit: 100 }
    quota: { limit: )" + std::to_string(kLimit) +
                          R"(, period: MONTH }
apiKeys: [ { id: k, name: k, value: crash-key-0123456789abc, enabled: true, usagePlanIds: [plan] } ]
state: { store: sqlite, path: state.db }
)";

const Headers kKey = key("crash-key-0123456789abc");

// Contract: kill -9 loses at most one second of counting, and a counter never goes below what
// was stored.
TEST(QuotaCrash, Kill9LosesAtMostOneSecond) {
    auto directory = std::make_shared<TempDir>();
    std::int64_t admitted = 0;
    for (int crash = 0; crash < 3; ++crash) {
        Gateway gateway{kYaml, {}, {.workers = 2, .directory = directory}};
        std::atomic<bool> stop{false};
        LoadResult load;
        std::jthread loader{[&] {
            load = run_load({.port = gateway.port(),
                             .target = "/s/a",
                             .headers = kKey,
                             .connections = 32,
                             .stop = &stop});
        }};
        const double before = gateway.scrape().sum("sluice_responses_total", {{"code", "200"}});
        ASSERT_TRUE(eventually([&] {
            return gateway.scrape().sum("sluice_responses_total", {{"code", "200"}}) >
                   before + 1'500;
        }));
        gateway.kill9();
        stop = true;
        loader.join();
        admitted += load.count(200);
    }
    Gateway gateway{kYaml, {}, {.workers = 2, .directory = directory}};
    const auto first = gateway.admin("/usage?usagePlanId=plan&keyId=k").json();
    const auto stored = first["values"]["k"].back()[0].get<std::int64_t>();
    EXPECT_GE(stored, 0);
    EXPECT_LE(stored, admitted + 3 * 32) << "answers that the crash cut off were counted";
    EXPECT_GE(stored, admitted - 3 * (kRate + 100)) << "three crashes, a second each";
    for (bool open = true; open;) {
        const LoadResult rest = run_load({.port = gateway.port(),
                                          .target = "/s/a",
                                          .headers = kKey,
                                          .connections = 32,
                                          .duration = 500ms});
        EXPECT_EQ(rest.failed, 0) << rest.first_failure;
        admitted += rest.count(200);
        open = rest.count(200) > 0;
    }
    EXPECT_LE(admitted, kLimit + 3 * (kRate + 100));
    const auto last = gateway.admin("/usage?usagePlanId=plan&keyId=k").json();
    EXPECT_EQ(last["values"]["k"].back(), (std::vector<int>{kLimit, 0})) << last;
}

/// SLUICE_CRASHES=200 for the long run; a few for every day.
int crashes() {
    const char* wanted = std::getenv("SLUICE_CRASHES");
    return wanted == nullptr ? 8 : std::max(1, std::atoi(wanted));
}

// Killed again and again at random moments, at work and while it starts: the file is never
// damaged, a count never goes back, and what was admitted beyond the quota is what the crashes
// may forget.
TEST(QuotaCrash, AnyNumberOfCrashesAtRandomMoments) {
    // A key of its own plan, so slow that the quota outlasts the crashes.
    constexpr int kSlowRate = 500;
    const int count = crashes();
    const std::int64_t limit = std::int64_t{count} * 60;
    std::string yaml = kYaml;
    const auto replace = [&](const std::string& from, const std::string& to) {
        yaml.replace(yaml.find(from), from.size(), to);
    };
    replace("rateLimit: " + std::to_string(kRate), "rateLimit: " + std::to_string(kSlowRate));
    replace("limit: " + std::to_string(kLimit), "limit: " + std::to_string(limit));
    const auto directory = std::make_shared<TempDir>();
    std::mt19937 random{20'260'801};
    std::int64_t admitted = 0;
    std::int64_t stored = 0;
    for (int crash = 0; crash < count; ++crash) {
        Gateway gateway{yaml, {}, {.workers = 1, .directory = directory}};
        EXPECT_EQ(gateway.log().find("damaged"), std::string::npos) << gateway.log();
        const auto usage = gateway.admin("/usage?usagePlanId=plan&keyId=k").json();
        const auto now = usage["values"]["k"].back()[0].get<std::int64_t>();
        EXPECT_GE(now, stored) << "crash " << crash;
        EXPECT_LE(now, admitted + std::int64_t{16} * crash) << "crash " << crash;
        stored = now;
        std::atomic<bool> stop{false};
        LoadResult load;
        std::jthread loader{[&] {
            load = run_load({.port = gateway.port(),
                             .target = "/s/a",
                             .headers = kKey,
                             .connections = 16,
                             .stop = &stop});
        }};
        // The moment is what is random here; nothing is waited for.
        std::this_thread::sleep_for(std::chrono::milliseconds{random() % 400});
        gateway.kill9();
        stop = true;
        loader.join();
        admitted += load.count(200);
    }
    // A crash forgets a second at most, and no run lasted longer than 0.4 s: a burst and that.
    const std::int64_t forgotten = std::int64_t{count} * (100 + kSlowRate * 2 / 5 + 16);
    EXPECT_LE(admitted, limit + forgotten);
    Gateway gateway{yaml, {}, {.workers = 1, .directory = directory}};
    EXPECT_EQ(gateway.log().find("damaged"), std::string::npos);
    for (bool open = true; open;) {
        const LoadResult rest = run_load({.port = gateway.port(),
                                          .target = "/s/a",
                                          .headers = kKey,
                                          .connections = 16,
                                          .duration = 500ms});
        admitted += rest.count(200);
        open = rest.count(200) > 0;
    }
    EXPECT_LE(admitted, limit + forgotten);
    const auto last = gateway.admin("/usage?usagePlanId=plan&keyId=k").json();
    EXPECT_EQ(last["values"]["k"].back()[1], 0) << last;
    std::printf("    %d crashes: quota %lld, admitted %lld, bound %lld\n", count,
                static_cast<long long>(limit), static_cast<long long>(admitted),
                static_cast<long long>(limit + forgotten));
}

}  // namespace
}  // namespace test
