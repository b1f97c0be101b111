// SPDX-License-Identifier: Apache-2.0
#include "upstream/directory.hpp"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>

#include "sluice/config/load.hpp"

namespace sluice::upstream {
namespace {

class DirectoryTest : public testing::Test {
protected:
    void begin(const std::string& yaml) {
        const config::Loaded loaded = config::load_text(yaml);
        ASSERT_TRUE(loaded.ok()) << config::to_string(loaded.problems.front());
        const auto begun = directory_.begin(loaded.config);
        ASSERT_TRUE(begun) << begun.error().detail;
    }
    static Result<net::Endpoints> nobody_knows(const std::string&, std::uint16_t) {
        return Error{.code = "unknown"};
    }

    boost::asio::io_context io_;  // never run: names stay unresolved
    net::Resolver resolver_{io_, {.lookup = nobody_knows}};
    telemetry::Metrics metrics_{1};
    Directory directory_{resolver_, metrics_};
};

TEST_F(DirectoryTest, FindsABackendByItsName) {
    begin(R"(
backends:
  - name: pets
    targets: [ { url: "http://10.0.0.1:9001" }, { url: "http://10.0.0.2" } ]
    connectTimeoutMillis: 1500
    maxIdleConnections: 7
    preserveHost: true
)");
    const auto pets = directory_.find("pets", "pets", 0, false);
    EXPECT_EQ(pets->name, "pets");
    EXPECT_EQ(pets->connect_timeout, std::chrono::milliseconds{1500});
    EXPECT_EQ(pets->max_idle, 7U);
    EXPECT_TRUE(pets->preserve_host);
    EXPECT_NE(pets->series, nullptr);
    ASSERT_EQ(pets->targets.size(), 2U);
    EXPECT_EQ(pets->targets[0].authority, "10.0.0.1:9001");
    EXPECT_EQ(pets->targets[0].port, 9001);
    EXPECT_EQ(pets->targets[1].authority, "10.0.0.2") << "without the scheme's own port";
    EXPECT_NE(pets->targets[0].id, pets->targets[1].id);
    EXPECT_EQ(directory_.find("pets", "pets", 0, false), pets);
}

TEST_F(DirectoryTest, MakesABackendForAnAddressNobodyNamed) {
    begin("");
    const auto plain = directory_.find("api.test:8080", "api.test", 8080, false);
    ASSERT_EQ(plain->targets.size(), 1U);
    EXPECT_EQ(plain->targets[0].host, "api.test");
    EXPECT_EQ(plain->targets[0].authority, "api.test:8080");
    EXPECT_EQ(plain->targets[0].tls, nullptr);
    EXPECT_EQ(directory_.find("api.test:8080", "api.test", 8080, false), plain);
    const auto other = directory_.find("api.test", "api.test", 0, false);
    EXPECT_NE(other, plain);
    EXPECT_EQ(other->targets[0].port, 80);
}

TEST_F(DirectoryTest, KeepsTlsAndPlainApart) {
    begin("");
    const auto plain = directory_.find("api.test", "api.test", 0, false);
    const auto secure = directory_.find("api.test", "api.test", 0, true);
    EXPECT_NE(secure->targets[0].tls, nullptr);
    EXPECT_EQ(secure->targets[0].port, 443);
    EXPECT_EQ(secure->targets[0].authority, "api.test");
    EXPECT_NE(secure->targets[0].id, plain->targets[0].id);
    EXPECT_NE(secure->id, plain->id);
}

TEST_F(DirectoryTest, WritesIpv6AddressesInBrackets) {
    begin(R"(backends: [ { name: six, targets: [ { url: "http://[::1]:9001" } ] } ])");
    const auto six = directory_.find("six", "six", 0, false);
    EXPECT_EQ(six->targets[0].host, "::1");
    EXPECT_EQ(six->targets[0].authority, "[::1]:9001");
    EXPECT_EQ(six->targets[0].port, 9001);
}

/// Pooled connections are found by these numbers: a reload must not change them.
TEST_F(DirectoryTest, KeepsNumbersAndSeriesAcrossReloads) {
    const std::string yaml =
        R"(backends: [ { name: a, targets: [ { url: "http://10.0.0.1" } ] } ])";
    begin(yaml);
    const auto before = directory_.find("a", "a", 0, false);
    directory_.finish();
    begin(R"(
backends:
  - { name: b, targets: [ { url: "http://10.0.0.9" } ] }
  - { name: a, targets: [ { url: "http://10.0.0.2" }, { url: "http://10.0.0.1" } ] }
)");
    const auto after = directory_.find("a", "a", 0, false);
    directory_.finish();
    EXPECT_EQ(after->id, before->id);
    EXPECT_EQ(after->series, before->series);
    EXPECT_EQ(after->targets[1].id, before->targets[0].id);
    EXPECT_NE(after->targets[0].id, before->targets[0].id);
    EXPECT_EQ(after->targets[1].addresses, before->targets[0].addresses);
}

TEST_F(DirectoryTest, GivesATargetWithOtherTlsSettingsAnotherNumber) {
    begin(R"(backends: [ { name: a, targets: [ { url: "https://10.0.0.1" } ] } ])");
    const auto verified = directory_.find("a", "a", 0, true);
    directory_.finish();
    begin(R"(
backends:
  - name: a
    targets: [ { url: "https://10.0.0.1" } ]
    tls: { insecureSkipVerification: true }
)");
    const auto any = directory_.find("a", "a", 0, true);
    EXPECT_NE(any->targets[0].id, verified->targets[0].id)
        << "a connection that was not verified must not serve one that is to be";
}

TEST_F(DirectoryTest, ForgetsNamesNoConfigurationUses) {
    begin("");
    directory_.find("a.test", "a.test", 0, false);
    directory_.find("b.test", "b.test", 0, false);
    directory_.finish();
    EXPECT_EQ(resolver_.unresolved(), 2U);
    begin("");
    directory_.find("b.test", "b.test", 0, false);
    EXPECT_EQ(resolver_.unresolved(), 2U) << "requests of the old configuration go on";
    directory_.finish();
    EXPECT_EQ(resolver_.unresolved(), 1U);
}

TEST_F(DirectoryTest, RefusesACaFileThatCannotBeRead) {
    config::Config config;
    config.backends.push_back({.name = "a",
                               .targets = {{.url = "https://10.0.0.1"}},
                               .tls = {.ca_file = "/does/not/exist.pem"}});
    const auto begun = directory_.begin(config);
    ASSERT_FALSE(begun);
    EXPECT_NE(begun.error().detail.find("exist.pem"), std::string::npos) << begun.error().detail;
}

}  // namespace
}  // namespace sluice::upstream
