// SPDX-License-Identifier: Apache-2.0
#include "config/paths.hpp"

#include <gtest/gtest.h>

namespace sluice::config {
namespace {

TEST(MethodKeys, AreNormalised) {
    const std::pair<const char*, const char*> cases[] = {
        {"*/*", "*/*"},
        {"/*/*", "*/*"},
        {"pets/GET", "pets/GET"},
        {"/pets/GET", "pets/GET"},
        {"~1pets/GET", "pets/GET"},
        {"~1pets~1{petId}/GET", "pets/{petId}/GET"},
        {"/~1pets~1{petId}/GET", "pets/{petId}/GET"},
        {"pets/{petId}/ANY", "pets/{petId}/ANY"},
        {"/GET", "/GET"},
        {"//GET", "/GET"},
        {"~1/GET", "/GET"},
        {"/~1/GET", "/GET"},
        {"a~01/GET", "a~1/GET"},
    };
    for (const auto& [key, normal] : cases)
        EXPECT_EQ(normal_method_key(key), normal) << key;
    for (const char* bad : {"", "GET", "pets", "pets/get", "pets/*", "*/GET/", "pets/TRACE", "/"}) {
        EXPECT_FALSE(normal_method_key(bad)) << bad;
    }
    EXPECT_EQ(method_key("/pets/{petId}", "GET"), "pets/{petId}/GET");
    EXPECT_EQ(method_key("/", "GET"), "/GET");
}

TEST(Paths, HaveVariables) {
    EXPECT_EQ(segments_of("/"), std::vector<std::string>{});
    EXPECT_EQ(segments_of("/a/{b}"), (std::vector<std::string>{"a", "{b}"}));
    EXPECT_EQ(variables_of("/a/{b}/c/{d+}"), (std::vector<std::string>{"b", "d"}));
    EXPECT_TRUE(is_greedy("{proxy+}"));
    EXPECT_FALSE(is_greedy("{proxy}"));
}

TEST(Paths, KeepTheRulesOfTheResourceTree) {
    for (const char* good :
         {"/", "/a", "/a/b", "/{id}", "/a/{id}/b", "/{proxy+}", "/a/{b.c$-_}", "/v1.2,x:y_z-"}) {
        EXPECT_FALSE(path_fault(good)) << good;
    }
    for (const char* bad : {"",        "a",     "/a/",   "//",   "/a//b",    "/.",    "/a/..",
                            "/a{b}",   "/{b}a", "/{",    "/}",   "/{}",      "/{+}",  "/{a b}",
                            "/{a+}/b", "/a b",  "/a%41", "/a;b", "/{a}/{a}", "/{{a}}"}) {
        EXPECT_TRUE(path_fault(bad)) << bad;
    }
}

TEST(Uris, AreTakenApart) {
    const UriTemplate uri =
        parse_uri("https://api.example.com:8443/${stageVariables.version}/{id}?x={q}&y=%41");
    EXPECT_EQ(uri.fault, "");
    EXPECT_EQ(uri.host, "api.example.com");
    EXPECT_EQ(uri.port, "8443");
    EXPECT_EQ(uri.parameters, (std::vector<std::string>{"id", "q"}));
    EXPECT_EQ(uri.stage_variables, std::vector<std::string>{"version"});
}

TEST(Uris, HaveNoHostWhenAStageVariableIsPartOfIt) {
    for (const char* text : {"http://${stageVariables.host}/", "http://${stageVariables.a}.b.c/",
                             "http://a:${stageVariables.port}/x"}) {
        EXPECT_EQ(parse_uri(text).fault, "") << text;
        EXPECT_EQ(parse_uri(text).host, "") << text;
    }
    EXPECT_EQ(parse_uri("http://a/${stageVariables.b}").host, "a");
}

TEST(Uris, NeverLetTheCallerChooseTheHost) {
    for (const char* text : {"http://{host}/", "http://a.{host}/", "http://a:{port}/",
                             "http://{a}@b/", "http://x{a}?", "http://${stageVariables.x}{a}/"}) {
        EXPECT_NE(parse_uri(text).fault, "") << text;
    }
}

TEST(Parameters, HaveALocationAndAName) {
    const auto parameter = request_parameter("method.request.multivalueheader.X-A.b");
    ASSERT_TRUE(parameter);
    EXPECT_EQ(parameter->location, "header");
    EXPECT_EQ(parameter->name, "X-A.b");
    for (const char* bad : {"", "method.request.", "method.request.header",
                            "method.request.header.", "method.request..x", "method.request.body.x",
                            "integration.request.path.x", "Method.request.header.x"}) {
        EXPECT_FALSE(request_parameter(bad)) << bad;
    }
}

}  // namespace
}  // namespace sluice::config
