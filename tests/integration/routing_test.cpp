// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "support/proxied.hpp"

namespace test {
namespace {

// aws-semantics B.1; the body says which method served the request.
constexpr const char* kTable = R"(
restApis:
  - id: api
    resources:
      /test:          { POST:    { integration: { type: MOCK, body: "POST /test" } } }
      /test/any:      { ANY:     { integration: { type: MOCK, body: "ANY /test/any" } } }
      /{proxy+}:      { OPTIONS: { integration: { type: HTTP_PROXY, uri: "http://origin/options/{proxy}" } } }
      /pets/dog/1:    { GET:     { integration: { type: MOCK, body: "GET /pets/dog/1" } } }
      /pets/dog/{id}: { GET:     { integration: { type: HTTP_PROXY, uri: "http://origin/id/{id}" } } }
      /pets/{rest+}:  { GET:     { integration: { type: HTTP_PROXY, uri: "http://origin/rest/{rest}" } } }
stages: [ { restApiId: api, stageName: s } ]
backends: [ { name: origin, targets: [ { url: "${ORIGIN}" } ] } ]
)";

Answer target(const Received& r) { return Answer::of(200, r.target); }

TEST(Routing, FollowsTheAcceptanceVectors) {
    Proxied p{target, "", kTable};
    Client client = p.gateway.client();
    const auto served = [&](const std::string& method, const std::string& path) {
        return client.request(method, "/s" + path).body;
    };
    const std::string missing = R"({"message":"Missing Authentication Token"})";
    EXPECT_EQ(served("POST", "/test"), "POST /test");
    EXPECT_EQ(served("OPTIONS", "/test"), "/options/test");
    EXPECT_EQ(served("OPTIONS", "/test/any"), "ANY /test/any");
    EXPECT_EQ(served("GET", "/test"), missing);
    EXPECT_EQ(served("GET", "/pets/dog/1"), "GET /pets/dog/1");
    EXPECT_EQ(served("GET", "/pets/dog/1/"), "GET /pets/dog/1");
    EXPECT_EQ(served("GET", "/pets/dog/2"), "/id/2");
    EXPECT_EQ(served("GET", "/pets/dog/2/x"), "/rest/dog/2/x");
    EXPECT_EQ(served("GET", "/pets"), missing);
    EXPECT_EQ(served("GET", "/pets/a%2Fb"), "/rest/a%2Fb");
    EXPECT_EQ(client.head("/s/pets/dog/1").status, 403);
}

TEST(Routing, RefusalsLookLikeTheReference) {
    Proxied p{target, "", kTable};
    const Response route = p.gateway.get("/s/none");
    EXPECT_EQ(route.status, 403);
    EXPECT_EQ(route.header("x-amzn-ErrorType"), "MissingAuthenticationTokenException");
    EXPECT_EQ(route.header("Content-Type"), "application/json");
    EXPECT_FALSE(route.headers.has("X-Amzn-Trace-Id"));
    const Response stage = p.gateway.get("/other/test");
    EXPECT_EQ(stage.status, 403);
    EXPECT_EQ(stage.body, R"({"message":"Forbidden"})");
    EXPECT_EQ(stage.header("x-amzn-ErrorType"), "ForbiddenException");
    EXPECT_EQ(p.gateway.metrics().sum("sluice_unrouted_total"), 1);
}

TEST(Routing, StandardNormalisesWhatItMatchesAndForwards) {
    Proxied p{target, "", kTable};
    EXPECT_EQ(p.gateway.get("/s/%70ets/dog/2").body, "/id/2");
    EXPECT_EQ(p.gateway.get("//s//pets//dog//2").body, "/id/2");
    EXPECT_EQ(p.gateway.get("/s/pets/dog/1;v=2").body, "GET /pets/dog/1");
    EXPECT_EQ(p.gateway.get("/s/pets/dog/2;v=2").body, "/id/2;v=2");
    EXPECT_EQ(p.gateway.get("/s/pets/dog/%c3%a9").body, "/id/%c3%a9");
    EXPECT_EQ(p.gateway.get("/s/pets/..%2Fx").status, 400);
}

TEST(Routing, AwsKeepsThePathAsSent) {
    Proxied p{target, "compatibility: aws\n", kTable};
    EXPECT_EQ(p.gateway.get("/s/pets/test%2Balias@x").body, "/rest/test%2Balias@x");
    EXPECT_EQ(p.gateway.get("/s/pets/a//b").body, "/rest/a//b");
    EXPECT_EQ(p.gateway.get("/s/pets/a/").body, "/rest/a");
    EXPECT_EQ(p.gateway.get("//s/pets/dog/2").body, "/id/2");
    EXPECT_EQ(p.gateway.get("/s//pets/dog/2").body, "/id/2");
}

constexpr const char* kDomains = R"(
restApis:
  - { id: one, resources: { "/{proxy+}": { ANY: { integration: { type: MOCK, body: "one" } } } } }
  - { id: two, resources: { "/{proxy+}": { ANY: { integration: { type: MOCK, body: "two" } } },
                            /: { GET: { integration: { type: MOCK, body: "two root" } } } } }
stages: [ { restApiId: one, stageName: s }, { restApiId: two, stageName: s } ]
domainNames:
  - domainName: api.example.com
    basePathMappings:
      - { basePath: orders, restApiId: one, stage: s }
      - { basePath: orders/v2, restApiId: two, stage: s }
  - domainName: "*.example.com"
    basePathMappings: [ { basePath: "", restApiId: two, stage: s } ]
)";

TEST(Routing, DomainsAndBasePathsChooseTheStage) {
    Gateway gateway{kDomains};
    const auto body = [&](const std::string& host, const std::string& path) {
        return gateway.get(path, {{"Host", host}}).body;
    };
    const std::string forbidden = R"({"message":"Forbidden"})";
    EXPECT_EQ(body("api.example.com", "/orders/1"), "one");
    EXPECT_EQ(body("API.Example.COM.:8080", "/orders/1"), "one");
    EXPECT_EQ(body("api.example.com", "/orders/v2/1"), "two");
    EXPECT_EQ(body("api.example.com", "/orders/v2"), "two root");
    EXPECT_EQ(body("api.example.com", "/orders/v22"), "one");
    EXPECT_EQ(body("api.example.com", "/ordersx"), forbidden);
    EXPECT_EQ(body("other.example.com", "/x"), "two");
    EXPECT_EQ(body("a.b.example.com", "/x"), forbidden);
    EXPECT_EQ(body("api.example.com", "/ping"), "healthy");
}

TEST(Routing, WithoutDomainsTheHostOrThePathNamesTheApi) {
    Gateway gateway{R"(
restApis:
  - { id: one, resources: { "/x": { GET: { integration: { type: MOCK, body: "one" } } } } }
  - { id: two, resources: { "/x": { GET: { integration: { type: MOCK, body: "two" } } } } }
stages: [ { restApiId: one, stageName: s }, { restApiId: two, stageName: s } ]
)"};
    EXPECT_EQ(gateway.get("/s/x", {{"Host", "one.local"}}).body, "one");
    EXPECT_EQ(gateway.get("/s/x", {{"Host", "TWO.local:80"}}).body, "two");
    EXPECT_EQ(gateway.get("/_apis/two/s/x").body, "two");
    EXPECT_EQ(gateway.get("/s/x").status, 403);
}

TEST(Routing, StageVariablesAndOwnMethodReachTheUri) {
    Proxied p{echo, "", R"(
restApis:
  - id: api
    resources:
      /x: { GET: { integration: { type: HTTP_PROXY, httpMethod: POST,
                                  uri: "http://${stageVariables.where}/v/${stageVariables.version}?k=1" } } }
stages: [ { restApiId: api, stageName: s, variables: { where: origin, version: "7" } } ]
backends: [ { name: origin, targets: [ { url: "${ORIGIN}" } ] } ]
)"};
    EXPECT_EQ(p.gateway.get("/s/x?a=b").status, 200);
    EXPECT_EQ(p.origin.last().method, "POST");
    const std::string target = p.origin.last().target;
    EXPECT_TRUE(target.starts_with("/v/7?")) << target;
    EXPECT_NE(target.find("a=b"), std::string::npos);
    EXPECT_NE(target.find("k=1"), std::string::npos);
}

}  // namespace
}  // namespace test
