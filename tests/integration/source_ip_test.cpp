// SPDX-License-Identifier: Apache-2.0
//
// Clients are told apart by their own address: 127.0.0.2, 127.0.0.3, ...
#include <gtest/gtest.h>

#include "support/proxied.hpp"

namespace test {
namespace {

std::string metered(const std::string& plan) {
    return std::string{kProxyEverything} + R"(
usagePlans:
  - id: anonymous
    meterBy: sourceIp
    apiStages: [ { apiId: api, stage: s } ]
    )" + plan +
           "\n";
}

int admitted(Gateway& gateway, const std::string& source, int requests,
             const Headers& headers = {}) {
    Client client = gateway.client({.source = source});
    int passed = 0;
    for (int i = 0; i < requests; ++i)
        passed += client.get("/s/x", headers).status == 200;
    return passed;
}

TEST(SourceIp, QuotaIsPerAddress) {
    Proxied p{echo, "", metered("quota: { limit: 3, period: DAY }")};
    EXPECT_EQ(admitted(p.gateway, "127.0.0.2", 5), 3);
    EXPECT_EQ(admitted(p.gateway, "127.0.0.3", 5), 3);
    EXPECT_EQ(admitted(p.gateway, "127.0.0.2", 5), 0);
    Client refused = p.gateway.client({.source = "127.0.0.2"});
    const Response r = refused.get("/s/x");
    EXPECT_EQ(r.status, 429);
    EXPECT_EQ(r.body, R"({"message":"Limit Exceeded"})");
    EXPECT_EQ(p.origin.count(), 6);
}

TEST(SourceIp, ThrottleIsPerAddressAndHasItsOwnLevel) {
    Proxied p{echo, "", metered("throttle: { rateLimit: 0.001, burstLimit: 4 }")};
    EXPECT_EQ(admitted(p.gateway, "127.0.0.2", 10), 4);
    EXPECT_EQ(admitted(p.gateway, "127.0.0.3", 10), 4);
    EXPECT_EQ(p.gateway.metrics().sum("sluice_throttled_total", {{"level", "source_ip"}}), 12);
}

TEST(SourceIp, PrefixGroupsAddresses) {
    Proxied p{echo, "",
              metered("quota: { limit: 3, period: DAY }\n    sourceIpPrefix: { v4: 24, v6: 64 }")};
    EXPECT_EQ(admitted(p.gateway, "127.0.0.2", 2) + admitted(p.gateway, "127.0.0.3", 2), 3);
    EXPECT_EQ(admitted(p.gateway, "127.0.1.2", 4), 3);
}

TEST(SourceIp, ForwardedForIsBelievedOnlyFromTrustedPeers) {
    Proxied p{echo, "server: { workers: 1, trustedProxies: [127.0.0.8/32, 10.0.0.0/8] }\n",
              metered("quota: { limit: 2, period: DAY }")};
    // A stranger's claim changes nothing: all of it counts for 127.0.0.2.
    EXPECT_EQ(admitted(p.gateway, "127.0.0.2", 1, {{"X-Forwarded-For", "203.0.113.1"}}) +
                  admitted(p.gateway, "127.0.0.2", 2, {{"X-Forwarded-For", "203.0.113.2"}}),
              2);
    // A trusted proxy's counts for the right-most address that is not itself trusted.
    EXPECT_EQ(admitted(p.gateway, "127.0.0.8", 3,
                       {{"X-Forwarded-For", "6.6.6.6, 203.0.113.9, 10.1.1.1"}}),
              2);
    EXPECT_EQ(admitted(p.gateway, "127.0.0.8", 3, {{"X-Forwarded-For", "203.0.113.10"}}), 2);
    EXPECT_EQ(p.origin.last().header("X-Forwarded-For"), "203.0.113.10, 127.0.0.8");
    EXPECT_EQ(admitted(p.gateway, "127.0.0.8", 1, {{"X-Forwarded-For", "7.7.7.7, 203.0.113.9"}}),
              0);
}

TEST(SourceIp, MethodsWithAKeyAreNotMetered) {
    std::string yaml = metered("quota: { limit: 2, period: DAY }");
    const std::string any = "ANY: { integration";
    yaml.replace(yaml.find(any), any.size(), "ANY: { apiKeyRequired: true, integration");
    yaml += R"(  - { id: keyed, apiStages: [ { apiId: api, stage: s } ] }
apiKeys: [ { id: k, name: k, value: keyed-caller-0123456789, enabled: true, usagePlanIds: [keyed] } ]
)";
    Proxied p{echo, "", yaml};
    EXPECT_EQ(admitted(p.gateway, "127.0.0.2", 5, key("keyed-caller-0123456789")), 5);
}

}  // namespace
}  // namespace test
