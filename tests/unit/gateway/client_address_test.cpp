// SPDX-License-Identifier: Apache-2.0
#include "gateway/client_address.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace sluice::gateway {
namespace {

constexpr const char* kProxy = "10.0.0.1";

/// The client's address when these X-Forwarded-For fields come from `peer`.
std::string found(const std::vector<std::string>& fields, const std::string& peer = kProxy) {
    const std::vector<std::string> networks{"10.0.0.0/8", "2001:db8::/32"};
    const IpSet trusted = *IpSet::parse(networks);
    http::FieldList list;
    list.push({http::Field::host, "Host", "h"});
    for (const std::string& value : fields) {
        list.push({http::Field::unknown, "x-forwarded-FOR", value});
    }
    const IpAddress address = *IpAddress::parse(peer);
    return client_address(address, trusted.contains(address), trusted, list).to_string();
}

TEST(ClientAddress, IsThePeerUnlessItIsATrustedProxy) {
    EXPECT_EQ(found({}, "192.0.2.1"), "192.0.2.1");
    EXPECT_EQ(found({"198.51.100.1"}, "192.0.2.1"), "192.0.2.1");
    EXPECT_EQ(found({}), kProxy);
}

TEST(ClientAddress, IsTheRightmostAddressThatIsNotAProxy) {
    EXPECT_EQ(found({"198.51.100.1"}), "198.51.100.1");
    EXPECT_EQ(found({"203.0.113.9, 198.51.100.1, 10.0.0.7"}), "198.51.100.1")
        << "what is further left is the client's own word";
    EXPECT_EQ(found({"203.0.113.9, 198.51.100.1", "10.0.0.7"}), "198.51.100.1");
    EXPECT_EQ(found({"198.51.100.1,10.0.0.7 ,\t10.0.0.8"}), "198.51.100.1");
}

TEST(ClientAddress, IsTheFarthestProxyWhenThereAreOnlyProxies) {
    EXPECT_EQ(found({"10.0.0.9, 10.0.0.8"}), "10.0.0.9");
}

TEST(ClientAddress, TakesAddressesWithPorts) {
    EXPECT_EQ(found({"198.51.100.1:4711"}), "198.51.100.1");
    EXPECT_EQ(found({"[2001:4860::1]:4711"}), "2001:4860::1");
    EXPECT_EQ(found({"2001:4860::1"}), "2001:4860::1");
    EXPECT_EQ(found({"198.51.100.1, [2001:db8::1]"}), "198.51.100.1");
}

TEST(ClientAddress, TrustsNothingBeyondWhatItCannotRead) {
    EXPECT_EQ(found({"198.51.100.1, unknown"}), kProxy);
    EXPECT_EQ(found({"198.51.100.1, , 10.0.0.7"}), "10.0.0.7");
    EXPECT_EQ(found({"198.51.100.1, 10.0.0.300, 10.0.0.7"}), "10.0.0.7");
    EXPECT_EQ(found({"198.51.100.1, [::1"}), kProxy);
    EXPECT_EQ(found({""}), kProxy);
}

}  // namespace
}  // namespace sluice::gateway
