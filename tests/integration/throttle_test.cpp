// SPDX-License-Identifier: Apache-2.0
//
// Limits as clients see them. The sequences of aws-semantics B.2 with their exact times are unit
// tests of the bucket; here it is the number of admitted requests that counts.
#include <gtest/gtest.h>

#include <cmath>

#include "support/load.hpp"
#include "support/proxied.hpp"

namespace test {
namespace {

using namespace std::string_literals;

std::string limited(const std::string& stage_settings, const std::string& plan,
                    const std::string& stage_of_plan = "") {
    return R"(
restApis:
  - id: api
    name: Api
    resources:
      /a: { GET: { apiKeyRequired: true, integration: { type: MOCK, body: "a" } } }
      /b: { GET: { apiKeyRequired: true, integration: { type: MOCK, body: "b" } } }
      /open: { GET: { integration: { type: MOCK, body: "open" } } }
stages:
  - { restApiId: api, stageName: s, methodSettings: { )" +
           stage_settings + R"( } }
  - { restApiId: api, stageName: t }
usagePlans:
  - id: plan
    apiStages: [ { apiId: api, stage: s )" +
           stage_of_plan + R"( }, { apiId: api, stage: t } ]
    )" + plan +
           R"(
apiKeys: [ { id: k, name: k, value: throttle-key-0123456789, enabled: true, usagePlanIds: [plan] },
           { id: l, name: l, value: throttle-key-9876543210, enabled: true, usagePlanIds: [plan] } ]
)";
}

const Headers kKey = key("throttle-key-0123456789");

int admitted(Gateway& gateway, const std::string& target, int requests,
             const Headers& headers = kKey) {
    Client client = gateway.client();
    int passed = 0;
    for (int i = 0; i < requests; ++i)
        passed += client.get(target, headers).status == 200;
    return passed;
}

TEST(Throttle, RefusalLooksLikeTheReference) {
    Gateway gateway{limited("", "throttle: { rateLimit: 0.1, burstLimit: 1 }")};
    EXPECT_EQ(gateway.get("/s/a", kKey).status, 200);
    const Response r = gateway.get("/s/a", kKey);
    EXPECT_EQ(r.status, 429);
    EXPECT_EQ(r.body, R"({"message":"Too Many Requests"})");
    EXPECT_EQ(r.header("x-amzn-ErrorType"), "TooManyRequestsException");
    const int wait = std::stoi(r.header("Retry-After"));
    EXPECT_GE(wait, 9);
    EXPECT_LE(wait, 10);
}

TEST(Throttle, AwsSaysNothingAboutWhen) {
    Gateway gateway{"compatibility: aws\n" +
                    limited("", "throttle: { rateLimit: 0.1, burstLimit: 1 }")};
    EXPECT_EQ(admitted(gateway, "/s/a", 2), 1);
    EXPECT_FALSE(gateway.get("/s/a", kKey).headers.has("Retry-After"));
}

TEST(Throttle, LowestLevelGovernsAndRefusalsSpendNothing) {
    // T1 1/1, T2 0/10 and T3 0/5 on /a: nine refusals at T1 must leave T2 nine and T3 four.
    Gateway gateway{limited(R"("a/GET": { throttlingRateLimit: 0.001, throttlingBurstLimit: 5 })",
                            "throttle: { rateLimit: 0.001, burstLimit: 10 }",
                            R"(, throttle: { "/a/GET": { rateLimit: 0.001, burstLimit: 1 } })")};
    EXPECT_EQ(admitted(gateway, "/s/a", 10), 1);
    EXPECT_EQ(admitted(gateway, "/t/a", 20), 9);
    const Metrics metrics = gateway.metrics();
    EXPECT_EQ(metrics.sum("sluice_throttled_total", {{"level", "plan_method"}}), 9);
    EXPECT_EQ(metrics.sum("sluice_throttled_total", {{"level", "plan"}}), 11);
    EXPECT_EQ(metrics.sum("sluice_throttled_total"), 20);
}

TEST(Throttle, PlanBucketIsSharedByItsStagesAndOwnedByEachKey) {
    Gateway gateway{limited("", "throttle: { rateLimit: 0.001, burstLimit: 10 }")};
    EXPECT_EQ(admitted(gateway, "/s/a", 6) + admitted(gateway, "/t/b", 6), 10);
    EXPECT_EQ(admitted(gateway, "/s/a", 12, key("throttle-key-9876543210")), 10);
}

TEST(Throttle, StageDefaultIsABucketPerMethod) {
    Gateway gateway{
        limited(R"("*/*": { throttlingRateLimit: 0.001, throttlingBurstLimit: 5 })", "")};
    EXPECT_EQ(admitted(gateway, "/s/a", 8), 5);
    EXPECT_EQ(admitted(gateway, "/s/b", 8), 5);
    EXPECT_EQ(admitted(gateway, "/s/open", 8, {}), 5);
    EXPECT_EQ(admitted(gateway, "/t/open", 8, {}), 8);
}

TEST(Throttle, AccountLimitCoversEverything) {
    Gateway gateway{
        limited("", "") +
        "server: { workers: 1, accountThrottle: { rateLimit: 0.001, burstLimit: 6 } }\n"};
    EXPECT_EQ(admitted(gateway, "/s/a", 4) + admitted(gateway, "/t/open", 4, {}), 6);
    EXPECT_EQ(gateway.metrics().sum("sluice_throttled_total", {{"level", "account"}}), 2);
}

TEST(Throttle, ZeroAdmitsNothing) {
    Gateway gateway{limited(R"("a/GET": { throttlingRateLimit: 0, throttlingBurstLimit: 0 })", "")};
    EXPECT_EQ(admitted(gateway, "/s/a", 3), 0);
    EXPECT_EQ(admitted(gateway, "/s/b", 3), 3);
}

TEST(Throttle, ReloadForgivesNothing) {
    const std::string yaml = limited("", "throttle: { rateLimit: 0.001, burstLimit: 5 }");
    Gateway gateway{yaml};
    EXPECT_EQ(admitted(gateway, "/s/a", 8), 5);
    ASSERT_EQ(gateway.reload().status, 200);
    EXPECT_EQ(admitted(gateway, "/s/a", 8), 0);
}

class ExactThrottle : public testing::TestWithParam<int> {};

// Contract 4: at most burst + rate * t in any interval, and all of it is used.
TEST_P(ExactThrottle, HoldsUnder64Connections) {
    constexpr double kRate = 1000;
    constexpr double kBurst = 50;
    Gateway gateway{limited(R"("*/*": { throttlingRateLimit: 1000, throttlingBurstLimit: 50 })",
                            "throttle: { rateLimit: 1000, burstLimit: 50 }",
                            R"(, throttle: { "/a/GET": { rateLimit: 1000, burstLimit: 50 } })"),
                    {},
                    {.workers = GetParam()}};
    const LoadResult load = run_load({.port = gateway.port(),
                                      .target = "/s/a",
                                      .headers = kKey,
                                      .connections = 64,
                                      .duration = 3s});
    EXPECT_EQ(load.failed, 0) << load.first_failure;
    const double most = kBurst + kRate * load.took.count();
    const auto passed = static_cast<double>(load.count(200));
    EXPECT_LE(passed, std::floor(most));
    EXPECT_TRUE(kSanitized || passed >= 0.99 * (kBurst + kRate * load.inner.count())) << passed;
    EXPECT_GT(load.count(429), 0);
    EXPECT_EQ(load.count(200) + load.count(429), load.answers());

    const Metrics metrics = gateway.metrics();
    const auto answers = static_cast<double>(load.answers());
    EXPECT_EQ(metrics.sum("sluice_requests_total", {{"api", "Api"}}), answers);
    EXPECT_EQ(metrics.sum("sluice_4xx_errors_total"), static_cast<double>(load.count(429)));
    EXPECT_EQ(metrics.sum("sluice_throttled_total"), static_cast<double>(load.count(429)));
    EXPECT_EQ(metrics.sum("sluice_responses_total", {{"code", "200"}}), passed);
    EXPECT_EQ(metrics.sum("sluice_latency_seconds_count"), answers);
}

INSTANTIATE_TEST_SUITE_P(Workers, ExactThrottle, testing::Values(1, 2));

}  // namespace
}  // namespace test
