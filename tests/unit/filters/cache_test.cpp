// SPDX-License-Identifier: Apache-2.0
#include "filters/cache.hpp"

#include <gtest/gtest.h>

#include <string>

#include "filters/registry.hpp"
#include "support/call.hpp"

namespace sluice::filters {
namespace {

using namespace std::chrono_literals;
using ::test::Call;
using ::test::Site;

std::string yaml(const std::string& settings = "cachingEnabled: true",
                 const std::string& compatibility = "standard") {
    return "compatibility: " + compatibility + R"(
restApis:
  - id: a
    resources:
      /x:
        GET:
          requestParameters: { method.request.querystring.q: false }
          integration: { type: HTTP_PROXY, uri: "http://b/", timeoutInMillis: 50,
                         cacheKeyParameters: [method.request.querystring.q] }
      /any: { ANY: { integration: { type: MOCK } } }
stages:
  - { restApiId: a, stageName: s, cacheClusterEnabled: true, cacheClusterSize: 8MiB,
      methodSettings: { "*/*": { )" +
           settings + R"( } } }
backends: [ { name: b, targets: [ { url: "http://127.0.0.1:1" } ] } ]
)";
}
std::string get(const std::string& target = "/s/x", const std::string& fields = "") {
    return "GET " + target + " HTTP/1.1\r\nHost: h\r\n" + fields + "\r\n";
}

class CacheTest : public testing::Test {
protected:
    /// Asks, leads when nobody has the answer, and stores `body`.
    static void store(Site& site, const std::string& request, const std::string& body,
                      const std::string& fields = "") {
        Call call{site, request};
        ASSERT_EQ(call.filter(), Verdict::wait);
        call.resume();
        ASSERT_TRUE(call.decided());
        ASSERT_EQ(call.verdict(), Verdict::pass);
        ASSERT_TRUE(call.x().fill);
        EXPECT_EQ(call.x().cache, CacheStatus::miss);
        EXPECT_NE(call.x().caching, nullptr);
        commit(site, call, body, fields);
    }
    static void commit(Site& site, Call& call, const std::string& body,
                       const std::string& fields = "") {
        site.thread.run([&] {
            EXPECT_TRUE(call.x().fill.append(body));
            call.x().fill.commit(200, fields, call.x().started, call.x().started + 300s, 0);
        });
    }
    /// The cached body, or what happens instead.
    static std::string outcome(Site& site, const std::string& request,
                               std::chrono::seconds after = 0s) {
        Call call{site, request};
        call.x().started += after;
        const Verdict verdict = call.filter();
        if (verdict == Verdict::wait) return "miss";
        if (call.x().cached) {
            EXPECT_EQ(verdict, Verdict::reply);
            EXPECT_EQ(call.x().cache, CacheStatus::hit);
            return call.x().cached->body;
        }
        if (verdict == Verdict::reply) return "refused";
        if (call.x().cache == CacheStatus::bypass) {
            EXPECT_FALSE(call.x().fill);
            return "bypass";
        }
        return call.x().fill ? "leads" : "pass";
    }
    Site site_{yaml(), registry()};
};

TEST_F(CacheTest, AnswersWhatWasStored) {
    EXPECT_EQ(outcome(site_, get()), "miss");
    store(site_, get(), "stored");
    EXPECT_EQ(outcome(site_, get()), "stored");
    EXPECT_EQ(outcome(site_, get(), 299s), "stored");
    EXPECT_EQ(outcome(site_, get(), 301s), "miss");
}

TEST_F(CacheTest, KeepsApartWhatTheKeyTellsApart) {
    store(site_, get("/s/x?q=1"), "one");
    EXPECT_EQ(outcome(site_, get("/s/x?q=1")), "one");
    EXPECT_EQ(outcome(site_, get("/s/x?q=2")), "miss");
    EXPECT_EQ(outcome(site_, get("/s/x")), "miss");
    EXPECT_EQ(outcome(site_, get("/s/x?other=9&q=1")), "one") << "not in the key";
    EXPECT_EQ(outcome(site_, get("/s/x?q=1", "Accept: b\r\n")), "one");
}

TEST_F(CacheTest, LetsOneRequestLeadAndTheOthersWaitForItsAnswer) {
    Call leader{site_, get()};
    ASSERT_EQ(leader.filter(), Verdict::wait);
    leader.resume();
    ASSERT_TRUE(leader.decided());
    Call waiter{site_, get()};
    ASSERT_EQ(waiter.filter(), Verdict::wait);
    waiter.resume();
    EXPECT_EQ(waiter.verdict(), std::nullopt);
    commit(site_, leader, "shared");
    ASSERT_TRUE(waiter.decided());
    EXPECT_EQ(waiter.verdict(), Verdict::reply);
    ASSERT_TRUE(waiter.x().cached);
    EXPECT_EQ(waiter.x().cached->body, "shared");
    EXPECT_EQ(waiter.x().cache, CacheStatus::hit);
}

TEST_F(CacheTest, SendsWaitersToTheBackendWhenTheirLeaderFails) {
    Call leader{site_, get()};
    leader.filter();
    leader.resume();
    ASSERT_TRUE(leader.decided());
    Call waiter{site_, get()};
    waiter.filter();
    waiter.resume();
    site_.thread.run([&] { leader.x().fill.abandon(); });
    ASSERT_TRUE(waiter.decided());
    EXPECT_EQ(waiter.verdict(), Verdict::pass);
    EXPECT_EQ(waiter.x().cache, CacheStatus::miss);
}

TEST_F(CacheTest, GivesUpWaitingWhenTheIntegrationsTimeIsOver) {
    Call leader{site_, get()};
    leader.filter();
    leader.resume();
    ASSERT_TRUE(leader.decided());
    Call waiter{site_, get()};
    waiter.filter();
    waiter.resume();
    ASSERT_TRUE(waiter.decided());
    EXPECT_EQ(waiter.verdict(), Verdict::reply);
    EXPECT_EQ(waiter.x().reply_type, Reply::integration_timeout);
    commit(site_, leader, "late");  // must not touch the request that left
    site_.thread.run([] {});
    EXPECT_FALSE(waiter.x().cached);
}

TEST_F(CacheTest, IsNeitherAskedNorFilledForRequestsWithAuthorization) {
    store(site_, get(), "stored");
    EXPECT_EQ(outcome(site_, get("/s/x", "Authorization: Basic x\r\n")), "bypass");
}

TEST_F(CacheTest, AnswersARequestWithCookiesOnlyWithWhatIsForEveryone) {
    const std::string with_cookie = get("/s/x", "Cookie: id=1\r\n");
    EXPECT_EQ(outcome(site_, with_cookie), "leads") << "and nobody waits for it";
    store(site_, get(), "private to whoever asked");
    EXPECT_EQ(outcome(site_, with_cookie), "bypass");
    store(site_, get("/s/x?q=2"), "public", "Cache-Control: public\r\n");
    EXPECT_EQ(outcome(site_, get("/s/x?q=2", "Cookie: id=1\r\n")), "public");
}

/// aws-semantics 5.5: nobody is authorised to invalidate yet.
TEST_F(CacheTest, TreatsAClientsWishForAFreshAnswerAsTheStrategySays) {
    const std::string fresh = get("/s/x", "Cache-Control: max-age=0\r\n");
    store(site_, get(), "stored");
    {
        Call call{site_, fresh};
        EXPECT_EQ(call.filter(), Verdict::reply);
        EXPECT_TRUE(call.x().cached);
        EXPECT_TRUE(call.x().cache_warning);
    }
    Site silent{yaml("cachingEnabled: true, unauthorizedCacheControlHeaderStrategy: "
                     "SUCCEED_WITHOUT_RESPONSE_HEADER"),
                registry()};
    store(silent, get(), "stored");
    {
        Call call{silent, fresh};
        EXPECT_EQ(call.filter(), Verdict::reply);
        EXPECT_FALSE(call.x().cache_warning);
    }
    Site strict{yaml("cachingEnabled: true, unauthorizedCacheControlHeaderStrategy: "
                     "FAIL_WITH_403"),
                registry()};
    {
        Call call{strict, fresh};
        EXPECT_EQ(call.filter(), Verdict::reply);
        EXPECT_EQ(call.x().reply_type, Reply::access_denied_cache);
    }
    Site anyone{yaml("cachingEnabled: true, requireAuthorizationForCacheControl: false"),
                registry()};
    store(anyone, get(), "stored");
    EXPECT_EQ(outcome(anyone, fresh), "leads") << "replaces what is stored";
    EXPECT_EQ(outcome(anyone, get()), "stored");
}

TEST_F(CacheTest, CachesOnlyTheGetTrafficOfAnAnyMethod) {
    EXPECT_EQ(outcome(site_, get("/s/any")), "miss");
    Call put{site_, "PUT /s/any HTTP/1.1\r\nHost: h\r\n\r\n"};
    EXPECT_EQ(put.filter(), Verdict::pass);
    EXPECT_EQ(put.x().cache, CacheStatus::none);
}

TEST_F(CacheTest, IsNotInTheChainWhereItIsSwitchedOff) {
    for (const auto* settings :
         {"cachingEnabled: false", "cachingEnabled: true, cacheTtlInSeconds: 0"}) {
        Site off{yaml(settings), registry()};
        Call call{off, get()};
        EXPECT_EQ(call.filter(), Verdict::pass) << settings;
        EXPECT_EQ(call.x().filters_run, 0);
    }
}

}  // namespace
}  // namespace sluice::filters
