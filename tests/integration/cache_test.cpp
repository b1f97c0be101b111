// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <thread>

#include "support/load.hpp"
#include "support/proxied.hpp"

namespace test {
namespace {

std::string cached(const std::string& settings = "",
                   const std::string& keys = "method.request.querystring.param1",
                   const std::string& size = "0.5") {
    return R"(
restApis:
  - id: api
    name: Api
    resources:
      /x:
        GET:
          requestParameters: { method.request.querystring.param1: false, method.request.header.Origin: false,
                               method.request.header.Cookie: false }
          integration: { type: HTTP_PROXY, uri: "http://origin/x", cacheKeyParameters: [)" +
           keys + R"(] }
        POST: { integration: { type: HTTP_PROXY, uri: "http://origin/x" } }
      /y: { GET: { integration: { type: HTTP_PROXY, uri: "http://origin/y" } } }
stages:
  - restApiId: api
    stageName: s
    cacheClusterEnabled: true
    cacheClusterSize: ")" +
           size + R"("
    methodSettings: { "*/*": { cachingEnabled: true, cacheTtlInSeconds: 300 )" +
           (settings.empty() ? "" : ", " + settings) + R"( } }
backends: [ { name: origin, targets: [ { url: "${ORIGIN}" } ] } ]
)";
}

std::string short_lived() {
    std::string yaml = cached();
    const std::string long_life = "cacheTtlInSeconds: 300";
    return yaml.replace(yaml.find(long_life), long_life.size(), "cacheTtlInSeconds: 1");
}

/// Answers "1", "2", ...: equal bodies are hits.
Script counting(Headers headers = {}) {
    auto number = std::make_shared<std::atomic<int>>(0);
    return [number, headers](const Received&) {
        return Answer::of(200, std::to_string(++*number), headers);
    };
}

TEST(Cache, FollowsTheAcceptanceVectors) {
    Proxied p{counting(), "", cached()};
    const auto body = [&](const std::string& query) { return p.gateway.get("/s/x" + query).body; };
    EXPECT_EQ(body("?param1=111&param2=222"), "1");
    EXPECT_EQ(body("?param1=111&param2=333"), "1");
    EXPECT_EQ(body("?param2=333&param1=111"), "1");
    EXPECT_EQ(body("?param1=112"), "2");
    EXPECT_EQ(body(""), "3");
    EXPECT_EQ(body("?param1="), "4");
    EXPECT_EQ(body(""), "3");

    const Response ignored = p.gateway.get("/s/x?param1=111", {{"Cache-Control", "max-age=0"}});
    EXPECT_EQ(ignored.body, "1");
    EXPECT_EQ(ignored.header("Warning"),
              "199 Cache-control headers were ignored because the caller was unauthorized.");

    EXPECT_EQ(p.gateway.admin("/restapis/api/stages/s/cache/data", "DELETE").status, 202);
    EXPECT_EQ(body("?param1=111"), "5");

    Client client = p.gateway.client();
    EXPECT_EQ(client.post("/s/x?param1=111", "").body, "6");
    EXPECT_EQ(client.post("/s/x?param1=111", "").body, "7");

    const Metrics metrics = p.gateway.metrics();
    EXPECT_EQ(metrics.sum("sluice_cache_hits_total"), 4);
    EXPECT_EQ(metrics.sum("sluice_cache_misses_total"), 5);
    EXPECT_GT(metrics.sum("sluice_cache_bytes"), 0);
    EXPECT_EQ(metrics.sum("sluice_cache_entries"), 1);
}

TEST(Cache, HitCarriesAgeAndFreshIds) {
    Proxied p{counting({{"X-Own", "kept"}, {"Content-Type", "text/x"}}), "", cached()};
    const Response miss = p.gateway.get("/s/x");
    const Response hit = p.gateway.get("/s/x");
    EXPECT_EQ(hit.body, miss.body);
    EXPECT_EQ(hit.header("X-Own"), "kept");
    EXPECT_EQ(hit.header("Content-Type"), "text/x");
    EXPECT_FALSE(miss.headers.has("Age"));
    EXPECT_TRUE(hit.headers.has("Age"));
    EXPECT_NE(hit.header("x-amzn-RequestId"), miss.header("x-amzn-RequestId"));
    EXPECT_EQ(hit.headers.all("x-amzn-RequestId").size(), 1U);
}

TEST(Cache, TtlEnds) {
    Proxied p{counting(), "", short_lived()};
    EXPECT_EQ(p.gateway.get("/s/x").body, "1");
    const bool renewed = eventually([&] { return p.gateway.get("/s/x").body == "2"; }, 3s);
    EXPECT_TRUE(renewed);
    EXPECT_EQ(p.origin.count(), 2);
}

TEST(Cache, OnlyWithTheStageSwitch) {
    std::string yaml = cached();
    const std::string on = "cacheClusterEnabled: true";
    yaml.replace(yaml.find(on), on.size(), "cacheClusterEnabled: false");
    Proxied p{counting(), "", yaml};
    EXPECT_EQ(p.gateway.get("/s/x").body, "1");
    EXPECT_EQ(p.gateway.get("/s/x").body, "2");
    EXPECT_EQ(p.gateway.metrics().sum("sluice_cache_misses_total"), 0);
}

TEST(Cache, OriginInTheKeyKeepsSitesApart) {
    Proxied p{[](const Received& r) {
                  return Answer::of(200, "", {{"Access-Control-Allow-Origin", r.header("Origin")}});
              },
              "", cached("", "method.request.header.Origin")};
    for (int round = 0; round < 2; ++round)
        for (const char* site : {"https://a.example", "https://b.example"})
            EXPECT_EQ(
                p.gateway.get("/s/x", {{"Origin", site}}).header("Access-Control-Allow-Origin"),
                site);
    EXPECT_EQ(p.origin.count(), 2);
}

TEST(Cache, SetCookieIsNeverShared) {
    for (const char* personality : {"standard", "aws"}) {
        Proxied p{counting({{"Set-Cookie", "session=1"}}),
                  std::string{"compatibility: "} + personality + "\n", cached()};
        EXPECT_EQ(p.gateway.get("/s/x").body, "1");
        EXPECT_EQ(p.gateway.get("/s/x").body, "2") << personality;
    }
}

struct Answered {
    const char* name;
    Headers answer;
    bool standard, aws;  ///< stored?
};

TEST(Cache, BackendsWishesCountInStandardOnly) {
    for (const Answered& c : std::vector<Answered>{
             {"no-store", {{"Cache-Control", "no-store"}}, false, true},
             {"private", {{"Cache-Control", "x, Private"}}, false, true},
             {"max-age=0", {{"Cache-Control", "max-age=0"}}, false, true},
             {"s-maxage=0", {{"Cache-Control", "max-age=9, s-maxage=0"}}, false, true},
             {"max-age", {{"Cache-Control", "max-age=100"}}, true, true},
             {"Vary *", {{"Vary", "*"}}, false, true},
             {"Vary outside the key", {{"Vary", "Accept-Language"}}, false, true},
             {"plain", {}, true, true}}) {
        for (const bool aws : {false, true}) {
            Proxied p{counting(c.answer), aws ? "compatibility: aws\n" : "", cached()};
            p.gateway.get("/s/x");
            EXPECT_EQ(p.gateway.get("/s/x").body == "1", aws ? c.aws : c.standard)
                << c.name << (aws ? " aws" : " standard");
        }
    }
}

TEST(Cache, RequestsWithCredentialsStayPrivateInStandard) {
    Proxied p{counting(), "", cached()};
    EXPECT_EQ(p.gateway.get("/s/x", {{"Authorization", "Bearer a"}}).body, "1");
    EXPECT_EQ(p.gateway.get("/s/x", {{"Authorization", "Bearer b"}}).body, "2");
    EXPECT_EQ(p.gateway.get("/s/x", {{"Cookie", "a=1"}}).body, "3");
    EXPECT_EQ(p.gateway.get("/s/x").body, "4");
    EXPECT_EQ(p.gateway.get("/s/x").body, "4");
    EXPECT_EQ(p.gateway.get("/s/x", {{"Cookie", "a=1"}}).body, "5");
}

TEST(Cache, OnlyListedStatusesAreStoredInStandard) {
    for (const auto& [status, stored] : std::map<int, bool>{{200, true},
                                                            {203, true},
                                                            {301, true},
                                                            {404, true},
                                                            {410, true},
                                                            {201, false},
                                                            {302, false},
                                                            {400, false},
                                                            {429, false},
                                                            {500, false},
                                                            {503, false}}) {
        auto number = std::make_shared<std::atomic<int>>(0);
        Proxied p{[number, s = status](const Received&) {
                      return Answer::of(s, std::to_string(++*number));
                  },
                  "", cached()};
        p.gateway.get("/s/x");
        p.gateway.get("/s/x");
        EXPECT_EQ(p.origin.count(), stored ? 1 : 2) << status;
    }
}

TEST(Cache, TooLargeIsServedAndNotStored) {
    for (const std::size_t size : {std::size_t{900'000}, std::size_t{1'048'577}}) {
        Proxied p{[size](const Received&) { return Answer::of(200, std::string(size, 'x')); }, "",
                  cached()};
        EXPECT_EQ(p.gateway.get("/s/x").body.size(), size);
        EXPECT_EQ(p.gateway.get("/s/x").body.size(), size);
        EXPECT_EQ(p.origin.count(), size > 1'048'576 ? 2 : 1);
    }
}

TEST(Cache, CutShortIsNeverStored) {
    auto calls = std::make_shared<std::atomic<int>>(0);
    Proxied p{
        [calls](const Received&) {
            if (++*calls == 1)
                return Answer::raw("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf").close();
            return Answer::of(200, "whole body");
        },
        "", cached()};
    EXPECT_FALSE(p.gateway.get("/s/x").complete);
    EXPECT_EQ(p.gateway.get("/s/x").body, "whole body");
    EXPECT_EQ(p.gateway.get("/s/x").body, "whole body");
    EXPECT_EQ(p.origin.count(), 2);
}

TEST(Cache, StaysWithinItsBytes) {
    constexpr double kLimit = 1024 * 1024;
    Proxied p{[](const Received&) { return Answer::of(200, std::string(50'000, 'x')); }, "",
              cached("", "method.request.querystring.param1", "1MiB")};
    Client client = p.gateway.client();
    for (int i = 0; i < 100; ++i) {
        EXPECT_EQ(client.get("/s/x?param1=" + std::to_string(i)).body.size(), 50'000U);
        if (i % 20 == 0) {
            EXPECT_LE(p.gateway.metrics().sum("sluice_cache_bytes"), kLimit);
        }
    }
    const Metrics metrics = p.gateway.metrics();
    EXPECT_LE(metrics.sum("sluice_cache_bytes"), kLimit);
    EXPECT_GT(metrics.sum("sluice_cache_entries"), 5);
    EXPECT_GE(metrics.sum("sluice_cache_evictions_total"), 75);
}

TEST(Cache, EveryoneMayInvalidateWhenNoAuthorizationIsRequired) {
    Proxied p{counting(), "", cached("requireAuthorizationForCacheControl: false")};
    EXPECT_EQ(p.gateway.get("/s/x").body, "1");
    const Response renewed = p.gateway.get("/s/x", {{"Cache-Control", "no-transform, MAX-AGE=0"}});
    EXPECT_EQ(renewed.body, "2");
    EXPECT_FALSE(renewed.headers.has("Warning"));
    EXPECT_EQ(p.gateway.get("/s/x").body, "2");
    EXPECT_EQ(p.gateway.get("/s/x", {{"Cache-Control", "no-cache"}}).body, "2");
    EXPECT_EQ(p.gateway.metrics().sum("sluice_cache_misses_total"), 2);
}

TEST(Cache, UnauthorizedInvalidationCanFail) {
    Proxied p{counting(), "", cached("unauthorizedCacheControlHeaderStrategy: FAIL_WITH_403")};
    EXPECT_EQ(p.gateway.get("/s/x").body, "1");
    const Response r = p.gateway.get("/s/x", {{"Cache-Control", "max-age=0"}});
    EXPECT_EQ(r.status, 403);
    EXPECT_EQ(r.header("x-amzn-ErrorType"), "AccessDeniedException");
    EXPECT_NE(r.body.find("execute-api:InvalidateCache"), std::string::npos) << r.body;
    EXPECT_EQ(p.origin.count(), 1);
}

TEST(Cache, UnauthorizedInvalidationCanBeIgnoredSilently) {
    Proxied p{counting(), "",
              cached("unauthorizedCacheControlHeaderStrategy: SUCCEED_WITHOUT_RESPONSE_HEADER")};
    EXPECT_EQ(p.gateway.get("/s/x").body, "1");
    const Response r = p.gateway.get("/s/x", {{"Cache-Control", "max-age=0"}});
    EXPECT_EQ(r.body, "1");
    EXPECT_FALSE(r.headers.has("Warning"));
}

class Coalescing : public testing::TestWithParam<int> {
protected:
    /// Forty clients ask at once; the answer comes only when all of them have asked.
    std::vector<Response> ask_together(Proxied& p, Gate& gate) {
        constexpr int kClients = 40;
        std::vector<Response> answers(kClients);
        std::vector<std::jthread> clients;
        for (int i = 0; i < kClients; ++i)
            clients.emplace_back(
                [&, i] { answers[static_cast<std::size_t>(i)] = p.gateway.get("/s/x"); });
        const bool all_wait = eventually(
            [&] { return p.gateway.scrape().sum("sluice_requests_in_flight") >= kClients; });
        EXPECT_TRUE(all_wait);
        gate.open();
        clients.clear();
        return answers;
    }
};

TEST_P(Coalescing, ConcurrentMissesMakeOneCall) {
    auto gate = std::make_shared<Gate>();
    Proxied p{[gate](const Received&) {
                  return Answer::nothing().after(gate).then(
                      Answer::text_of(200, std::string(200'000, 'z')));
              },
              "",
              cached(),
              {.workers = GetParam()}};
    for (const Response& r : ask_together(p, *gate)) {
        EXPECT_EQ(r.status, 200);
        EXPECT_EQ(r.body.size(), 200'000U);
        EXPECT_TRUE(r.complete);
    }
    EXPECT_EQ(p.origin.count(), 1);
}

TEST_P(Coalescing, WaitersOfAFailedLeaderAskThemselves) {
    auto gate = std::make_shared<Gate>();
    auto calls = std::make_shared<std::atomic<int>>(0);
    Proxied p{[gate, calls](const Received&) {
                  if (++*calls == 1)
                      return Answer::nothing().after(gate).then("garbage\r\n\r\n").close();
                  return Answer::of(200, "good");
              },
              "",
              cached(),
              {.workers = GetParam()}};
    int failed = 0;
    for (const Response& r : ask_together(p, *gate))
        failed += r.status == 200 ? 0 : 1;
    EXPECT_LE(failed, 1) << "only the leader may see the failure";
    EXPECT_GE(p.origin.count(), 2);
    EXPECT_EQ(p.gateway.get("/s/x").body, "good");
}

TEST_P(Coalescing, UncacheableAnswerIsNotShared) {
    auto gate = std::make_shared<Gate>();
    auto number = std::make_shared<std::atomic<int>>(0);
    Proxied p{[gate, number](const Received&) {
                  const std::string own = std::to_string(++*number);
                  return Answer::nothing().after(gate).then(
                      Answer::text_of(200, own, {{"Set-Cookie", "id=" + own}}));
              },
              "",
              cached(),
              {.workers = GetParam()}};
    std::map<std::string, int> cookies;
    for (const Response& r : ask_together(p, *gate))
        ++cookies[r.header("Set-Cookie")];
    for (const auto& [cookie, times] : cookies)
        EXPECT_EQ(times, 1) << cookie;
}

INSTANTIATE_TEST_SUITE_P(Workers, Coalescing, testing::Values(1, 2));

TEST(Cache, FirstClientIsNotDelayedByTheFill) {
    auto gate = std::make_shared<Gate>();
    Proxied p{[gate](const Received&) {
                  return Answer::raw("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc")
                      .after(gate)
                      .then("def");
              },
              "", cached()};
    Client client = p.gateway.client();
    client.send(client.text_of("GET", "/s/x"));
    std::string seen;
    client.read("GET", [&](std::string_view part) {
        seen += part;
        gate->open();
    });
    EXPECT_EQ(seen, "abcdef");
    EXPECT_EQ(p.gateway.get("/s/x").body, "abcdef");
    EXPECT_EQ(p.origin.count(), 1);
}

TEST(Cache, FlushIsPerStageAndUnknownStagesAreRefused) {
    Proxied p{counting(), "", cached()};
    EXPECT_EQ(p.gateway.get("/s/x").body, "1");
    EXPECT_EQ(p.gateway.admin("/restapis/api/stages/none/cache/data", "DELETE").status, 404);
    EXPECT_EQ(p.gateway.admin("/restapis/none/stages/s/cache/data", "DELETE").status, 404);
    EXPECT_EQ(p.gateway.get("/s/x").body, "1");
}

TEST(Cache, SurvivesAReloadOrIsEmptyButNeverWrong) {
    Proxied p{counting(), "", cached()};
    p.gateway.get("/s/x");
    ASSERT_EQ(p.gateway.reload().status, 200);
    const std::string after = p.gateway.get("/s/x").body;
    EXPECT_EQ(p.gateway.get("/s/x").body, after);
}

}  // namespace
}  // namespace test
