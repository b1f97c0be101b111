// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "support/load.hpp"
#include "support/proxied.hpp"

namespace test {
namespace {

std::string with_quota(int limit, const std::string& store) {
    return R"(
restApis:
  - id: api
    resources:
      /a: { GET: { apiKeyRequired: true, integration: { type: MOCK, body: "a" } } }
      /open: { GET: { integration: { type: MOCK, body: "open" } } }
stages: [ { restApiId: api, stageName: s }, { restApiId: api, stageName: t } ]
usagePlans:
  - id: plan
    apiStages: [ { apiId: api, stage: s }, { apiId: api, stage: t } ]
    throttle: { rateLimit: 1000000, burstLimit: 1000000 }
    quota: { limit: )" +
           std::to_string(limit) + R"(, period: MONTH }
apiKeys: [ { id: k, name: k, value: quota-key-0123456789abc, enabled: true, usagePlanIds: [plan] } ]
state: )" + store +
           "\n";
}

const std::string kMemory = "{ store: memory }";
const std::string kSqlite = "{ store: sqlite, path: state.db }";
const Headers kKey = key("quota-key-0123456789abc");

int admitted(Gateway& gateway, int requests, const std::string& target = "/s/a") {
    Client client = gateway.client();
    int passed = 0;
    for (int i = 0; i < requests; ++i)
        passed += client.get(target, kKey).status == 200;
    return passed;
}

TEST(Quota, RefusalLooksLikeTheReference) {
    Gateway gateway{with_quota(1, kMemory)};
    EXPECT_EQ(gateway.get("/s/a", kKey).status, 200);
    const Response r = gateway.get("/s/a", kKey);
    EXPECT_EQ(r.status, 429);
    EXPECT_EQ(r.body, R"({"message":"Limit Exceeded"})");
    EXPECT_EQ(r.header("x-amzn-ErrorType"), "LimitExceededException");
    EXPECT_EQ(gateway.metrics().sum("sluice_quota_exceeded_total"), 1);
    EXPECT_EQ(gateway.metrics().sum("sluice_throttled_total"), 0);
}

TEST(Quota, CountsOverAllStagesOfThePlanAndOnlyKeyedMethods) {
    Gateway gateway{with_quota(5, kMemory)};
    EXPECT_EQ(gateway.get("/s/open", kKey).status, 200);
    EXPECT_EQ(gateway.get("/s/a", key("wrong-key-0123456789abcdef")).status, 403);
    EXPECT_EQ(admitted(gateway, 3, "/s/a") + admitted(gateway, 3, "/t/a"), 5);
    EXPECT_EQ(gateway.get("/s/open", kKey).status, 200);
}

TEST(Quota, IsShownByTheAdminListener) {
    Gateway gateway{with_quota(5, kMemory)};
    admitted(gateway, 3);
    const auto usage = gateway.admin("/usage?usagePlanId=plan&keyId=k").json();
    EXPECT_EQ(usage["usagePlanId"], "plan");
    EXPECT_EQ(usage["values"]["k"].back(), (std::vector<int>{3, 2})) << usage;
    const Finished shown =
        sluice({"usage", "--admin", "http://127.0.0.1:" + std::to_string(gateway.admin_port()),
                "--plan", "plan"});
    EXPECT_EQ(shown.status, 0) << shown.errors;
    EXPECT_NE(shown.out.find('3'), std::string::npos);
}

TEST(Quota, SurvivesReload) {
    const std::string yaml = with_quota(5, kMemory);
    Gateway gateway{yaml};
    EXPECT_EQ(admitted(gateway, 3), 3);
    ASSERT_EQ(gateway.reload().status, 200);
    EXPECT_EQ(admitted(gateway, 5), 2);
}

TEST(Quota, SurvivesRestart) {
    auto directory = std::make_shared<TempDir>();
    {
        Gateway gateway{with_quota(10, kSqlite), {}, {.directory = directory}};
        EXPECT_EQ(admitted(gateway, 7), 7);
    }
    Gateway gateway{with_quota(10, kSqlite), {}, {.directory = directory}};
    EXPECT_EQ(admitted(gateway, 10), 3) << "a graceful stop loses nothing";
}

class ExactQuota : public testing::TestWithParam<int> {};

TEST_P(ExactQuota, AdmitsExactlyItsLimitUnder64Connections) {
    constexpr int kLimit = 10'000;
    Gateway gateway{with_quota(kLimit, kSqlite), {}, {.workers = GetParam()}};
    const LoadResult load = run_load({.port = gateway.port(),
                                      .target = "/s/a",
                                      .headers = kKey,
                                      .connections = 64,
                                      .requests = kLimit + 2'000});
    EXPECT_EQ(load.failed, 0) << load.first_failure;
    EXPECT_EQ(load.count(200), kLimit);
    EXPECT_EQ(load.count(429), 2'000);
    const auto usage = gateway.admin("/usage?usagePlanId=plan&keyId=k").json();
    EXPECT_EQ(usage["values"]["k"].back(), (std::vector<int>{kLimit, 0})) << usage;
}

INSTANTIATE_TEST_SUITE_P(Workers, ExactQuota, testing::Values(1, 2));

}  // namespace
}  // namespace test
