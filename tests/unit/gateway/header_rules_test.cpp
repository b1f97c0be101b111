// SPDX-License-Identifier: Apache-2.0
#include "gateway/header_rules.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace sluice::gateway {
namespace {

constexpr auto kStandard = Compatibility::standard;
constexpr auto kAws = Compatibility::aws;

http::HeaderField field(std::string_view name, std::string_view value = "v") {
    return {http::field_id(name), name, value};
}

http::FieldList list(std::initializer_list<http::HeaderField> fields) {
    http::FieldList out;
    for (const auto& f : fields)
        out.push(f);
    return out;
}

Fate towards_backend(std::string_view name, const RequestRules& rules,
                     const ConnectionTokens& tokens = {}) {
    return gateway::towards_backend(field(name), rules, tokens);
}

Fate towards_client(std::string_view name, Compatibility personality,
                    const ConnectionTokens& tokens = {}) {
    return gateway::towards_client(field(name), personality, tokens);
}

const std::vector<std::string_view> kArriveInAws = {
    "Accept", "Accept-Charset", "Accept-Encoding", "Age",     "Authorization", "Content-Type",
    "Date",   "Pragma",         "Range",           "Referer", "User-Agent",    "Warn"};
const std::vector<std::string_view> kHopByHop = {"Connection",
                                                 "Expect",
                                                 "Proxy-Authenticate",
                                                 "TE",
                                                 "Trailer",
                                                 "Upgrade",
                                                 "Transfer-Encoding",
                                                 "Keep-Alive",
                                                 "Proxy-Connection",
                                                 "Proxy-Authorization",
                                                 "HTTP2-Settings",
                                                 "Host",
                                                 "Content-Length",
                                                 "Proxy"};
const std::vector<std::string_view> kDroppedInAws = {
    "Content-MD5", "Max-Forwards", "Server", "Via", "WWW-Authenticate", "Content-Encoding"};

/// aws-semantics appendix B.6.
TEST(TowardsBackend, LetsExactlyTheSecondGroupArriveInAws) {
    for (const auto name : kArriveInAws) {
        EXPECT_EQ(towards_backend(name, {.compatibility = kAws}), Fate::pass) << name;
    }
    for (const auto& group : {kHopByHop, kDroppedInAws}) {
        for (const auto name : group) {
            EXPECT_EQ(towards_backend(name, {.compatibility = kAws}), Fate::drop) << name;
        }
    }
}

TEST(TowardsBackend, PassesEverythingEndToEndInStandard) {
    for (const auto& group : {kArriveInAws, kDroppedInAws}) {
        for (const auto name : group) {
            EXPECT_EQ(towards_backend(name, {}), Fate::pass) << name;
        }
    }
    for (const auto name : kHopByHop) {
        EXPECT_EQ(towards_backend(name, {}), Fate::drop) << name;
    }
    for (const auto* name : {"x-api-key", "X-Custom", "traceparent", "Cookie", "Origin",
                             "X-HTTP-Method-Override", "CloudFront-Viewer-Country", "Foo"}) {
        EXPECT_EQ(towards_backend(name, {}), Fate::pass) << name;
        EXPECT_EQ(towards_backend(name, {.compatibility = kAws}), Fate::pass) << name;
    }
}

TEST(TowardsBackend, DropsSignaturesMeantForTheGatewayInAws) {
    const auto signature = field("Authorization", "AWS4-HMAC-SHA256 Credential=AK/2026");
    EXPECT_EQ(gateway::towards_backend(signature, {.compatibility = kAws}, {}), Fate::drop);
    EXPECT_EQ(gateway::towards_backend(signature, {}, {}), Fate::pass);
    const auto bearer = field("Authorization", "Bearer x");
    EXPECT_EQ(gateway::towards_backend(bearer, {.compatibility = kAws}, {}), Fate::pass);
}

/// Robustness 1.10 and kin, in any case.
TEST(TowardsBackend, DropsForwardingFieldsOfUntrustedPeers) {
    for (const auto* name : {"X-Forwarded-For",     "X-Forwarded-Host",   "X-Forwarded-Proto",
                             "X-Forwarded-Port",    "X-Forwarded-Prefix", "X-Forwarded-Server",
                             "X-Forwarded-Scheme",  "X-Forwarded-Ssl",    "X-Forwarded-User",
                             "X-Forwarded",         "Forwarded",          "X-Real-IP",
                             "X-Client-IP",         "True-Client-IP",     "CF-Connecting-IP",
                             "Front-End-Https",     "X-Original-URL",     "X-Rewrite-URL",
                             "x-forwarded-for",     "X-FORWARDED-FOR",    "Client-IP",
                             "X-Cluster-Client-IP", "Fastly-Client-IP",   "WL-Proxy-Client-IP"}) {
        for (const auto personality : {kStandard, kAws}) {
            EXPECT_EQ(towards_backend(name, {.compatibility = personality}), Fate::drop) << name;
        }
    }
}

/// Names as long as one of the lists' and with the same last letter, and names of no such kind.
TEST(TowardsBackend, PassesNamesThatOnlyResembleTheLists) {
    for (const auto* name : {"X-Read-Ip", "X-Shost", "Xclient-Ip", "CF-Connecting-XP",
                             "x-amz-xpigw-id", "x-xmzn-requestid", "X", "x-p",
                             "x-a-name-longer-than-any-that-the-lists-of-this-file-hold"}) {
        EXPECT_EQ(towards_backend(name, RequestRules{}), Fate::pass) << name;
    }
}

TEST(TowardsBackend, LeavesTheChainItAppendsToOutEvenForTrustedPeers) {
    const RequestRules trusted{.trusted_peer = true};
    for (const auto* name :
         {"X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Port"}) {
        EXPECT_EQ(towards_backend(name, trusted), Fate::drop) << name;
    }
    for (const auto* name : {"Forwarded", "X-Forwarded-Prefix", "X-Real-IP", "X-Original-URL"}) {
        EXPECT_EQ(towards_backend(name, trusted), Fate::pass) << name;
    }
}

TEST(TowardsBackend, ReplacesTheGatewaysOwnFields) {
    for (const auto* name : {"x-amzn-RequestId", "X-Amzn-Trace-Id", "X-Amzn-Apigateway-Api-Id",
                             "x-amz-apigw-id", "X-AMZN-REQUESTID"}) {
        EXPECT_EQ(towards_backend(name, {.trusted_peer = true}), Fate::drop) << name;
        EXPECT_EQ(towards_backend(name, {.compatibility = kAws}), Fate::drop) << name;
    }
    EXPECT_EQ(towards_backend("x-amzn-oidc-data", {}), Fate::pass);
}

TEST(TowardsBackend, DropsUnderscoresInStandardUnlessTheyAreToPass) {
    EXPECT_EQ(towards_backend("my_field", {}), Fate::drop);
    EXPECT_EQ(towards_backend("my_field", {.pass_underscores = true}), Fate::pass);
    EXPECT_EQ(towards_backend("my_field", {.compatibility = kAws}), Fate::pass);
}

TEST(TowardsBackend, DropsLookAlikesAlways) {
    for (const auto* name :
         {"Content_Length", "Transfer_Encoding", "X_Forwarded_For", "X-Forwarded_For", "X_Real-IP",
          "x_api_key", "X_AMZN_RequestId", "Proxy_Connection", "x_forwarded_anything",
          "True_Client_IP", "keep_alive", "X_Amzn-Apigateway_Api-Id", "Proxy_Authorization"}) {
        for (const auto personality : {kStandard, kAws}) {
            const RequestRules rules{
                .compatibility = personality, .pass_underscores = true, .trusted_peer = true};
            EXPECT_EQ(towards_backend(name, rules), Fate::drop) << name;
        }
    }
}

TEST(ConnectionTokens, AreCollectedOverAllFields) {
    const auto fields = list({field("Connection", " close , X-One,,\tX-Two"), field("Host", "h"),
                              field("connection", "Upgrade, keep-alive")});
    const ConnectionTokens tokens = connection_tokens(fields);
    EXPECT_FALSE(tokens.malformed);
    EXPECT_TRUE(tokens.upgrade);
    EXPECT_TRUE(tokens.nominates("x-one"));
    EXPECT_TRUE(tokens.nominates("X-TWO"));
    EXPECT_FALSE(tokens.nominates("X-Three"));
    EXPECT_FALSE(tokens.nominates("Close"));
    EXPECT_EQ(towards_backend("X-One", {}, tokens), Fate::drop);
    EXPECT_EQ(towards_backend("X-Three", {}, tokens), Fate::pass);
    EXPECT_EQ(towards_client("X-One", kAws, tokens), Fate::drop);
    EXPECT_EQ(towards_client("X-Three", kAws, tokens), Fate::pass);
}

/// Robustness 1.7.
TEST(ConnectionTokens, AreMalformedWhenTheyNameWhatMustArrive) {
    for (const auto* value : {"Host", "close, content-length", "Transfer-Encoding", "X-API-Key"}) {
        EXPECT_TRUE(connection_tokens(list({field("Connection", value)})).malformed) << value;
    }
    const auto tokens = connection_tokens(list({field("Connection", "Content-Length, X-One")}));
    EXPECT_TRUE(tokens.nominates("X-One")) << "the rest is not lost";
    EXPECT_FALSE(tokens.nominates("Content-Length"));
    std::string many;
    for (std::size_t i = 0; i < ConnectionTokens::kMax; ++i)
        many += "x" + std::to_string(i) + ",";
    EXPECT_FALSE(connection_tokens(list({field("Connection", many)})).malformed);
    many += "one-more";
    EXPECT_TRUE(connection_tokens(list({field("Connection", many)})).malformed);
}

/// aws-semantics 7.5, the HTTP_PROXY column.
TEST(TowardsClient, RemapsAndDropsAsTheReferenceInAws) {
    for (const auto* name :
         {"Connection", "Content-Length", "Date", "Server", "Authorization", "Content-MD5",
          "Max-Forwards", "User-Agent", "WWW-Authenticate", "x-amzn-RequestId"}) {
        EXPECT_EQ(towards_client(name, kAws), Fate::remap) << name;
    }
    for (const auto* name : {"Expect", "Host", "Proxy-Authenticate", "Trailer", "Upgrade", "TE",
                             "Transfer-Encoding", "Via", "x-amz-apigw-id", "Keep-Alive"}) {
        EXPECT_EQ(towards_client(name, kAws), Fate::drop) << name;
    }
    for (const auto* name : {"Accept", "Content-Encoding", "Content-Type", "Set-Cookie", "ETag",
                             "X-Amzn-Trace-Id", "my_field", "Cache-Control", "Vary"}) {
        EXPECT_EQ(towards_client(name, kAws), Fate::pass) << name;
    }
}

TEST(TowardsClient, PassesEndToEndFieldsUntouchedInStandard) {
    for (const auto* name :
         {"Date", "Server", "WWW-Authenticate", "Content-Encoding", "Content-MD5", "Via",
          "Set-Cookie", "Retry-After", "Authorization", "X-Anything", "Age"}) {
        EXPECT_EQ(towards_client(name, kStandard), Fate::pass) << name;
    }
    for (const auto* name : {"Connection", "Keep-Alive", "Proxy-Connection", "Transfer-Encoding",
                             "TE", "Trailer", "Upgrade", "HTTP2-Settings", "Content-Length",
                             "Proxy-Authenticate", "x-amzn-RequestId", "x-amz-apigw-id"}) {
        EXPECT_EQ(towards_client(name, kStandard), Fate::drop) << name;
    }
}

}  // namespace
}  // namespace sluice::gateway
