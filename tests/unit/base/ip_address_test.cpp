// SPDX-License-Identifier: Apache-2.0
#include "sluice/base/ip_address.hpp"

#include <gtest/gtest.h>

#include <unordered_set>

namespace sluice {
namespace {

IpAddress ip(std::string_view text) {
    const auto address = IpAddress::parse(text);
    EXPECT_TRUE(address) << text;
    return address.value_or(IpAddress{});
}

TEST(IpAddress, SpeaksTheCanonicalForm) {
    const std::pair<const char*, const char*> cases[] = {
        {"127.0.0.1", "127.0.0.1"},
        {"0.0.0.0", "0.0.0.0"},
        {"255.255.255.255", "255.255.255.255"},
        {"::", "::"},
        {"::1", "::1"},
        {"2001:DB8:0:0:0:0:2:1", "2001:db8::2:1"},
        {"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
        {"::ffff:10.1.2.3", "10.1.2.3"},
        {"::ffff:0a01:0203", "10.1.2.3"},
    };
    for (const auto& [text, canonical] : cases) {
        EXPECT_EQ(ip(text).to_string(), canonical) << text;
    }
}

TEST(IpAddress, WritesEveryOctet) {
    for (unsigned n = 0; n < 256; ++n) {
        const auto octet = static_cast<std::uint8_t>(n);
        const std::string text = std::to_string(n);
        EXPECT_EQ(IpAddress::v4({octet, 0, octet, octet}).to_string(),
                  text + ".0." + text + "." + text);
    }
}

TEST(IpAddress, RefusesEverythingElse) {
    using namespace std::string_view_literals;
    const std::string_view cases[] = {
        "",
        " ",
        "1.2.3",
        "1.2.3.4.5",
        "1.2.3.256",
        "01.2.3.4",
        "1.2.3.04",
        "1.2.3.4 ",
        " 1.2.3.4",
        "1.2.3.4\0"sv,
        "1.2.3.4:80",
        "0x7f.0.0.1",
        "1.2..4",
        "-1.2.3.4",
        "127.1",
        "2130706433",
        "[::1]",
        "::1%eth0",
        ":::",
        "1::2::3",
        "12345::",
        "::g",
        "::1.2.3.256",
        "1:2:3:4:5:6:7",
        "::ffff:1.2.3.4.",
        "1.2.3.4/8",
        "1:2:3:4:5:6:7:8:9",
        "::1\n",
        "localhost",
        "0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000"};
    for (const std::string_view text : cases) {
        EXPECT_FALSE(IpAddress::parse(text)) << text;
    }
}

TEST(IpAddress, MasksEachFamilyWithItsOwnPrefix) {
    EXPECT_EQ(ip("10.1.2.3").masked(24, 64).to_string(), "10.1.2.0");
    EXPECT_EQ(ip("10.1.2.255").masked(25, 64).to_string(), "10.1.2.128");
    EXPECT_EQ(ip("10.1.2.3").masked(32, 0), ip("10.1.2.3"));
    EXPECT_EQ(ip("10.1.2.3").masked(0, 64).to_string(), "0.0.0.0");
    EXPECT_EQ(ip("2001:db8:1:2:3:4:5:6").masked(8, 64).to_string(), "2001:db8:1:2::");
    EXPECT_EQ(ip("2001:db8:1:2:3:4:5:6").masked(8, 0).to_string(), "::");
    EXPECT_EQ(ip("2001:db8::6").masked(8, 128), ip("2001:db8::6"));
}

TEST(IpAddress, HashesSpread) {
    std::unordered_set<std::uint64_t> seen;
    for (int n = 0; n < 65'536; ++n) {
        seen.insert(
            IpAddress::v4({10, 0, static_cast<std::uint8_t>(n >> 8), static_cast<std::uint8_t>(n)})
                .hash() >>
            16);
    }
    EXPECT_GT(seen.size(), 65'500u);
}

IpSet set_of(std::vector<std::string> networks) {
    auto set = IpSet::parse(networks);
    EXPECT_TRUE(set) << set.error().detail;
    return set ? *set : IpSet{};
}

TEST(IpSet, ContainsExactlyItsNetworks) {
    const IpSet set = set_of({"10.0.0.0/8", "192.168.1.4/30", "203.0.113.7", "2001:db8::/32",
                              "10.5.0.0/16", "::1", "10.255.0.0/16"});
    for (const char* in :
         {"10.0.0.0", "10.255.255.255", "192.168.1.4", "192.168.1.7", "203.0.113.7", "2001:db8::1",
          "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", "::1", "::ffff:10.9.9.9", "10.200.0.1"}) {
        EXPECT_TRUE(set.contains(ip(in))) << in;
    }
    for (const char* out :
         {"9.255.255.255", "11.0.0.0", "192.168.1.3", "192.168.1.8", "203.0.113.6", "203.0.113.8",
          "2001:db7:ffff::", "2001:db9::", "::2", "::", "0.0.0.1"}) {
        EXPECT_FALSE(set.contains(ip(out))) << out;
    }
    EXPECT_FALSE(IpSet{}.contains(ip("::")));
    EXPECT_TRUE(IpSet{}.empty());
}

TEST(IpSet, KeepsTheFamiliesApart) {
    EXPECT_FALSE(set_of({"::/0"}).contains(ip("10.0.0.1")));
    EXPECT_TRUE(set_of({"::/0"}).contains(ip("::2")));
    EXPECT_FALSE(set_of({"0.0.0.0/0"}).contains(ip("::2")));
    EXPECT_TRUE(set_of({"0.0.0.0/0"}).contains(ip("255.0.0.1")));
    EXPECT_TRUE(set_of({"::ffff:10.0.0.0/104"}).contains(ip("10.3.3.3")));
    EXPECT_FALSE(set_of({"::ffff:10.0.0.0/104"}).contains(ip("11.3.3.3")));
}

TEST(IpSet, SaysWhichEntryIsWrong) {
    for (const char* bad : {"10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/08", "::/129",
                            "10.0.0/8", "host", "", "/8", "10.0.0.0/8x", "10.0.0.0/ 8"}) {
        const auto set = IpSet::parse(std::vector<std::string>{"::1", bad});
        ASSERT_FALSE(set) << bad;
        EXPECT_NE(set.error().detail.find(bad), std::string::npos);
    }
    const auto host_bits = IpSet::parse(std::vector<std::string>{"10.1.0.1/8"});
    ASSERT_FALSE(host_bits);
    EXPECT_NE(host_bits.error().detail.find("10.0.0.0/8"), std::string::npos);
}

}  // namespace
}  // namespace sluice
