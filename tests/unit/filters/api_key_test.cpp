// SPDX-License-Identifier: Apache-2.0
#include "filters/api_key.hpp"

#include <gtest/gtest.h>

#include <string>

#include "filters/registry.hpp"
#include "support/call.hpp"

namespace sluice::filters {
namespace {

using ::test::Call;
using ::test::Site;

const std::string kConfig = R"(
restApis:
  - id: a
    resources:
      /x: { GET: { apiKeyRequired: true, integration: { type: MOCK } } }
      /open: { GET: { integration: { type: MOCK } } }
stages: [ { restApiId: a, stageName: s }, { restApiId: a, stageName: other } ]
usagePlans:
  - { id: elsewhere, apiStages: [ { apiId: a, stage: other } ] }
  - { id: here, apiStages: [ { apiId: a, stage: s } ] }
apiKeys:
  - { id: good, value: good-key-0123456789abc, usagePlanIds: [elsewhere, here] }
  - { id: wrong-stage, value: else-key-0123456789abc, usagePlanIds: [elsewhere] }
  - { id: no-plan, value: free-key-0123456789abc }
  - { id: disabled, value: dead-key-0123456789abc, enabled: false, usagePlanIds: [here] }
)";

class ApiKeyTest : public testing::Test {
protected:
    static std::string get(const std::string& fields, const std::string& path = "/s/x") {
        return "GET " + path + " HTTP/1.1\r\nHost: h\r\n" + fields + "\r\n";
    }
    /// The id of the key and of its plan, or the reply.
    std::string outcome(Site& site, const std::string& fields) {
        Call call{site, get(fields)};
        if (call.filter() == Verdict::pass) {
            return call.x().plan_use->key_id() + ' ' + std::string{call.x().plan_id};
        }
        EXPECT_EQ(call.x().plan_use, nullptr);
        EXPECT_EQ(call.x().reply_type, Reply::invalid_api_key);
        return "refused";
    }
    Site standard_{kConfig, registry()};
    Site aws_{"compatibility: aws\n" + kConfig, registry()};
};

TEST_F(ApiKeyTest, FindsTheCallerAndThePlanThatCoversTheStage) {
    EXPECT_EQ(outcome(standard_, "X-API-Key: good-key-0123456789abc\r\n"), "good here");
}

TEST_F(ApiKeyTest, RefusesEveryKeyThatDoesNotReachThisStage) {
    EXPECT_EQ(outcome(standard_, ""), "refused");
    EXPECT_EQ(outcome(standard_, "x-api-key: \r\n"), "refused");
    EXPECT_EQ(outcome(standard_, "x-api-key: unknown-key-0123456789\r\n"), "refused");
    EXPECT_EQ(outcome(standard_, "x-api-key: else-key-0123456789abc\r\n"), "refused");
    EXPECT_EQ(outcome(standard_, "x-api-key: free-key-0123456789abc\r\n"), "refused");
    EXPECT_EQ(outcome(standard_, "x-api-key: dead-key-0123456789abc\r\n"), "refused");
    EXPECT_EQ(outcome(standard_, "x-api-key: GOOD-KEY-0123456789ABC\r\n"), "refused");
    EXPECT_EQ(outcome(standard_, "x-api-key: " + std::string(5000, 'k') + "\r\n"), "refused");
}

/// Contract 9.
TEST_F(ApiKeyTest, TakesTheLastOfSeveralFieldsInAwsOnly) {
    const std::string two = "x-api-key: unknown\r\nx-api-key: good-key-0123456789abc\r\n";
    EXPECT_EQ(outcome(standard_, two), "refused");
    EXPECT_EQ(outcome(aws_, two), "good here");
    EXPECT_EQ(outcome(aws_, "x-api-key: good-key-0123456789abc\r\nx-api-key: no\r\n"), "refused");
}

TEST_F(ApiKeyTest, IgnoresKeysWhereNoneIsRequired) {
    Call call{standard_, get("x-api-key: dead-key-0123456789abc\r\n", "/s/open")};
    EXPECT_EQ(call.filter(), Verdict::pass);
    EXPECT_EQ(call.x().plan_use, nullptr);
}

}  // namespace
}  // namespace sluice::filters
