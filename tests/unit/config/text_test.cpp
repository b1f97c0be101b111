// SPDX-License-Identifier: Apache-2.0
#include "config/text.hpp"

#include <gtest/gtest.h>

namespace sluice::config {
namespace {

TEST(EditDistance, CountsChangesAndTranspositions) {
    EXPECT_EQ(edit_distance("port", "port"), 0U);
    EXPECT_EQ(edit_distance("Port", "pORT"), 0U);
    EXPECT_EQ(edit_distance("prot", "port"), 1U);
    EXPECT_EQ(edit_distance("por", "port"), 1U);
    EXPECT_EQ(edit_distance("sport", "port"), 1U);
    EXPECT_EQ(edit_distance("", "port"), 4U);
    EXPECT_EQ(edit_distance("kitten", "sitting"), 3U);
}

TEST(Nearest, IsTheFirstOfTheClosest) {
    const std::vector<std::string> words{"address", "name", "port"};
    EXPECT_EQ(nearest("adress", words), "address");
    EXPECT_EQ(nearest("nane", words), "name");
    EXPECT_EQ(nearest("x", {}), "");
    EXPECT_EQ(nearest(std::string(1'000'000, 'x'), words), "address");
}

TEST(InQuotes, IsSafeForALogLine) {
    EXPECT_EQ(in_quotes("a b"), "\"a b\"");
    EXPECT_EQ(in_quotes("a\nb\x1b[31m\"\xC3\xA9"), "\"a?b?[31m???\"");
    EXPECT_EQ(in_quotes(std::string(61, 'x')), "\"" + std::string(60, 'x') + "...\"");
}

TEST(Utf8, FindsTheFirstBadByte) {
    EXPECT_FALSE(find_bad_utf8("plain\ttext\r\n\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80"));
    const std::string bad[] = {"\x80",         "\xC0\xAF",         "\xE0\x80\xAF",
                               "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xF8\x88\x80\x80",
                               "\xC3",         "\xFF\xFE"};
    for (const std::string& text : bad) {
        const auto found = find_bad_utf8("ab\nc" + text);
        ASSERT_TRUE(found) << text;
        EXPECT_EQ(found->line, 2);
        EXPECT_EQ(found->column, 2);
    }
    EXPECT_TRUE(find_bad_utf8(std::string("a\0b", 3)));
    EXPECT_TRUE(find_bad_utf8("\x1b"));
    EXPECT_TRUE(find_bad_utf8("\x7f"));
}

TEST(Numbers, AreDecimalOnly) {
    EXPECT_EQ(parse_integer("0"), 0);
    EXPECT_EQ(parse_integer("-12"), -12);
    EXPECT_EQ(parse_integer("9223372036854775807"), 9223372036854775807);
    for (const char* bad : {"", "-", "+1", "01", "-01", "0x1", "1_0", "1:2", "1.0", "1e3", " 1",
                            "9223372036854775808", "1 "}) {
        EXPECT_FALSE(parse_integer(bad)) << bad;
    }
    EXPECT_EQ(parse_number("0.5"), 0.5);
    EXPECT_EQ(parse_number("-1"), -1.0);
    EXPECT_EQ(parse_number("1e3"), 1000.0);
    EXPECT_EQ(parse_number("10000.0"), 10000.0);
    for (const char* bad : {"", ".5", "5.", "01", "1e", "1e+", ".inf", ".nan", "inf", "nan",
                            "0x1p3", "1_0.5", "1e999", "--1", "1.5.2"}) {
        EXPECT_FALSE(parse_number(bad)) << bad;
    }
}

TEST(Sizes, HaveUnits) {
    EXPECT_EQ(parse_size("0"), 0U);
    EXPECT_EQ(parse_size("1048576"), 1048576U);
    EXPECT_EQ(parse_size("64MiB"), 67108864U);
    EXPECT_EQ(parse_size("64 MiB"), 67108864U);
    EXPECT_EQ(parse_size("1.5KiB"), 1536U);
    EXPECT_EQ(parse_size("2GB"), 2'000'000'000U);
    EXPECT_EQ(parse_size("7B"), 7U);
    for (const char* bad : {"", "MiB", "-1", "1mib", "1 Mb", "1e30TiB", "99999999999TiB", "0x1"}) {
        EXPECT_FALSE(parse_size(bad)) << bad;
    }
}

TEST(Addresses, AreRecognised) {
    EXPECT_TRUE(is_ip("127.0.0.1"));
    EXPECT_TRUE(is_ip("::1"));
    for (const char* bad : {"", "127.1", "256.0.0.1", "localhost", "[::1]", "010.0.0.1"}) {
        EXPECT_FALSE(is_ip(bad)) << bad;
    }
    for (const char* loopback : {"127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"}) {
        EXPECT_TRUE(is_loopback(loopback)) << loopback;
    }
    for (const char* other : {"0.0.0.0", "::", "10.0.0.1", "::ffff:10.0.0.1", "128.0.0.1", "x"}) {
        EXPECT_FALSE(is_loopback(other)) << other;
    }
}

TEST(Networks, HaveNoHostBits) {
    for (const char* good : {"10.0.0.0/8", "10.1.2.3", "10.1.2.3/32", "0.0.0.0/0", "::/0",
                             "2001:db8::/32", "2001:db8::1", "2001:db8::1/128"}) {
        EXPECT_FALSE(network_fault(good)) << good;
    }
    for (const char* bad : {"", "x", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/08",
                            "10.0.0.1/8", "10.0.0.0/8/8", "2001:db8::/129", "::1/64"}) {
        EXPECT_TRUE(network_fault(bad)) << bad;
    }
}

TEST(DnsNames, HaveLabels) {
    for (const char* good : {"a", "pets", "pets.internal", "a-b.c_d", "1.example"}) {
        EXPECT_TRUE(is_dns_name(good)) << good;
    }
    for (const std::string& bad :
         {std::string(), std::string("."), std::string("a."), std::string(".a"),
          std::string("a..b"), std::string("-a"), std::string("a-"), std::string("a b"),
          std::string("a/b"), std::string(64, 'x'), std::string("*")}) {
        EXPECT_FALSE(is_dns_name(bad)) << bad;
    }
}

TEST(Urls, AreCutWithoutDecoding) {
    const auto parts = split_url("https://[2001:db8::1]:8443/a?b#c");
    ASSERT_TRUE(parts);
    EXPECT_EQ(parts->scheme, "https");
    EXPECT_EQ(parts->host, "2001:db8::1");
    EXPECT_EQ(parts->port, "8443");
    EXPECT_EQ(parts->rest, "/a?b#c");
    EXPECT_EQ(split_url("http://a")->port, "");
    EXPECT_EQ(split_url("http://a?x")->host, "a");
    for (const char* bad : {"", "a", "http:/a", "http://[::1", "http://[x]/", "http://[::1]x",
                            "http://[::1]:", "http://a:"}) {
        EXPECT_FALSE(split_url(bad)) << bad;
    }
}

}  // namespace
}  // namespace sluice::config
