// SPDX-License-Identifier: Apache-2.0
#include "gateway/cache_key.hpp"

#include <gtest/gtest.h>

#include <random>
#include <set>

namespace sluice::gateway {
namespace {

constexpr auto kStandard = Compatibility::standard;
constexpr auto kAws = Compatibility::aws;

using Texts = std::map<std::string, std::string>;
using Names = std::vector<std::string>;

constexpr CacheKey::Identity kIdentity{
    .api_id = "petstore", .stage = "prod", .cache_namespace = "/pets/{petId}"};

Result<CacheKey> compile(const Names& names, Compatibility personality = kAws,
                         const Texts& mappings = {}, const Texts& variables = {}) {
    return CacheKey::compile(kIdentity, names, mappings, variables, personality);
}

http::HeaderField field(std::string_view name, std::string_view value) {
    return {http::field_id(name), name, value};
}

struct Call {
    std::string_view query{};
    std::vector<http::HeaderField> fields{};
    std::string_view pet = "1";
    std::string_view method = "GET";
};

std::string key_of(const CacheKey& key, const Call& call) {
    PathParams params;
    params.push({"petId", call.pet});
    http::FieldList fields;
    for (const auto& f : call.fields)
        fields.push(f);
    std::string out = "left over from an earlier request";
    key.build(out, call.method, {params, call.query, fields});
    return out;
}

std::string key_of(const Names& names, const Call& call, Compatibility personality = kAws) {
    return key_of(*compile(names, personality), call);
}

const Names kParam1 = {"method.request.querystring.param1"};

/// aws-semantics 5.3 and B.5.
TEST(CacheKey, DependsOnChosenQueryParametersOnly) {
    for (const auto personality : {kStandard, kAws}) {
        const auto key = *compile(kParam1, personality);
        const auto first = key_of(key, {"param1=111&param2=222"});
        EXPECT_EQ(key_of(key, {"param1=111&param2=333"}), first);
        EXPECT_EQ(key_of(key, {"param2=333&param1=111"}), first);
        EXPECT_EQ(key_of(key, {"&&param1=111&"}), first);
        EXPECT_NE(key_of(key, {"param1=112"}), first);
        EXPECT_NE(key_of(key, {"Param1=111"}), first) << "query names compare by case";
        EXPECT_NE(key_of(key, {""}), key_of(key, {"param1="})) << "absent is not empty";
        EXPECT_EQ(key_of(key, {"param1"}), key_of(key, {"param1="}));
        EXPECT_EQ(key_of(key, {""}), key_of(key, {"param2=1"}));
    }
}

TEST(CacheKey, IgnoresEverythingWithoutParameters) {
    const Names none;
    EXPECT_EQ(key_of(none, {"param1=111&param2=222"}), key_of(none, {"param1=444&param2=333"}));
    EXPECT_NE(key_of(none, {.method = "GET"}), key_of(none, {.method = "POST"}));
}

TEST(CacheKey, SeparatesOrigins) {
    const Names names = {"method.request.header.Origin"};
    const auto a = key_of(names, {.fields = {field("Origin", "https://a")}});
    EXPECT_EQ(key_of(names, {.fields = {field("origin", "https://a")}}), a);
    EXPECT_NE(key_of(names, {.fields = {field("Origin", "https://b")}}), a);
    EXPECT_NE(key_of(names, {}), key_of(names, {.fields = {field("Origin", "")}}));
}

TEST(CacheKey, FindsFieldsNoTableKnowsByName) {
    const Names names = {"method.request.header.X-Tenant"};
    const auto a = key_of(names, {.fields = {field("X-TENANT", "a")}});
    EXPECT_NE(key_of(names, {}), a);
    EXPECT_EQ(key_of(names, {.fields = {field("X-Other", "b"), field("x-tenant", "a")}}), a);
}

TEST(CacheKey, KeepsPathParametersRaw) {
    const Names names = {"method.request.path.petId"};
    EXPECT_NE(key_of(names, {.pet = "1"}), key_of(names, {.pet = "2"}));
    EXPECT_NE(key_of(names, {.pet = "a/b"}), key_of(names, {.pet = "a%2Fb"}));
}

TEST(CacheKey, DecodesTheQueryOnce) {
    const auto key = *compile(kParam1);
    EXPECT_EQ(key_of(key, {"param1=a%20b"}), key_of(key, {"param1=a+b"}));
    EXPECT_EQ(key_of(key, {"param1=%61"}), key_of(key, {"%70aram1=a"}));
    EXPECT_NE(key_of(key, {"param1=%2561"}), key_of(key, {"param1=%61"}));
    EXPECT_NE(key_of(key, {"param1=a%2Bb"}), key_of(key, {"param1=a+b"}));
    EXPECT_NE(key_of(key, {"param1=a;param2=b"}), key_of(key, {"param1=a"})) << "; is data";
    EXPECT_EQ(key_of(key, {"param1=%zz%4"}), key_of(key, {"param1=%25zz%254"}));
}

/// aws-semantics 1.5: the last value. In `standard` a backend may read another one, so all count.
TEST(CacheKey, TakesTheLastValueInAwsAndAllInStandard) {
    EXPECT_EQ(key_of(kParam1, {"param1=1&param1=2"}), key_of(kParam1, {"param1=2"}));
    EXPECT_NE(key_of(kParam1, {"param1=1&param1=2"}, kStandard),
              key_of(kParam1, {"param1=2"}, kStandard));
    const Names header = {"method.request.header.Origin"};
    const Call two{.fields = {field("Origin", "a"), field("Origin", "b")}};
    const Call last{.fields = {field("Origin", "b")}};
    EXPECT_EQ(key_of(header, two), key_of(header, last));
    EXPECT_NE(key_of(header, two, kStandard), key_of(header, last, kStandard));
}

TEST(CacheKey, TakesAllValuesInOrderForMultivalueParameters) {
    const Names names = {"method.request.multivaluequerystring.p"};
    std::set<std::string> keys;
    for (const auto* query : {"", "p=", "p=&p=", "p=1", "p=1&p=2", "p=2&p=1", "p=1&p=2&p=2", "p=12",
                              "p=1%26p=2", "p=1,2", "p=2*1:11:2"}) {
        EXPECT_TRUE(keys.insert(key_of(names, {query})).second) << query;
    }
    const Names headers = {"method.request.multivalueheader.x"};
    EXPECT_NE(key_of(headers, {.fields = {field("x", "1"), field("x", "2")}}),
              key_of(headers, {.fields = {field("x", "2")}}));
}

TEST(CacheKey, DoesNotDependOnTheOrderOfItsParameters) {
    const Names ab = {"method.request.querystring.a", "method.request.querystring.b"};
    const Names ba = {ab[1], ab[0], ab[1]};
    EXPECT_EQ(key_of(ab, {"a=1&b=2"}), key_of(ba, {"a=1&b=2"}));
    EXPECT_NE(key_of(ab, {"a=1&b=2"}), key_of(ab, {"a=2&b=1"}));
}

TEST(CacheKey, HoldsApiStagePartitionAndNamespace) {
    std::set<std::string> keys;
    for (const CacheKey::Identity& identity :
         std::initializer_list<CacheKey::Identity>{{"a", "b", "stage", "c"},
                                                   {"ab", "", "stage", "c"},
                                                   {"", "ab", "stage", "c"},
                                                   {"a", "b", "canary:1", "c"},
                                                   {"a", "b", "stage", "cc"},
                                                   {"a", "b1:c", "stage", ""}}) {
        const auto key = *CacheKey::compile(identity, {}, {}, {}, kAws);
        EXPECT_TRUE(keys.insert(key_of(key, {})).second);
    }
}

TEST(CacheKey, FollowsMappedParameters) {
    const Names names = {"integration.request.path.id", "integration.request.querystring.fixed"};
    const Texts mappings = {{"integration.request.path.id", "method.request.path.petId"},
                            {"integration.request.querystring.fixed", "'v1'"},
                            {"integration.request.header.x", "stageVariables.v"},
                            {"integration.request.header.y", "context.requestId"}};
    const auto key = *compile(names, kAws, mappings);
    EXPECT_NE(key_of(key, {.pet = "1"}), key_of(key, {.pet = "2"}));
    EXPECT_TRUE(key.covers_path("petId"));
    EXPECT_TRUE(compile({"integration.request.path.petId"})->covers_path("petId")) << "implicit";
    const Names variable = {"integration.request.header.x"};
    EXPECT_NE(key_of(*compile(variable, kAws, mappings, {{"v", "1"}}), {}),
              key_of(*compile(variable, kAws, mappings, {{"v", "2"}}), {}));
    EXPECT_EQ(compile({"integration.request.header.y"}, kAws, mappings).error().code,
              "unsupported_mapping");
    EXPECT_EQ(compile({"integration.request.header.z"}).error().code, "unmapped_parameter");
}

TEST(CacheKey, RefusesNamesItDoesNotKnow) {
    for (const auto* name : {"", "param1", "method.request.body", "method.request.body.x",
                             "method.request.querystring", "method.request.querystring.",
                             "method.request.multivaluepath.x", "method.response.header.x"}) {
        EXPECT_EQ(compile({name}).error().code, "bad_parameter") << name;
    }
}

TEST(CacheKey, KnowsWhichFieldsItCovers) {
    const auto key = *compile({"method.request.header.Origin", "method.request.querystring.q",
                               "method.request.multivalueheader.X-Tenant"});
    EXPECT_TRUE(key.covers_header("ORIGIN"));
    EXPECT_TRUE(key.covers_header("x-tenant"));
    EXPECT_FALSE(key.covers_header("q"));
    EXPECT_FALSE(key.covers_header("*"));
    EXPECT_FALSE(key.covers_path("q"));
}

TEST(QueryText, ComparesWhatItDecodes) {
    std::string scratch;
    EXPECT_EQ(decode_query_text("test%2Balias", scratch), "test+alias");
    EXPECT_EQ(decode_query_text("test+alias", scratch), "test alias");
    EXPECT_TRUE(query_text_equals("a%20b+c", "a b c"));
    EXPECT_FALSE(query_text_equals("a", "ab"));
    EXPECT_FALSE(query_text_equals("ab", "a"));
    EXPECT_TRUE(query_text_equals("", ""));
}

/// Property: equal keys mean equal chosen values, for values full of what the key is made of.
TEST(CacheKey, NeverCollides) {
    const Names names = {"method.request.multivaluequerystring.a", "method.request.header.b",
                         "method.request.path.petId"};
    const auto key = *compile(names);
    std::mt19937 random{7};
    const auto text = [&] {
        static constexpr std::string_view kBytes = "1:-*2a";
        std::string out;
        for (auto left = random() % 5; left > 0; --left)
            out += kBytes[random() % kBytes.size()];
        return out;
    };
    std::map<std::string, std::string> seen;
    for (int i = 0; i < 50'000; ++i) {
        std::string query;
        std::string chosen;
        for (auto left = random() % 3; left > 0; --left) {
            const auto value = text();
            query += "a=" + value + "&";
            chosen += "q" + value + "|";
        }
        const auto header = text();
        const auto pet = text() + "x";
        Call call{.query = query, .pet = pet};
        if (random() % 2 == 0) {
            call.fields.push_back(field("b", header));
            chosen += "h" + header + "|";
        }
        chosen += "p" + pet;
        const auto [entry, fresh] = seen.emplace(key_of(key, call), chosen);
        if (!fresh) {
            ASSERT_EQ(entry->second, chosen);
        }
    }
}

}  // namespace
}  // namespace sluice::gateway
