// SPDX-License-Identifier: Apache-2.0
#include "gateway/execution_maps.hpp"

#include <gtest/gtest.h>

namespace sluice::gateway {
namespace {

TEST(ExecutionMapsTest, AHeadIsItsFields) {
    EXPECT_EQ(head_map("GET / HTTP/1.1\r\nHost: a\r\nX-Two: b: c\r\n\r\n"), "{Host=a, X-Two=b: c}");
    EXPECT_EQ(head_map("HTTP/1.1 200 OK\r\n\r\n"), "{}");
    EXPECT_EQ(head_map(""), "{}");
}

TEST(ExecutionMapsTest, SecretsAreMasked) {
    EXPECT_EQ(head_map("GET / HTTP/1.1\r\nX-API-Key: secret-abcdef\r\n\r\n"),
              "{X-API-Key=*******abcdef}");
    EXPECT_EQ(
        head_map("GET / HTTP/1.1\r\nauthorization: Bearer x\r\nproxy-authorization: y\r\n\r\n"),
        "{authorization=**arer x, proxy-authorization=*}");
}

TEST(ExecutionMapsTest, ASecretCutShortShowsNothing) {
    EXPECT_EQ(head_map("GET / HTTP/1.1\r\nHost: a\r\nx-api-key: secret-abc"),
              "{Host=a, x-api-key=******}");
    EXPECT_EQ(head_map("GET / HTTP/1.1\r\nX-Other: secret-abc"), "{X-Other=secret-abc}");
}

TEST(ExecutionMapsTest, QueriesAreDecoded) {
    EXPECT_EQ(query_map(""), "{}");
    EXPECT_EQ(query_map("a=1&b=%41+%42&c&=d&&e=f=g"), "{a=1, b=A B, c=, =d, e=f=g}");
    EXPECT_EQ(query_map("a=%&b=%4&c=%zz"), "{a=%, b=%4, c=%zz}");
}

TEST(ExecutionMapsTest, PlusSignsOfAPathMeanThemselves) {
    EXPECT_EQ(percent_decoded("a+b%20c", false), "a+b c");
    EXPECT_EQ(percent_decoded("a+b%20c", true), "a b c");
}

}  // namespace
}  // namespace sluice::gateway
