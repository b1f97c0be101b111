// SPDX-License-Identifier: Apache-2.0
#include "gateway/compile.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <optional>
#include <string>

#include "support/call.hpp"

namespace sluice::gateway {
namespace {

using ::test::Site;

const std::string kPets = R"(
restApis:
  - id: petstore
    name: PetStore
    resources:
      /pets: { GET: { integration: { type: MOCK } }, POST: { integration: { type: MOCK } } }
      /pets/{petId}: { ANY: { integration: { type: MOCK } } }
)";
const std::string kProd = "stages: [ { restApiId: petstore, stageName: prod } ]\n";

const Method& method(const Snapshot& s, std::size_t i) { return s.stages[0]->methods[i]; }

// -------------------------------------------------------------------------- pure functions

TEST(MethodKey, NamesAMethodAsMethodSettingsDo) {
    EXPECT_EQ(method_key("/pets/{petId}", "GET"), "pets/{petId}/GET");
    EXPECT_EQ(method_key("/", "ANY"), "/ANY");
}

/// aws-semantics 3.3.
TEST(BucketShape, FillsInTheHalfThatIsMissing) {
    EXPECT_FALSE(bucket_shape({}, {}));
    EXPECT_FALSE(bucket_shape(-1, -1)) << "-1 is no limit";
    const auto both = bucket_shape(5, 2);
    EXPECT_EQ(both->rate(), 5);
    EXPECT_EQ(both->burst(), 2);
    EXPECT_EQ(bucket_shape(2.5, {})->burst(), 3) << "one second's worth";
    EXPECT_EQ(bucket_shape(2.5, -1)->burst(), 3);
    EXPECT_EQ(bucket_shape(0.1, {})->burst(), 1);
    EXPECT_TRUE(std::isinf(bucket_shape({}, 7)->rate()));
    EXPECT_EQ(bucket_shape({}, 7)->burst(), 7);
    EXPECT_EQ(bucket_shape(0, 0)->burst(), 0) << "a limit of 0 admits nothing";
}

TEST(EffectiveSettings, InheritEachPropertyFromTheWholeStage) {
    config::Stage stage;
    stage.method_settings["*/*"] = {.throttling_rate_limit = 10,
                                    .throttling_burst_limit = 20,
                                    .cache_ttl = config::seconds{7},
                                    .metrics_enabled = true};
    stage.method_settings["pets/GET"] = {.throttling_rate_limit = 5, .metrics_enabled = false};
    const config::Resource pets{.path = "/pets"};
    const auto get = effective_settings(stage, pets, {.http_method = "GET"});
    EXPECT_EQ(get.throttle->rate(), 5);
    EXPECT_EQ(get.throttle->burst(), 20);
    EXPECT_EQ(get.cache_ttl, config::seconds{7});
    EXPECT_FALSE(get.metrics);
    const auto post = effective_settings(stage, pets, {.http_method = "POST"});
    EXPECT_EQ(post.throttle->rate(), 10);
    EXPECT_TRUE(post.metrics);
}

TEST(EffectiveSettings, HaveDefaultsOfTheirOwn) {
    const auto e = effective_settings({}, {.path = "/"}, {.http_method = "GET"});
    EXPECT_FALSE(e.throttle);
    EXPECT_FALSE(e.caching);
    EXPECT_FALSE(e.metrics);
    EXPECT_EQ(e.cache_ttl, config::seconds{300});
    EXPECT_TRUE(e.require_authorization_for_cache_control);
}

/// aws-semantics 5.1.
TEST(EffectiveSettings, CacheOtherMethodsThanGetOnlyByTheirOwnEntry) {
    config::Stage stage;
    stage.method_settings["*/*"] = {.caching_enabled = true};
    stage.method_settings["a/POST"] = {.caching_enabled = true};
    stage.method_settings["b/GET"] = {.caching_enabled = false};
    const auto caching = [&](const char* path, const char* verb) {
        return effective_settings(stage, {.path = path}, {.http_method = verb}).caching;
    };
    EXPECT_TRUE(caching("/a", "GET"));
    EXPECT_TRUE(caching("/a", "ANY"));
    EXPECT_TRUE(caching("/a", "POST"));
    EXPECT_FALSE(caching("/b", "POST"));
    EXPECT_FALSE(caching("/b", "GET"));
}

// ------------------------------------------------------------------------------- snapshots

TEST(Compile, GivesEveryStageTheMethodsOfItsApi) {
    const Site site{kPets + R"(
stages: [ { restApiId: petstore, stageName: prod }, { restApiId: petstore, stageName: test } ]
)"};
    ASSERT_EQ(site.snapshot->stages.size(), 2U);
    for (std::uint32_t i = 0; i < 2; ++i) {
        const Stage& stage = *site.snapshot->stages[i];
        EXPECT_EQ(stage.index, i);
        EXPECT_EQ(stage.name, i == 0 ? "prod" : "test");
        EXPECT_EQ(stage.api_id, "petstore");
        EXPECT_EQ(stage.api_name, "PetStore");
        ASSERT_EQ(stage.methods.size(), 3U);
        const auto match = stage.tree.match("/pets/7", http::Verb::put, Compatibility::standard);
        ASSERT_TRUE(match);
        const Method& any = stage.methods[match->index];
        EXPECT_EQ(any.http_method, "ANY");
        EXPECT_EQ(any.resource_path, "/pets/{petId}");
        EXPECT_EQ(any.resource_id.size(), 6U);
        EXPECT_NE(any.integration, nullptr);
    }
    EXPECT_EQ(method(*site.snapshot, 0).resource_id,
              site.snapshot->stages[1]->methods[0].resource_id);
}

TEST(Compile, TakesSessionSettingsFromTheServer) {
    const Site site{kPets + kProd + R"(
server:
  limits: { headerBytes: 2000, targetBytes: 1500, headerCount: 20, bodyBytes: 77 }
  timeouts: { headerSeconds: 3, bodyIdleSeconds: 4, keepAliveSeconds: 5, writeIdleSeconds: 6 }
  trustedProxies: [10.0.0.0/8]
)"};
    const auto& session = site.snapshot->session;
    EXPECT_EQ(session.head.head_bytes, 2000U);
    EXPECT_EQ(session.head.target_bytes, 1500U);
    EXPECT_EQ(session.head.fields, 20U);
    EXPECT_EQ(session.body_bytes, 77U);
    EXPECT_EQ(session.timeouts.header, std::chrono::seconds{3});
    EXPECT_EQ(session.timeouts.write_idle, std::chrono::seconds{6});
    EXPECT_TRUE(site.snapshot->trusted_proxies.contains(*IpAddress::parse("10.1.2.3")));
}

TEST(Compile, LabelsSeriesWithTheMethodOnlyWhereMetricsAreEnabled) {
    const Site site{kPets + R"(
stages:
  - restApiId: petstore
    stageName: prod
    methodSettings: { "pets/GET": { metricsEnabled: true } }
)"};
    const auto& get = method(*site.snapshot, 0).series->labels();
    EXPECT_EQ(get.api, "PetStore");
    EXPECT_EQ(get.stage, "prod");
    EXPECT_EQ(get.resource, "/pets");
    EXPECT_EQ(get.method, "GET");
    const auto& post = method(*site.snapshot, 1).series->labels();
    EXPECT_EQ(post.resource + post.method, "");
    EXPECT_EQ(method(*site.snapshot, 1).series, site.snapshot->stages[0]->unmatched.series);
}

const std::string kPlans = R"(
usagePlans:
  - id: gold
    apiStages: [ { apiId: petstore, stage: prod, throttle: { "/pets/GET": { rateLimit: 1 } } } ]
    throttle: { rateLimit: 100, burstLimit: 200 }
    quota: { limit: 10, period: DAY }
  - id: open
    apiStages: [ { apiId: petstore, stage: prod } ]
    throttle: { rateLimit: 3 }
    meterBy: sourceIp
apiKeys:
  - { id: k1, value: 0123456789abcdefghij, usagePlanIds: [gold] }
  - { id: k2, value: 9876543210abcdefghij, enabled: false }
)";

TEST(Compile, BindsKeysToTheirPlans) {
    const Site site{kPets + kProd + kPlans};
    const KeyRecord* const key = site.snapshot->keys.find("0123456789abcdefghij");
    ASSERT_NE(key, nullptr);
    EXPECT_TRUE(key->enabled);
    ASSERT_NE(key->first.plan, nullptr);
    EXPECT_EQ(key->first.key_id(), "k1");
    EXPECT_EQ(key->others, nullptr);
    const Plan& gold = *key->first.plan;
    EXPECT_EQ(gold.id, "gold");
    EXPECT_TRUE(gold.covers(0));
    EXPECT_EQ(gold.shape->burst(), 200);
    EXPECT_EQ(gold.quota.limit, 10);
    EXPECT_NE(gold.limit_of(method(*site.snapshot, 0)), nullptr);
    EXPECT_EQ(gold.limit_of(method(*site.snapshot, 1)), nullptr);
    EXPECT_EQ(key->use_at(0), &key->first);
    EXPECT_EQ(key->use_at(1), nullptr);
    const KeyRecord* const other = site.snapshot->keys.find("9876543210abcdefghij");
    ASSERT_NE(other, nullptr);
    EXPECT_FALSE(other->enabled);
    EXPECT_EQ(other->first.plan, nullptr);
    EXPECT_EQ(other->use_at(0), nullptr);
    EXPECT_FALSE(site.snapshot->keys.find("nobody's key, nobody's key"));
}

TEST(Compile, GivesPlansBySourceToTheirStages) {
    const Site site{kPets + kProd + kPlans};
    ASSERT_EQ(site.snapshot->stages[0]->source_plans.size(), 1U);
    const Plan& open = *site.snapshot->stages[0]->source_plans[0];
    EXPECT_EQ(open.id, "open");
    EXPECT_NE(open.meter, nullptr);
    EXPECT_EQ(open.use, nullptr);
    EXPECT_EQ(open.quota.limit, state::QuotaRule::kUnlimited);
}

TEST(Compile, KeepsBucketsAndCountersAcrossReloads) {
    const std::string throttled = R"(
stages:
  - { restApiId: petstore, stageName: prod,
      methodSettings: { "*/*": { throttlingRateLimit: 5, throttlingBurstLimit: 5 } } }
server: { accountThrottle: { rateLimit: 10, burstLimit: 10 } }
)";
    Site site{kPets + throttled + kPlans};
    const SnapshotPtr before = site.snapshot;
    const auto buckets = site.limits.sizes().buckets;
    site.use(kPets + throttled + kPlans);
    ASSERT_NE(site.snapshot, before);
    EXPECT_EQ(site.snapshot->account->bucket, before->account->bucket);
    const auto use = [](const Snapshot& s) {
        return s.keys.find("0123456789abcdefghij")->first.use;
    };
    EXPECT_EQ(use(*site.snapshot), use(*before));
    EXPECT_EQ(site.snapshot->plans[1]->meter, before->plans[1]->meter);
    EXPECT_EQ(method(*site.snapshot, 0).series, method(*before, 0).series);
    EXPECT_EQ(site.limits.sizes().buckets, buckets);
}

TEST(Compile, HandsEachMethodToTheFiltersInTheirOrder) {
    static std::vector<std::string> made;
    made.clear();
    const FilterEntry filters[] = {
        {"first",
         [](const MethodBuild& build) -> FilterPtr {
             made.push_back("first " + build.method_config.http_method);
             return nullptr;
         }},
        {"second",
         [](const MethodBuild& build) -> FilterPtr {
             made.push_back("second " + build.method_config.http_method);
             EXPECT_EQ(build.snapshot.keys.size(), 2U) << "plans and keys are complete";
             return nullptr;
         }},
    };
    const Site site{kPets + kProd + kPlans, filters};
    EXPECT_EQ(made, (std::vector<std::string>{"first GET", "second GET", "first POST",
                                              "second POST", "first ANY", "second ANY"}));
}

TEST(Compile, SaysWhichIntegrationCannotBeMade) {
    const auto refuse = [](const MethodBuild& build) -> Result<IntegrationPtr> {
        if (build.method_config.http_method == "POST") {
            return Error{.code = "bad_uri", .detail = "no host"};
        }
        return ::test::NamesItsMethod::make(build);
    };
    try {
        const Site site{kPets + kProd, {}, refuse};
        FAIL() << "compiled";
    } catch (const std::runtime_error& e) {
        EXPECT_STREQ(e.what(), "petstore POST /pets in stage prod: no host");
    }
}

TEST(Compile, SaysWhichAccessLogCannotBeOpened) {
    try {
        const Site site{kPets + R"(
stages:
  - { restApiId: petstore, stageName: prod,
      accessLogSettings: { format: CLF, destination: /does/not/exist/access.log } }
)"};
        FAIL() << "compiled";
    } catch (const std::runtime_error& e) {
        const std::string said = e.what();
        EXPECT_TRUE(said.starts_with("stage petstore/prod: ")) << said;
        EXPECT_NE(said.find("/does/not/exist/access.log"), std::string::npos) << said;
    }
}

// --------------------------------------------------------------------------------- caches

TEST(Caches, LiveAsLongAsTheirSizeStays) {
    Caches caches{1};
    const config::RestApi api{.id = "a", .name = "A"};
    const auto store = caches.of(api, "s", 1 << 20);
    EXPECT_EQ(caches.of(api, "s", 1 << 20), store);
    EXPECT_EQ(caches.find("a", "s"), store);
    EXPECT_NE(caches.of(api, "t", 1 << 20), store);
    const auto larger = caches.of(api, "s", 2 << 20);
    EXPECT_NE(larger, store);
    EXPECT_EQ(larger->capacity(), std::uint64_t{2} << 20);
    EXPECT_EQ(caches.find("a", "none"), nullptr);
}

TEST(Caches, GoWhenNoSnapshotUsesThem) {
    Caches caches{1};
    const auto kept = caches.of({.id = "a"}, "s", 1 << 20);
    caches.of({.id = "a"}, "gone", 1 << 20);
    EXPECT_EQ(caches.all().size(), 2U);
    caches.sweep();
    EXPECT_EQ(caches.all().size(), 1U);
    EXPECT_EQ(caches.find("a", "s"), kept);
}

TEST(Caches, BelongToAStageOnlyWhenSwitchedOn) {
    const Site site{kPets + R"(
stages:
  - { restApiId: petstore, stageName: prod, cacheClusterEnabled: true, cacheClusterSize: 1MiB }
  - { restApiId: petstore, stageName: test }
)"};
    ASSERT_NE(site.snapshot->stages[0]->cache, nullptr);
    EXPECT_EQ(site.snapshot->stages[0]->cache->capacity(), std::uint64_t{1} << 20);
    EXPECT_EQ(site.snapshot->stages[1]->cache, nullptr);
}

}  // namespace
}  // namespace sluice::gateway
