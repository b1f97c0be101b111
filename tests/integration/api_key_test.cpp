// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "support/proxied.hpp"

namespace test {
namespace {

constexpr const char* kKeys = R"(
restApis:
  - id: api
    resources:
      /open:   { GET: { integration: { type: HTTP_PROXY, uri: "http://origin/open" } } }
      /closed: { GET: { apiKeyRequired: true, integration: { type: HTTP_PROXY, uri: "http://origin/closed" } } }
stages: [ { restApiId: api, stageName: s }, { restApiId: api, stageName: other } ]
usagePlans: [ { id: plan, name: plan, apiStages: [ { apiId: api, stage: s } ] } ]
apiKeys:
  - { id: k1, name: good, value: good-key-0123456789abcdef, enabled: true, usagePlanIds: [plan] }
  - { id: k2, name: off, value: disabled-key-0123456789abc, enabled: false, usagePlanIds: [plan] }
  - { id: k3, name: loose, value: planless-key-0123456789abc, enabled: true }
  - { id: k4, name: env, value: "${SECRET}", enabled: true, usagePlanIds: [plan] }
backends: [ { name: origin, targets: [ { url: "${ORIGIN}" } ] } ]
)";

class ApiKeys : public testing::Test {
protected:
    static constexpr const char* kGood = "good-key-0123456789abcdef";
    Proxied p{echo, more(), kKeys, {.environment = {{"SECRET", "from-the-environment-01234"}}}};
    virtual std::string more() const { return ""; }
    void expect_forbidden(const Headers& headers, const std::string& target = "/s/closed") {
        const Response r = p.gateway.get(target, headers);
        EXPECT_EQ(r.status, 403);
        EXPECT_EQ(r.body, R"({"message":"Forbidden"})");
        EXPECT_EQ(r.header("x-amzn-ErrorType"), "ForbiddenException");
        EXPECT_EQ(r.header("Content-Length"), "23");
    }
};

TEST_F(ApiKeys, GoodKeyPassesInAnySpellingOfTheHeaderName) {
    for (const char* name : {"x-api-key", "X-API-KEY", "X-Api-Key"})
        EXPECT_EQ(p.gateway.get("/s/closed", {{name, kGood}}).status, 200);
    EXPECT_EQ(p.gateway.get("/s/closed", key("from-the-environment-01234")).status, 200);
    EXPECT_EQ(p.origin.last().header("x-api-key"), "from-the-environment-01234");
}

TEST_F(ApiKeys, EveryWrongKeyIsForbiddenWithoutABackendCall) {
    expect_forbidden({});
    for (const char* value : {"", "unknown-key-0123456789abcdef", "disabled-key-0123456789abc",
                              "planless-key-0123456789abc", "GOOD-KEY-0123456789ABCDEF",
                              "good-key-0123456789abcde", "good-key-0123456789abcdefg",
                              "good-key-0123456789abcdef,x", "\"good-key-0123456789abcdef\"", "k1"})
        expect_forbidden(key(value));
    expect_forbidden(key(std::string(5000, 'k')));
    expect_forbidden(key(kGood), "/other/closed");
    expect_forbidden({}, "/s/closed?x-api-key=good-key-0123456789abcdef");
    expect_forbidden({{"x_api_key", kGood}});
    EXPECT_EQ(p.origin.count(), 0);
}

TEST_F(ApiKeys, MethodWithoutTheRequirementIgnoresKeys) {
    EXPECT_EQ(p.gateway.get("/s/open").status, 200);
    EXPECT_EQ(p.gateway.get("/s/open", key("unknown-key-0123456789abcdef")).status, 200);
}

TEST_F(ApiKeys, KeyNominatedByConnectionIsMalformed) {
    EXPECT_EQ(
        p.gateway.get("/s/closed", {{"x-api-key", kGood}, {"Connection", "x-api-key"}}).status,
        400);
    EXPECT_EQ(p.origin.count(), 0);
}

TEST_F(ApiKeys, TwoKeysAreForbiddenInStandard) {
    expect_forbidden({{"x-api-key", "unknown-key-0123456789abcdef"}, {"x-api-key", kGood}});
    expect_forbidden({{"x-api-key", kGood}, {"x-api-key", kGood}});
}

TEST_F(ApiKeys, EveryRequestOfAConnectionIsChecked) {
    Client client = p.gateway.client();
    EXPECT_EQ(client.get("/s/closed", key(kGood)).status, 200);
    EXPECT_EQ(client.get("/s/closed").status, 403);
    EXPECT_EQ(client.get("/s/closed", key(kGood)).status, 200);
    EXPECT_EQ(client.connections(), 1);
}

TEST_F(ApiKeys, DisablingAKeyWorksAtOnce) {
    EXPECT_EQ(p.gateway.get("/s/closed", key(kGood)).status, 200);
    std::string yaml = kKeys;
    const std::string line = "value: good-key-0123456789abcdef, enabled: true";
    yaml.replace(yaml.find(line), line.size(), "value: good-key-0123456789abcdef, enabled: false");
    p.gateway.rewrite(yaml, {{"ORIGIN", p.origin.url()}});
    ASSERT_EQ(p.gateway.reload().status, 200);
    expect_forbidden(key(kGood));
}

TEST_F(ApiKeys, ValuesAppearNowhere) {
    p.gateway.get("/s/closed", key(kGood));
    p.gateway.get("/s/closed", key("unknown-key-0123456789abcdef"));
    const std::string shown = p.gateway.admin("/config").body + p.gateway.admin("/metrics").body +
                              p.gateway.admin("/usage?usagePlanId=plan").body + p.gateway.log() +
                              p.gateway.process().out();
    for (const char* secret :
         {"good-key-0123", "disabled-key", "from-the-environment", "unknown-key-"})
        EXPECT_EQ(shown.find(secret), std::string::npos) << secret;
}

TEST(ApiKeysAws, LastOfTwoKeysCounts) {
    Proxied p{echo,
              "compatibility: aws\n",
              kKeys,
              {.environment = {{"SECRET", "from-the-environment-01234"}}}};
    const std::string good = "good-key-0123456789abcdef";
    EXPECT_EQ(p.gateway.get("/s/closed", {{"x-api-key", "wrong"}, {"x-api-key", good}}).status,
              200);
    EXPECT_EQ(p.gateway.get("/s/closed", {{"x-api-key", good}, {"x-api-key", "wrong"}}).status,
              403);
}

TEST(ApiKeysCsv, FileIsImportedAndItsKeysWork) {
    auto directory = std::make_shared<TempDir>();
    directory->write("keys.csv",
                     "Name,key,description,Enabled,usageplanIds,extra\r\n"
                     "csv , csv-key-0123456789abcdef , text, tRuE ,\"plan\",x\r\n"
                     "off,csv-off-0123456789abcdef,,FALSE,plan,\r\n"
                     "bare,csv-bare-0123456789abcdef,,,,\r\n");
    Proxied p{echo,
              "apiKeyFiles: [keys.csv]\n",
              kKeys,
              {.environment = {{"SECRET", "from-the-environment-01234"}}, .directory = directory}};
    EXPECT_EQ(p.gateway.get("/s/closed", key("csv-key-0123456789abcdef")).status, 200);
    EXPECT_EQ(p.gateway.get("/s/closed", key("csv-off-0123456789abcdef")).status, 403);
    EXPECT_EQ(p.gateway.get("/s/closed", key("csv-bare-0123456789abcdef")).status, 403);
}

}  // namespace
}  // namespace test
