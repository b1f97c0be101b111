// SPDX-License-Identifier: Apache-2.0
#include "gateway/cache_rules.hpp"

#include <gtest/gtest.h>

namespace sluice::gateway {
namespace {

using namespace std::chrono_literals;
using std::chrono::seconds;

constexpr auto kStandard = Compatibility::standard;
constexpr auto kAws = Compatibility::aws;
constexpr WallTime kNow{std::chrono::sys_days{std::chrono::year{2026} / 11 / 21}};

using Fields = std::vector<std::pair<std::string_view, std::string_view>>;

http::FieldList list(const Fields& fields) {
    http::FieldList out;
    for (const auto& [name, value] : fields) {
        out.push({http::field_id(name), name, value});
    }
    return out;
}

CacheKey key_with(const std::vector<std::string>& parameters) {
    return *CacheKey::compile({}, parameters, {}, {}, kStandard);
}

StoreDecision decide(const Fields& fields, Compatibility personality = kStandard, int status = 200,
                     const CacheKey& key = key_with({}), CacheUse use = CacheUse::normal,
                     seconds ttl = 300s) {
    http::ResponseHead response;
    response.status = status;
    response.fields = list(fields);
    return may_store(response, key, use, ttl, kNow, personality);
}

std::string_view refusal(const Fields& fields, Compatibility personality = kStandard) {
    const auto decision = decide(fields, personality);
    EXPECT_EQ(decision.store, decision.reason.empty());
    return decision.reason;
}

CacheUse use_of(const Fields& fields, Compatibility personality = kStandard,
                const CacheKey& key = key_with({}), http::Verb verb = http::Verb::get,
                std::uint64_t body = 0) {
    http::RequestHead request;
    request.verb = verb;
    request.fields = list(fields);
    request.content_length = body;
    request.framing = body != 0 ? http::Framing::length : http::Framing::none;
    return cache_use(request, key, personality);
}

// ---------------------------------------------------------------- storing

TEST(MayStore, NeedsNothingFromTheBackend) {
    const auto decision = decide({});
    EXPECT_TRUE(decision.store);
    EXPECT_EQ(decision.fresh_for, 300s);
    EXPECT_EQ(decision.initial_age, 0U);
}

TEST(MayStore, StoresSevenStatuses) {
    for (int status = 100; status < 600; ++status) {
        const bool expected = status == 200 || status == 203 || status == 204 || status == 300 ||
                              status == 301 || status == 404 || status == 410;
        for (const auto personality : {kStandard, kAws}) {
            EXPECT_EQ(decide({}, personality, status).store, expected) << status;
        }
    }
}

TEST(MayStore, NeverStoresCookiesOrPartsInEitherPersonality) {
    for (const auto personality : {kStandard, kAws}) {
        EXPECT_EQ(refusal({{"Set-Cookie", "a=b"}}, personality), "set_cookie");
        EXPECT_EQ(refusal({{"Set-Cookie", "a=b"}, {"Cache-Control", "public"}}, personality),
                  "set_cookie");
        EXPECT_EQ(refusal({{"Content-Range", "bytes 0-1/2"}}, personality), "partial");
        EXPECT_EQ(decide({}, personality, 200, key_with({}), CacheUse::bypass).reason, "bypass");
        EXPECT_EQ(decide({}, personality, 200, key_with({}), CacheUse::normal, 0s).reason, "ttl");
    }
}

TEST(MayStore, ObeysWhatTheBackendForbidsInStandard) {
    struct {
        std::string_view value, reason;
    } const cases[] = {{"no-store", "no_store"},
                       {"NO-STORE", "no_store"},
                       {"public,no-store", "no_store"},
                       {"no-store=1", "no_store"},
                       {"private", "private"},
                       {"private=\"set-cookie\"", "private"},
                       {"no-cache", "no_cache"},
                       {"no-cache=\"x, y\"", "no_cache"},
                       {"max-age=0", "stale"},
                       {"s-maxage=0, max-age=100", "stale"},
                       {"max-age=-1", "stale"},
                       {"max-age=abc", "stale"},
                       {"max-age", "stale"},
                       {"max-age=", "stale"},
                       {"max-age=100, max-age=0", "stale"},
                       {"max-age = 100", "cache_control"},
                       {"no-store; private", "cache_control"},
                       {"max-age=100; no-store", "cache_control"},
                       {"public \"", "cache_control"},
                       {"x=\"no-store", "cache_control"},
                       {"x=\"a\\\"", "cache_control"}};
    for (const auto& c : cases) {
        EXPECT_EQ(refusal({{"Cache-Control", c.value}}), c.reason) << c.value;
        EXPECT_EQ(refusal({{"Cache-Control", c.value}}, kAws), "") << "aws does not ask";
    }
}

TEST(MayStore, ReadsSeveralFieldsAsOneList) {
    EXPECT_EQ(refusal({{"Cache-Control", "public"}, {"cache-control", "no-store"}}), "no_store");
    EXPECT_EQ(refusal({{"Cache-Control", "x=\"no-store, private\", public"}}), "")
        << "inside quotes";
    EXPECT_EQ(refusal({{"Cache-Control", "x=\"a\\\", no-store\""}}), "");
    EXPECT_EQ(refusal({{"Cache-Control", "x=\"a\\\\\", no-store"}}), "no_store");
    EXPECT_EQ(refusal({{"Cache-Control", ",, ,immutable,stale-while-revalidate=5,"}}), "");
}

TEST(MayStore, ShortensTheTimeToLiveAndNeverLengthensIt) {
    struct {
        std::string_view value;
        seconds fresh_for;
    } const cases[] = {{"max-age=60", 60s},
                       {"max-age=\"60\"", 60s},
                       {"max-age=3600", 300s},
                       {"max-age=99999999999999999999", 300s},
                       {"max-age=10, s-maxage=20", 20s},
                       {"s-maxage=5, max-age=100", 5s},
                       {"max-age=100, max-age=50", 50s},
                       {"Max-Age=7", 7s},
                       {"must-revalidate", 300s}};
    for (const auto& c : cases) {
        EXPECT_EQ(decide({{"Cache-Control", c.value}}).fresh_for, c.fresh_for) << c.value;
        EXPECT_EQ(decide({{"Cache-Control", c.value}}, kAws).fresh_for, 300s) << c.value;
    }
}

TEST(MayStore, CountsTheAgeTheBackendSent) {
    const auto decision = decide({{"Cache-Control", "max-age=60"}, {"Age", "50"}});
    EXPECT_EQ(decision.fresh_for, 10s);
    EXPECT_EQ(decision.initial_age, 50U);
    EXPECT_EQ(refusal({{"Cache-Control", "max-age=60"}, {"Age", "60"}}), "stale");
    EXPECT_EQ(refusal({{"Cache-Control", "max-age=60"}, {"Age", "9999999999999"}}), "stale");
    EXPECT_EQ(refusal({{"Cache-Control", "max-age=60"}, {"Age", "1"}, {"Age", "61, 2"}}), "stale");
    EXPECT_EQ(decide({{"Cache-Control", "max-age=60"}, {"Age", "x"}}).fresh_for, 60s);
    EXPECT_EQ(decide({{"Age", "1000"}}).fresh_for, 300s) << "the method's own time counts from now";
}

TEST(MayStore, TakesExpiresWhereNoAgeIsGiven) {
    EXPECT_EQ(decide({{"Expires", "Sat, 21 Nov 2026 00:01:00 GMT"}}).fresh_for, 60s);
    EXPECT_EQ(decide({{"Expires", "Sat, 21 Nov 2026 00:01:00 GMT"},
                      {"Date", "Sat, 21 Nov 2026 00:00:30 GMT"}})
                  .fresh_for,
              30s);
    EXPECT_EQ(decide({{"Expires", "Sat, 21 Nov 2026 00:01:00 GMT"}, {"Cache-Control", "max-age=5"}})
                  .fresh_for,
              5s);
    EXPECT_EQ(decide({{"Expires", "Fri, 31 Dec 9999 23:59:59 GMT"}}).fresh_for, 300s);
    for (const auto* broken :
         {"0", "-1", "", "Sat, 21 Nov 2026 00:01:00", "Sat, 31 Feb 2027 00:01:00 GMT",
          "Sat, 21 Foo 2026 00:01:00 GMT", "Sat, 21 Nov 2026 24:01:00 GMT",
          "Sat, 21 Nov 2026 0x:01:00 GMT", "Thu, 01 Jan 1970 00:00:00 GMT"}) {
        EXPECT_EQ(refusal({{"Expires", broken}}), "stale") << broken;
    }
    EXPECT_EQ(refusal({{"Expires", "Sat, 21 Nov 2026 00:01:00 GMT"},
                       {"Expires", "Sat, 21 Nov 2026 00:02:00 GMT"}}),
              "stale");
    EXPECT_EQ(refusal({{"Expires", "0"}}, kAws), "");
}

TEST(MayStore, WantsEveryVaryFieldInTheKey) {
    const auto key = key_with({"method.request.header.Origin", "method.request.header.X-Tenant"});
    const auto reason = [&](const Fields& fields, Compatibility personality = kStandard) {
        return decide(fields, personality, 200, key).reason;
    };
    EXPECT_EQ(reason({{"Vary", "origin"}}), "");
    EXPECT_EQ(reason({{"Vary", "Origin, x-tenant"}}), "");
    EXPECT_EQ(reason({{"Vary", "Origin"}, {"Vary", "X-Tenant"}}), "");
    EXPECT_EQ(reason({{"Vary", " , Origin ,"}}), "");
    EXPECT_EQ(reason({{"Vary", "Origin, Accept-Encoding"}}), "vary");
    EXPECT_EQ(reason({{"Vary", "Origin"}, {"Vary", "Accept"}}), "vary");
    EXPECT_EQ(reason({{"Vary", "*"}}), "vary");
    EXPECT_EQ(reason({{"Vary", "Origin Accept"}}), "vary");
    EXPECT_EQ(reason({{"Vary", "*"}}, kAws), "");
}

/// Contract 10, the Cookie rule.
TEST(MayStore, StoresAnswersToCookiesOnlyWhenTheyAreForEveryone) {
    const auto reason = [](std::string_view control) {
        return decide({{"Cache-Control", control}}, kStandard, 200, key_with({}),
                      CacheUse::shared_only)
            .reason;
    };
    EXPECT_EQ(reason("public"), "");
    EXPECT_EQ(reason("max-age=60"), "");
    EXPECT_EQ(reason("s-maxage=60"), "");
    EXPECT_EQ(reason("must-revalidate"), "cookie");
    EXPECT_EQ(reason("public=x"), "cookie");
    EXPECT_EQ(reason(""), "cookie");
    EXPECT_EQ(reason("public, private"), "private");
}

TEST(IsForEveryone, ReadsTheStoredLines) {
    EXPECT_TRUE(is_for_everyone("Content-Type: a\r\nCache-Control: public\r\nX: y\r\n"));
    EXPECT_TRUE(is_for_everyone("cache-control: max-age=60\r\n"));
    EXPECT_TRUE(is_for_everyone("CACHE-CONTROL:immutable\r\nCache-Control: s-maxage=1\r\n"));
    EXPECT_FALSE(is_for_everyone("Content-Type: a\r\n"));
    EXPECT_FALSE(is_for_everyone(""));
    EXPECT_FALSE(is_for_everyone("X-Cache-Control: public\r\nX: Cache-Control: public\r\n"));
    EXPECT_FALSE(is_for_everyone("Cache-Control: public, \"\r\n"));
}

TEST(IsStoredField, LeavesOutWhatEachReplyGetsAfresh) {
    const Fields dropped = {{"Date", ""},
                            {"Connection", ""},
                            {"Transfer-Encoding", ""},
                            {"Age", ""},
                            {"Content-Length", ""},
                            {"Set-Cookie", ""},
                            {"Keep-Alive", ""},
                            {"X-Amzn-RequestId", ""},
                            {"x-amz-apigw-id", ""},
                            {"X-Amzn-Trace-Id", ""}};
    const Fields stored = {{"Content-Type", ""}, {"X-Custom", ""},
                           {"ETag", ""},         {"Server", ""},
                           {"Vary", ""},         {"Access-Control-Allow-Origin", ""}};
    const auto dropped_fields = list(dropped);
    const auto stored_fields = list(stored);
    for (const auto& f : dropped_fields.all())
        EXPECT_FALSE(is_stored_field(f)) << f.name;
    for (const auto& f : stored_fields.all())
        EXPECT_TRUE(is_stored_field(f)) << f.name;
}

// ---------------------------------------------------------------- requests

TEST(CacheUse, IsBypassedByRangesAndAuthorization) {
    EXPECT_EQ(use_of({}), CacheUse::normal);
    EXPECT_EQ(use_of({{"Range", "bytes=0-1"}}), CacheUse::bypass);
    EXPECT_EQ(use_of({{"Range", "bytes=0-1"}}, kAws), CacheUse::bypass);
    EXPECT_EQ(use_of({{"Authorization", "x"}}), CacheUse::bypass);
    EXPECT_EQ(use_of({{"Authorization", ""}}), CacheUse::bypass);
    EXPECT_EQ(use_of({{"Authorization", "x"}}, kAws), CacheUse::normal);
    EXPECT_EQ(use_of({{"Authorization", "x"}}, kStandard,
                     key_with({"method.request.header.authorization"})),
              CacheUse::normal);
}

TEST(CacheUse, IsSharedOnlyWithCookies) {
    EXPECT_EQ(use_of({{"Cookie", "a=b"}}), CacheUse::shared_only);
    EXPECT_EQ(use_of({{"Cookie", "a=b"}}, kStandard, key_with({"method.request.header.Cookie"})),
              CacheUse::normal);
    EXPECT_EQ(use_of({{"Cookie", "a=b"}}, kAws), CacheUse::normal);
    EXPECT_EQ(use_of({{"Cookie", "a=b"}, {"Authorization", "x"}}), CacheUse::bypass);
}

TEST(CacheUse, IsBypassedByBodiesOutsideTheKey) {
    const auto key = key_with({});
    EXPECT_EQ(use_of({}, kStandard, key, http::Verb::get, 1), CacheUse::bypass);
    EXPECT_EQ(use_of({}, kAws, key, http::Verb::get, 1), CacheUse::bypass);
    EXPECT_EQ(use_of({}, kAws, key, http::Verb::head, 1), CacheUse::bypass);
    EXPECT_EQ(use_of({}, kStandard, key, http::Verb::post, 1), CacheUse::bypass);
    EXPECT_EQ(use_of({}, kAws, key, http::Verb::post, 1), CacheUse::normal)
        << "B.5: its own setting may enable it";
    EXPECT_EQ(use_of({}, kStandard, key, http::Verb::post, 0), CacheUse::normal);
    http::RequestHead request;
    request.verb = http::Verb::get;
    request.framing = http::Framing::length;
    EXPECT_EQ(cache_use(request, key, kStandard), CacheUse::normal) << "Content-Length: 0";
    request.framing = http::Framing::chunked;
    EXPECT_EQ(cache_use(request, key, kStandard), CacheUse::bypass);
}

/// aws-semantics 5.5.
TEST(ClientInvalidation, IsRecognisedAsMaxAgeZeroOnly) {
    for (const auto* value : {"max-age=0", "MAX-AGE=0", "no-cache, max-age=0", " max-age=0 ,x",
                              "max-age=\"0\"", "max-age=00", "max-age=5,max-age=0"}) {
        EXPECT_TRUE(asks_for_fresh_answer(list({{"Cache-Control", value}}))) << value;
    }
    for (const auto* value :
         {"no-cache", "no-store", "max-age=1", "max-age", "max-age=", "s-maxage=0", "max-age=0x",
          "xmax-age=0", "x=\"max-age=0\"", "max-age=-0", ""}) {
        EXPECT_FALSE(asks_for_fresh_answer(list({{"Cache-Control", value}}))) << value;
    }
    EXPECT_TRUE(asks_for_fresh_answer(
        list({{"Cache-Control", "no-cache"}, {"cache-control", "max-age=0"}})));
    EXPECT_FALSE(asks_for_fresh_answer(list({{"Pragma", "max-age=0"}})));
}

TEST(ClientInvalidation, FollowsTheTable) {
    using Strategy = config::UnauthorizedCacheControl;
    const auto fresh = list({{"Cache-Control", "max-age=0"}});
    const auto outcome = [&](bool require, Strategy strategy, bool authorized = false) {
        return client_invalidation(fresh, require, strategy, authorized);
    };
    for (const auto strategy : {Strategy::fail_with_403, Strategy::succeed_with_response_header,
                                Strategy::succeed_without_response_header}) {
        EXPECT_EQ(outcome(false, strategy), Invalidation::refresh);
        EXPECT_EQ(outcome(true, strategy, true), Invalidation::refresh);
        EXPECT_EQ(client_invalidation(list({}), true, strategy, false), Invalidation::none);
    }
    EXPECT_EQ(outcome(true, Strategy::fail_with_403), Invalidation::refused);
    EXPECT_EQ(outcome(true, Strategy::succeed_with_response_header),
              Invalidation::ignored_with_warning);
    EXPECT_EQ(outcome(true, Strategy::succeed_without_response_header), Invalidation::ignored);
    EXPECT_EQ(kIgnoredWarning,
              "199 Cache-control headers were ignored because the caller was unauthorized.");
}

}  // namespace
}  // namespace sluice::gateway
