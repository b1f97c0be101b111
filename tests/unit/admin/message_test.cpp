// SPDX-License-Identifier: Apache-2.0
#include "admin/message.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace sluice::admin {
namespace {

using Segments = std::vector<std::string>;

TEST(ParseRequest, TakesPathAndQueryApart) {
    const auto r = parse_request("GET", "/restapis/a%20b/x?usagePlanId=gold&keyId=%2F&flag&=1&&");
    ASSERT_TRUE(r);
    EXPECT_EQ(r->method, "GET");
    EXPECT_EQ(r->segments, (Segments{"restapis", "a b", "x"}));
    EXPECT_EQ(r->query, (std::map<std::string, std::string>{
                            {"usagePlanId", "gold"}, {"keyId", "/"}, {"flag", ""}, {"", "1"}}));
    EXPECT_EQ(parse_request("GET", "/")->segments, Segments{""});
    EXPECT_EQ(parse_request("GET", "/a/")->segments, (Segments{"a", ""}));
    EXPECT_EQ(parse_request("GET", "/?a=b")->segments, Segments{""});
    EXPECT_EQ(parse_request("GET", "/a%2Fb")->segments, Segments{"a/b"});
}

TEST(ParseRequest, RefusesOtherFormsBadEscapesAndRepeats) {
    for (const char* const target : {"", "*", "http://x/metrics", "metrics", "/%", "/%4", "/%zz",
                                     "/%00", "/a?x=%", "/a?%4=1", "/a?x=1&x=1", "/a?x=1&%78=2"}) {
        EXPECT_FALSE(parse_request("GET", target)) << target;
    }
}

TEST(Reply, ErrorsHaveTheShapeOfAws) {
    const Reply r = error_reply(404, "NotFoundException", "No \"such\" thing");
    EXPECT_EQ(r.status, 404U);
    EXPECT_EQ(r.body, R"({"message":"No \"such\" thing"})");
    ASSERT_EQ(r.fields.size(), 1U);
    EXPECT_EQ(r.fields[0].first, "x-amzn-ErrorType");
    EXPECT_EQ(r.fields[0].second, "NotFoundException");
}

TEST(Reply, BytesThatAreNotUtf8DoNotThrow) {
    EXPECT_EQ(json_reply(200, {{"a", "x\xff"}}).body, "{\"a\":\"x\xef\xbf\xbd\"}");
}

}  // namespace
}  // namespace sluice::admin
