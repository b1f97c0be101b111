// SPDX-License-Identifier: Apache-2.0
#include "gateway/domains.hpp"

#include <gtest/gtest.h>

namespace sluice::gateway {
namespace {

constexpr auto kStandard = Compatibility::standard;
constexpr auto kAws = Compatibility::aws;

/// "stage|base path|rest", or "403".
std::string find(const DomainTable& table, std::string_view host, std::string_view path,
                 Compatibility personality = kStandard) {
    const auto found = table.find(host, path, personality);
    if (!found) return "403";
    std::string text = std::to_string(found->stage);
    return text.append("|").append(found->base_path).append("|").append(found->path);
}

TEST(NormaliseHost, RemovesPortDotAndCase) {
    struct {
        std::string_view sent, host;
    } const cases[] = {{"api.example.com", "api.example.com"},
                       {"api.example.com:8080", "api.example.com"},
                       {"API.Example.com.:443", "api.example.com"},
                       {"api.example.com.", "api.example.com"},
                       {"[::1]:8080", "[::1]"},
                       {"[2001:DB8::1]", "[2001:db8::1]"},
                       {"127.0.0.1:80", "127.0.0.1"},
                       {"", ""}};
    for (const auto& c : cases) {
        std::string scratch;
        EXPECT_EQ(normalise_host(c.sent, scratch), c.host);
    }
}

TEST(NormaliseHost, CopiesOnlyToChangeCase) {
    std::string scratch;
    const std::string_view sent = "api.example.com:80";
    EXPECT_EQ(normalise_host(sent, scratch).data(), sent.data());
    EXPECT_TRUE(scratch.empty());
    EXPECT_EQ(normalise_host("A.example.com", scratch).data(), scratch.data());
}

TEST(DomainTable, ServesTheOnlyApiOnAnyHost) {
    DomainTable table;
    table.add_stage("petstore", "prod", 0);
    table.add_stage("petstore", "test", 1);
    EXPECT_EQ(find(table, "localhost", "/prod/pets/1"), "0||/pets/1");
    EXPECT_EQ(find(table, "", "/test"), "1||/");
    EXPECT_EQ(find(table, "127.0.0.1", "/test/"), "1||/");
    EXPECT_EQ(find(table, "localhost", "/Prod/pets"), "403") << "stages compare by case";
    EXPECT_EQ(find(table, "localhost", "/nope/pets"), "403");
    EXPECT_EQ(find(table, "localhost", "/"), "403");
    EXPECT_EQ(find(table, "localhost", "*"), "403");
    EXPECT_EQ(table.find("x", "/prod/a", kStandard)->door, DomainTable::Door::only_api);
}

/// aws-semantics 1.5: both match x.
TEST(DomainTable, CollapsesTheSlashesRoundTheStage) {
    DomainTable table;
    table.add_stage("petstore", "stage", 0);
    EXPECT_EQ(find(table, "h", "//stage/x", kAws), "0||/x");
    EXPECT_EQ(find(table, "h", "/stage//x", kAws), "0||/x");
    EXPECT_EQ(find(table, "h", "/stage//x//y/", kAws), "0||/x//y/");
    EXPECT_EQ(find(table, "h", "/stage//", kAws), "0||/");
}

TEST(DomainTable, ChoosesTheApiByTheHostsFirstLabel) {
    DomainTable table;
    table.add_stage("petstore", "prod", 0);
    table.add_stage("orders", "prod", 1);
    EXPECT_EQ(find(table, "petstore.execute-api.example.com", "/prod/a"), "0||/a");
    EXPECT_EQ(find(table, "orders", "/prod/a"), "1||/a");
    EXPECT_EQ(find(table, "localhost", "/prod/a"), "403") << "two APIs: no host is neutral";
    EXPECT_EQ(find(table, "orders.example.com", "/test/a"), "403");
}

TEST(DomainTable, AlwaysServesTheApiPathForm) {
    DomainTable table;
    table.add_stage("petstore", "prod", 0);
    table.add_stage("orders", "prod", 1);
    table.add_mapping("*", "", 0);
    EXPECT_EQ(find(table, "any.host", "/_apis/orders/prod/a/b"), "1||/a/b");
    EXPECT_EQ(find(table, "any.host", "/_apis/orders/prod"), "1||/");
    EXPECT_EQ(find(table, "any.host", "/_apis/orders/test/a"), "403");
    EXPECT_EQ(find(table, "any.host", "/_apis/nope/prod/a"), "403");
    EXPECT_EQ(find(table, "any.host", "/_apis"), "403");
    EXPECT_EQ(find(table, "any.host", "/_apisx/orders"), "0||/_apisx/orders");
}

DomainTable example_domain() {
    DomainTable table;
    table.add_stage("petstore", "prod", 9);
    table.add_mapping("api.example.com", "orders", 1);
    table.add_mapping("api.example.com", "orders/v1", 2);
    table.add_mapping("api.example.com", "orders/v1/items", 3);
    return table;
}

TEST(DomainTable, TakesTheLongestBasePathOfWholeSegments) {
    DomainTable table = example_domain();
    EXPECT_EQ(find(table, "api.example.com", "/orders/7"), "1|orders|/7");
    EXPECT_EQ(find(table, "api.example.com", "/orders"), "1|orders|/");
    EXPECT_EQ(find(table, "api.example.com", "/orders/v1/x/"), "2|orders/v1|/x/");
    EXPECT_EQ(find(table, "api.example.com", "/orders/v1/items/7"), "3|orders/v1/items|/7");
    EXPECT_EQ(find(table, "api.example.com", "/orders/v10/x"), "1|orders|/v10/x");
    EXPECT_EQ(find(table, "api.example.com", "/ordersx"), "403") << "no catch-all";
    EXPECT_EQ(find(table, "api.example.com", "/"), "403");
    EXPECT_TRUE(table.add_mapping("api.example.com", "", 4));
    EXPECT_EQ(find(table, "api.example.com", "/ordersx"), "4||/ordersx");
    EXPECT_EQ(find(table, "api.example.com", "/"), "4||/");
    EXPECT_FALSE(table.add_mapping("api.example.com", "orders/v1", 5)) << "mapped before";
}

TEST(DomainTable, SkipsPartsOfBasePathsThatAreNotMapped) {
    DomainTable table;
    table.add_mapping("api.example.com", "a/b/c", 1);
    table.add_mapping("api.example.com", "", 2);
    EXPECT_EQ(find(table, "api.example.com", "/a/b/x"), "2||/a/b/x");
    EXPECT_EQ(find(table, "api.example.com", "/a/b/c/x"), "1|a/b/c|/x");
}

/// What a base path lets through must be what the stage behind it sees (contract 9).
TEST(DomainTable, ReadsBasePathsLikeLiterals) {
    DomainTable table = example_domain();
    table.add_mapping("api.example.com", "", 4);
    EXPECT_EQ(find(table, "api.example.com", "/orders;x/7", kStandard), "1|orders|/7");
    EXPECT_EQ(find(table, "api.example.com", "/orders;x/7", kAws), "4||/orders;x/7");
    EXPECT_EQ(find(table, "api.example.com", "/%6Frders/7", kAws), "1|orders|/7");
}

TEST(DomainTable, PrefersExactToWildcardToAnyHost) {
    DomainTable table;
    table.add_stage("petstore", "prod", 9);
    table.add_mapping("a.example.com", "", 1);
    table.add_mapping("*.example.com", "", 2);
    EXPECT_EQ(find(table, "a.example.com", "/x"), "1||/x");
    EXPECT_EQ(find(table, "b.example.com", "/x"), "2||/x");
    EXPECT_EQ(find(table, "b.c.example.com", "/x"), "403") << "one label deep";
    EXPECT_EQ(find(table, "example.com", "/x"), "403");
    EXPECT_EQ(find(table, ".example.com", "/x"), "403");
    table.add_mapping("*", "", 3);
    EXPECT_EQ(find(table, "b.c.example.com", "/x"), "3||/x");
    EXPECT_EQ(find(table, "", "/x"), "3||/x");
    EXPECT_EQ(find(table, "b.example.com", "/x"), "2||/x");
}

TEST(DomainTable, LetsADomainEntryCoverItsHostEvenWithoutAMapping) {
    DomainTable table;
    table.add_stage("petstore", "prod", 9);
    table.add_mapping("*.example.com", "", 2);
    table.add_domain("petstore.example.com");
    EXPECT_EQ(find(table, "petstore.example.com", "/prod/x"), "403");
    EXPECT_TRUE(table.is_custom_domain("petstore.example.com"));
    EXPECT_TRUE(table.is_custom_domain("other.example.com"));
    EXPECT_FALSE(table.is_custom_domain("localhost"));
}

TEST(DomainTable, EndsTheAnyHostFormOnceThereAreDomains) {
    DomainTable table;
    table.add_stage("petstore", "prod", 9);
    table.add_mapping("api.example.com", "", 1);
    EXPECT_EQ(find(table, "localhost", "/prod/x"), "403");
    EXPECT_EQ(find(table, "petstore.gateway.internal", "/prod/x"), "9||/x");
    EXPECT_EQ(find(table, "localhost", "/_apis/petstore/prod/x"), "9||/x");
}

TEST(DomainTable, GivesViewsIntoTheRequestsPath) {
    const DomainTable table = example_domain();
    const std::string path = "/orders/v1/x";
    const auto found = table.find("api.example.com", path, kStandard);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->path.data(), path.data() + 10);
}

}  // namespace
}  // namespace sluice::gateway
