// SPDX-License-Identifier: Apache-2.0
#include "filters/limits.hpp"

#include <gtest/gtest.h>

#include <string>

#include "filters/registry.hpp"
#include "support/call.hpp"

namespace sluice::filters {
namespace {

using namespace std::chrono_literals;
using state::Level;
using ::test::Call;
using ::test::Site;

const std::string kApi = R"(
restApis:
  - id: a
    resources:
      /keyed: { GET: { apiKeyRequired: true, integration: { type: MOCK } } }
      /open: { GET: { integration: { type: MOCK } } }
      /other: { GET: { integration: { type: MOCK } } }
)";
const std::string kKeys = R"(
apiKeys:
  - { id: k1, value: key-1-0123456789abcdef, usagePlanIds: [plan] }
  - { id: k2, value: key-2-0123456789abcdef, usagePlanIds: [plan] }
)";
const std::string kStage = "stages: [ { restApiId: a, stageName: s } ]\n";

std::string keyed(int key = 1) {
    return "GET /s/keyed HTTP/1.1\r\nHost: h\r\nx-api-key: key-" + std::to_string(key) +
           "-0123456789abcdef\r\n\r\n";
}
std::string open(const std::string& path = "/open") {
    return "GET /s" + path + " HTTP/1.1\r\nHost: h\r\n\r\n";
}

class LimitsTest : public testing::Test {
protected:
    static std::unique_ptr<Site> site(const std::string& yaml) {
        const bool has_plans = yaml.find("usagePlans") != std::string::npos;
        return std::make_unique<Site>(kApi + yaml + (has_plans ? kKeys : ""), registry());
    }
    /// "ok", the level that refused, or "quota"; `after` the start of the test.
    std::string outcome(Site& site, const std::string& request,
                        std::chrono::milliseconds after = 0ms,
                        const std::string& peer = "192.0.2.1") {
        Call call{site, request, peer};
        call.x().started = start_ + after;
        call.x().wall = wall_;
        const Verdict verdict = call.filter();
        retry_after_ = call.x().retry_after;
        plan_ = call.x().plan_id;
        if (verdict == Verdict::pass) return "ok";
        if (call.x().reply_type == Reply::quota_exceeded) return "quota";
        EXPECT_EQ(call.x().reply_type, Reply::throttled);
        return std::string{state::to_string(*call.x().refused_by)};
    }

    const TimePoint start_ = std::chrono::steady_clock::now();
    WallTime wall_{std::chrono::sys_days{std::chrono::year{2026} / 11 / 21} + 22h};
    std::chrono::nanoseconds retry_after_{0};
    std::string plan_{};
};

TEST_F(LimitsTest, AreNotInTheChainWhereNothingLimits) {
    const auto s = site(kStage);
    Call call{*s, open()};
    EXPECT_EQ(call.filter(), Verdict::pass);
    EXPECT_EQ(call.x().filters_run, 0);
}

TEST_F(LimitsTest, ThrottleEachKeyByItsPlan) {
    const auto s = site(kStage + R"(
usagePlans:
  - { id: plan, apiStages: [ { apiId: a, stage: s } ], throttle: { rateLimit: 1, burstLimit: 2 } }
)");
    EXPECT_EQ(outcome(*s, keyed(1)), "ok");
    EXPECT_EQ(outcome(*s, keyed(1)), "ok");
    EXPECT_EQ(outcome(*s, keyed(1)), "plan");
    EXPECT_GT(retry_after_, 900ms);
    EXPECT_LE(retry_after_, 1s);
    EXPECT_EQ(outcome(*s, keyed(2)), "ok") << "another key has a bucket of its own";
    EXPECT_EQ(outcome(*s, keyed(1), 1000ms), "ok");
    EXPECT_EQ(outcome(*s, keyed(1), 1000ms), "plan");
}

TEST_F(LimitsTest, ThrottleAMethodWithinThePlanFirst) {
    const auto s = site(kStage + R"(
usagePlans:
  - id: plan
    apiStages: [ { apiId: a, stage: s, throttle: { /keyed/GET: { rateLimit: 1, burstLimit: 1 } } } ]
    throttle: { rateLimit: 1, burstLimit: 2 }
)");
    EXPECT_EQ(outcome(*s, keyed()), "ok");
    EXPECT_EQ(outcome(*s, keyed()), "plan_method");
    EXPECT_EQ(outcome(*s, keyed(), 1s), "ok") << "a refused request spent nothing of the plan";
}

TEST_F(LimitsTest, ThrottleTheMethodsOfAStageForAllCallers) {
    const auto s = site(R"(
stages:
  - restApiId: a
    stageName: s
    methodSettings: { "*/*": { throttlingRateLimit: 1, throttlingBurstLimit: 1 } }
)");
    EXPECT_EQ(outcome(*s, open()), "ok");
    EXPECT_EQ(outcome(*s, open(), 0ms, "192.0.2.2"), "stage_method");
    EXPECT_EQ(outcome(*s, open("/other")), "ok") << "each method has a bucket of its own";
}

TEST_F(LimitsTest, ThrottleTheWholeAccount) {
    const auto s = site(kStage + "server: { accountThrottle: { rateLimit: 1, burstLimit: 2 } }\n");
    EXPECT_EQ(outcome(*s, open()), "ok");
    EXPECT_EQ(outcome(*s, open("/other")), "ok");
    EXPECT_EQ(outcome(*s, open()), "account");
}

TEST_F(LimitsTest, AdmitNothingAtALimitOfZero) {
    const auto s = site(kStage + "server: { accountThrottle: { rateLimit: 0, burstLimit: 0 } }\n");
    EXPECT_EQ(outcome(*s, open()), "account");
    EXPECT_EQ(outcome(*s, open(), 10s), "account");
}

TEST_F(LimitsTest, CountTheQuotaOfEachKey) {
    const auto s = site(kStage + R"(
usagePlans:
  - { id: plan, apiStages: [ { apiId: a, stage: s } ], quota: { limit: 2, period: DAY } }
)");
    EXPECT_EQ(outcome(*s, keyed(1)), "ok");
    EXPECT_EQ(plan_, "plan");
    EXPECT_EQ(outcome(*s, keyed(1)), "ok");
    EXPECT_EQ(outcome(*s, keyed(1)), "quota");
    EXPECT_EQ(retry_after_, 2h) << "until midnight UTC";
    EXPECT_EQ(outcome(*s, keyed(2)), "ok");
    wall_ += 2h;
    EXPECT_EQ(outcome(*s, keyed(1)), "ok");
}

TEST_F(LimitsTest, CountNothingAgainstTheQuotaWhenThrottled) {
    const auto s = site(kStage + R"(
usagePlans:
  - { id: plan, apiStages: [ { apiId: a, stage: s } ], quota: { limit: 2, period: DAY },
      throttle: { rateLimit: 1, burstLimit: 1 } }
)");
    EXPECT_EQ(outcome(*s, keyed()), "ok");
    for (int i = 0; i < 5; ++i)
        EXPECT_EQ(outcome(*s, keyed()), "plan");
    EXPECT_EQ(outcome(*s, keyed(), 1s), "ok");
    EXPECT_EQ(outcome(*s, keyed(), 2s), "quota");
}

TEST_F(LimitsTest, CountKeysOfAPlanWithoutQuotaForReports) {
    const auto s = site(kStage + R"(
usagePlans: [ { id: plan, apiStages: [ { apiId: a, stage: s } ] } ]
)");
    EXPECT_EQ(outcome(*s, keyed()), "ok");
    EXPECT_EQ(outcome(*s, keyed()), "ok");
    const auto rows = s->limits.usage("plan", "k1");
    ASSERT_EQ(rows.size(), 1U);
    EXPECT_EQ(rows[0].used, 2);
}

const std::string kBySource = kStage + R"(
usagePlans:
  - id: anyone
    meterBy: sourceIp
    sourceIpPrefix: { v4: 24, v6: 64 }
    apiStages: [ { apiId: a, stage: s, throttle: { /other/GET: { rateLimit: 1, burstLimit: 1 } } } ]
    throttle: { rateLimit: 1, burstLimit: 2 }
    quota: { limit: 3, period: DAY }
  - { id: plan, apiStages: [ { apiId: a, stage: s } ] }
)";

TEST_F(LimitsTest, ThrottleCallersWithoutAKeyByTheirNetwork) {
    const auto s = site(kBySource);
    EXPECT_EQ(outcome(*s, open(), 0ms, "192.0.2.1"), "ok");
    EXPECT_EQ(plan_, "anyone");
    EXPECT_EQ(outcome(*s, open(), 0ms, "192.0.2.200"), "ok");
    EXPECT_EQ(outcome(*s, open(), 0ms, "192.0.2.3"), "source_ip");
    EXPECT_EQ(outcome(*s, open(), 0ms, "198.51.100.1"), "ok");
    EXPECT_EQ(outcome(*s, open(), 0ms, "2001:db8::1"), "ok");
}

TEST_F(LimitsTest, ThrottleAMethodByNetworkToo) {
    const auto s = site(kBySource);
    EXPECT_EQ(outcome(*s, open("/other")), "ok");
    EXPECT_EQ(outcome(*s, open("/other")), "source_ip");
    EXPECT_EQ(outcome(*s, open()), "ok") << "the refused one spent nothing of the plan";
}

TEST_F(LimitsTest, CountTheQuotaOfANetwork) {
    const auto s = site(kBySource);
    for (int i = 0; i < 3; ++i)
        EXPECT_EQ(outcome(*s, open(), 1s * i), "ok");
    EXPECT_EQ(outcome(*s, open(), 5s), "quota");
}

TEST_F(LimitsTest, DoNotMeterCallersWithAKeyByTheirAddress) {
    const auto s = site(kBySource);
    for (int i = 0; i < 10; ++i)
        EXPECT_EQ(outcome(*s, keyed()), "ok");
}

TEST_F(LimitsTest, MeterByTheAddressBehindATrustedProxy) {
    const auto s = site(kBySource);
    for (int i = 0; i < 5; ++i) {
        Call call{*s, open(), "10.0.0.1"};
        call.x().source = *IpAddress::parse("203.0.113." + std::to_string(i));
        call.x().started = start_;
        EXPECT_EQ(call.filter(), i < 2 ? Verdict::pass : Verdict::reply) << "one network";
    }
}

}  // namespace
}  // namespace sluice::filters
