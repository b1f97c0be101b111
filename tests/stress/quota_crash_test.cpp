// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

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

}  // namespace
}  // namespace test
