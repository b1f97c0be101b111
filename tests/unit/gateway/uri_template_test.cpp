// SPDX-License-Identifier: Apache-2.0
#include "gateway/uri_template.hpp"

#include <gtest/gtest.h>

namespace sluice::gateway {
namespace {

using Texts = std::map<std::string, std::string>;

constexpr std::string_view kResource = "/pets/{petId}/{proxy+}";

Result<UriTemplate> compile(std::string_view uri, const Texts& variables = {},
                            const Texts& mappings = {}) {
    return UriTemplate::compile(uri, {.resource_path = kResource,
                                      .stage_variables = &variables,
                                      .request_parameters = &mappings});
}

PathParams params(std::string_view pet, std::string_view proxy = "a") {
    PathParams p;
    p.push({"petId", pet});
    p.push({"proxy", proxy});
    return p;
}

/// What is sent for a template and a client's query; "400" when a value is refused.
std::string fill(std::string_view uri, const PathParams& p,
                 std::optional<std::string_view> query = std::nullopt, const Texts& mappings = {}) {
    const auto compiled = compile(uri, {}, mappings);
    EXPECT_TRUE(compiled) << uri << ": " << compiled.error().detail;
    std::string out = "GET ";
    if (!compiled->append(out, p, query.has_value(), query.value_or(""))) {
        EXPECT_EQ(out, "GET ");
        return "400";
    }
    return out.substr(4);
}

std::string_view error_of(std::string_view uri, const Texts& variables = {},
                          const Texts& mappings = {}) {
    const auto compiled = compile(uri, variables, mappings);
    return compiled ? "none" : compiled.error().code;
}

TEST(UriTemplate, TakesTheAuthorityApart) {
    struct {
        std::string_view uri, authority, host;
        std::uint16_t port;
        bool https;
    } const cases[] = {
        {"http://pets/pets", "pets", "pets", 0, false},
        {"https://10.0.0.1:8443", "10.0.0.1:8443", "10.0.0.1", 8443, true},
        {"http://[::1]:9001/x", "[::1]:9001", "::1", 9001, false},
        {"http://[::1]/x", "[::1]", "::1", 0, false},
        {"http://a_b-c.example.com?x", "a_b-c.example.com", "a_b-c.example.com", 0, false}};
    for (const auto& c : cases) {
        const auto compiled = compile(c.uri);
        ASSERT_TRUE(compiled) << c.uri;
        EXPECT_EQ(compiled->authority(), c.authority);
        EXPECT_EQ(compiled->host(), c.host);
        EXPECT_EQ(compiled->port(), c.port);
        EXPECT_EQ(compiled->is_https(), c.https);
    }
}

TEST(UriTemplate, KeepsTheClientsBytesInThePath) {
    EXPECT_EQ(fill("http://pets/pets/{petId}", params("7")), "/pets/7");
    EXPECT_EQ(fill("http://pets/x{petId}y/z", params("test%2Balias@x;v=1")),
              "/xtest%2Balias@x;v=1y/z");
    EXPECT_EQ(fill("http://pets/{proxy}", params("7", "a//b/%2F")), "/a//b/%2F");
    EXPECT_EQ(fill("http://pets/{proxy+}", params("7", "a/b")), "/a/b");
    EXPECT_EQ(fill("http://pets", params("7")), "/");
    EXPECT_EQ(fill("http://pets/{petId}.{proxy}", params("a", "b")), "/a.b");
}

TEST(UriTemplate, AppendsTheClientsQueryToItsOwn) {
    EXPECT_EQ(fill("http://pets/p", params("7"), "a=1&b=%20+|"), "/p?a=1&b=%20+|");
    EXPECT_EQ(fill("http://pets/p", params("7"), ""), "/p?") << "bytes stay as sent";
    EXPECT_EQ(fill("http://pets/p?x={petId}", params("7")), "/p?x=7");
    EXPECT_EQ(fill("http://pets/p?x={petId}", params("7"), ""), "/p?x=7");
    EXPECT_EQ(fill("http://pets/p?x={petId}&y=1", params("7"), "x=bar&q=foo"),
              "/p?x=7&y=1&x=bar&q=foo");
    EXPECT_EQ(fill("http://pets?", params("7"), "a=1"), "/?a=1");
    EXPECT_EQ(fill("http://pets?x=1&", params("7"), "a=1"), "/?x=1&a=1");
}

TEST(UriTemplate, LetsNoValueStartAnotherQueryParameter) {
    EXPECT_EQ(fill("http://pets/p?x={petId}", params("1&admin=1+2;c=%26")),
              "/p?x=1%26admin%3D1%2B2%3Bc%3D%26");
    EXPECT_EQ(fill("http://pets/p?x={proxy}", params("7", "a/b")), "/p?x=a/b");
}

TEST(UriTemplate, RefusesValuesThatChangeTheStructure) {
    for (const auto* value : {"..", ".", "%2e%2E", ".%2e", "a?b", "a#b", "a\\b", "a b", "a\tb",
                              "\x7f", "\xc3\xa9", "a/../b", "a/..", "./a", "..;x", "%2e;"}) {
        EXPECT_EQ(fill("http://pets/{petId}", params(value)), "400") << value;
        EXPECT_EQ(fill("http://pets/p?x={petId}", params(value)), "400") << value;
    }
    for (const auto* value : {"...", "..a", "a..", "%2e%2e%2e", ".a", "a/.b/c.."}) {
        EXPECT_EQ(fill("http://pets/{petId}", params(value)), "/" + std::string{value});
    }
    EXPECT_EQ(fill("http://pets/{petId}", PathParams{}), "400") << "no such parameter was matched";
}

TEST(UriTemplate, NeverStartsThePathWithTwoSlashes) {
    EXPECT_EQ(fill("http://pets/{proxy}", params("7", "/evil.example/x")), "/evil.example/x");
    EXPECT_EQ(fill("http://pets/a/{proxy}", params("7", "/b")), "/a//b");
}

TEST(UriTemplate, SubstitutesStageVariables) {
    const auto compiled =
        compile("http://${stageVariables.backend}:8080/${stageVariables.v}/{petId}",
                {{"backend", "pets"}, {"v", "v2"}});
    ASSERT_TRUE(compiled);
    EXPECT_EQ(compiled->host(), "pets");
    std::string out;
    EXPECT_TRUE(compiled->append(out, params("7"), false, {}));
    EXPECT_EQ(out, "/v2/7");
    EXPECT_EQ(error_of("http://${stageVariables.nope}/x"), "bad_host");
    EXPECT_EQ(error_of("http://pets/${stageVariables.nope}x"), "none") << "undefined is empty";
    EXPECT_EQ(error_of("http://${stageVariables.x/y"), "bad_uri");
    EXPECT_EQ(error_of("http://${stageVariables.a}/x", {{"a", "evil/../"}}), "bad_uri");
}

TEST(UriTemplate, FollowsPathMappings) {
    const Texts mappings = {{"integration.request.path.id", "method.request.path.petId"},
                            {"integration.request.path.fixed", "'v1'"}};
    EXPECT_EQ(fill("http://pets/{fixed}/{id}", params("7"), {}, mappings), "/v1/7");
    EXPECT_EQ(error_of("http://pets/{id}"), "unknown_placeholder");
    EXPECT_EQ(error_of("http://pets/{x}", {},
                       {{"integration.request.path.x", "method.request.header.x"}}),
              "unsupported_mapping");
    EXPECT_EQ(error_of("http://pets/{x}", {},
                       {{"integration.request.path.x", "method.request.path.nope"}}),
              "unknown_placeholder");
}

TEST(UriTemplate, RefusesBadTemplates) {
    for (const auto* uri :
         {"pets/x", "ftp://pets/", "//pets", "http:/pets", "http://pets/a b", "http://pets/#f",
          "http://pets/%zz", "http://pets/%4", "http://pets/{", "http://pets/}", "http://pets/../x",
          "http://pets/a/./b", "http://pets/a/%2e%2E/b", "http://pets/.{petId}",
          "http://pets/..{petId}", "http://pets/a\\b"}) {
        EXPECT_EQ(error_of(uri), "bad_uri") << uri;
    }
    for (const auto* uri : {"http://", "http:///x", "http://u@h/", "http://h:/", "http://h:0/",
                            "http://h:65536/", "http://h:1:2/", "http://h:8a/", "http://[::1/x",
                            "http://[::1]x/", "http://a..{petId}/", "http://a,b/"}) {
        EXPECT_EQ(error_of(uri), "bad_host") << uri;
    }
    EXPECT_EQ(error_of("http://pets/{nope}"), "unknown_placeholder");
}

TEST(UriTemplate, StaysWithinItsBound) {
    const std::string hostile(300, '&');
    const auto p = params(hostile, hostile);
    const auto compiled = compile("http://pets/a/{petId}/{petId}?x={petId}&y={proxy}&z={petId}");
    ASSERT_TRUE(compiled);
    std::string out;
    ASSERT_TRUE(compiled->append(out, p, true, hostile));
    EXPECT_LE(out.size(), compiled->bound(p, hostile));
    EXPECT_GT(out.size(), 9U * hostile.size());
}

}  // namespace
}  // namespace sluice::gateway
