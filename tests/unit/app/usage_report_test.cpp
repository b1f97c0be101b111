// SPDX-License-Identifier: Apache-2.0
#include "app/usage_report.hpp"

#include <gtest/gtest.h>

#include <string>

#include "sluice/config/load.hpp"

namespace sluice::app {
namespace {

using namespace std::chrono_literals;
using std::chrono::sys_days;

constexpr sys_days kToday{std::chrono::year{2026} / 11 / 21};

const std::string kConfig = R"(
restApis: [ { id: a, name: Shop, description: Things, resources: { /x: { GET: { integration: { type: MOCK } } } } } ]
stages:
  - { restApiId: a, stageName: prod, cacheClusterEnabled: true, variables: { v: "1" } }
  - { restApiId: a, stageName: test }
usagePlans:
  - { id: gold, apiStages: [ { apiId: a, stage: prod } ], quota: { limit: 10, period: DAY } }
  - { id: free, apiStages: [ { apiId: a, stage: test } ] }
apiKeys:
  - { id: k1, value: key-1-0123456789abcdef, usagePlanIds: [gold] }
  - { id: k2, value: key-2-0123456789abcdef, usagePlanIds: [gold, free] }
)";

class UsageReportTest : public testing::Test {
protected:
    UsageReportTest() {
        const config::Loaded loaded = config::load_text(kConfig);
        EXPECT_TRUE(loaded.ok());
        config_ = loaded.config;
        limits_.plan("gold", {.quota = state::QuotaRule{.limit = 10}});
        limits_.plan("free", {});
    }
    static std::int32_t number(sys_days day) { return state::day_at(WallTime{day}); }
    /// A finished day in the store.
    void finished(const std::string& plan, const std::string& key, sys_days day, std::int64_t used,
                  std::int64_t remaining) {
        const state::DayRow row{plan, key, number(day), used, remaining};
        ASSERT_TRUE(store_->save({}, {&row, 1}, number(kToday)));
    }
    /// Requests counted today.
    void use(const std::string& plan, const std::string& key, int times,
             const state::QuotaRule& rule) {
        const auto use = limits_.key_use(plan, key);
        for (int i = 0; i < times; ++i)
            EXPECT_TRUE(use->quota().take(rule, WallTime{kToday} + 1h));
        uses_.push_back(use);
    }
    std::optional<std::vector<admin::PlanUsage>> report(const admin::UsageQuery& query) {
        return report_usage(query, config_, limits_, *store_);
    }

    config::Config config_{};
    state::LimitRegistry limits_{};
    std::unique_ptr<state::UsageStore> store_ = state::make_memory_usage_store();
    std::vector<std::shared_ptr<state::KeyUse>> uses_{};
};

TEST_F(UsageReportTest, GivesEveryKeyOfThePlanARowPerDay) {
    const auto all =
        report({.usage_plan_id = "gold", .start = kToday - std::chrono::days{1}, .end = kToday});
    ASSERT_TRUE(all);
    ASSERT_EQ(all->size(), 1U);
    const auto& keys = all->front().keys;
    ASSERT_EQ(keys.size(), 2U);
    for (const auto& [key, days] : keys) {
        ASSERT_EQ(days.size(), 2U) << key;
        EXPECT_EQ(days[0].used, 0);
        EXPECT_EQ(days[0].remaining, 10) << "all of the quota";
    }
}

TEST_F(UsageReportTest, JoinsFinishedDaysWithTheDayUnderWay) {
    finished("gold", "k1", kToday - std::chrono::days{1}, 7, 3);
    use("gold", "k1", 4, state::QuotaRule{.limit = 10});
    const auto all = report({.usage_plan_id = "gold",
                             .key_id = "k1",
                             .start = kToday - std::chrono::days{2},
                             .end = kToday});
    ASSERT_TRUE(all);
    ASSERT_EQ(all->front().keys.size(), 1U) << "one key was asked for";
    const auto& days = all->front().keys.at("k1");
    ASSERT_EQ(days.size(), 3U);
    EXPECT_EQ(days[0].used, 0);
    EXPECT_EQ(days[1].used, 7);
    EXPECT_EQ(days[1].remaining, 3);
    EXPECT_EQ(days[2].used, 4);
    EXPECT_EQ(days[2].remaining, 6);
}

TEST_F(UsageReportTest, LeavesOutDaysNobodyAskedFor) {
    finished("gold", "k1", kToday - std::chrono::days{3}, 7, 3);
    use("gold", "k1", 4, state::QuotaRule{.limit = 10});
    const auto all = report({.usage_plan_id = "gold",
                             .start = kToday - std::chrono::days{2},
                             .end = kToday - std::chrono::days{1}});
    ASSERT_TRUE(all);
    for (const auto& day : all->front().keys.at("k1"))
        EXPECT_EQ(day.used, 0);
}

TEST_F(UsageReportTest, SaysMinusOneWhereThereIsNoQuota) {
    use("free", "k2", 2, state::QuotaRule::unlimited());
    const auto all = report({.usage_plan_id = "free", .start = kToday, .end = kToday});
    ASSERT_TRUE(all);
    EXPECT_EQ(all->front().keys.at("k2").front().used, 2);
    EXPECT_EQ(all->front().keys.at("k2").front().remaining, -1);
}

TEST_F(UsageReportTest, KeepsKeysThatAreGoneFromTheConfiguration) {
    finished("gold", "former", kToday - std::chrono::days{1}, 5, 5);
    const auto all =
        report({.usage_plan_id = "gold", .start = kToday - std::chrono::days{1}, .end = kToday});
    EXPECT_EQ(all->front().keys.at("former").front().used, 5);
}

TEST_F(UsageReportTest, CoversEveryPlanUnlessOneIsNamed) {
    const auto all = report({.start = kToday, .end = kToday});
    ASSERT_TRUE(all);
    EXPECT_EQ(all->size(), 2U);
    EXPECT_FALSE(report({.usage_plan_id = "none", .start = kToday, .end = kToday}));
    const auto other =
        report({.usage_plan_id = "gold", .key_id = "none", .start = kToday, .end = kToday});
    ASSERT_TRUE(other);
    EXPECT_TRUE(other->front().keys.empty());
}

TEST_F(UsageReportTest, DescribesApisWithTheirStages) {
    const auto apis = describe_apis(config_);
    ASSERT_EQ(apis.size(), 1U);
    EXPECT_EQ(apis[0].id, "a");
    EXPECT_EQ(apis[0].name, "Shop");
    EXPECT_EQ(apis[0].description, "Things");
    ASSERT_EQ(apis[0].stages.size(), 2U);
    EXPECT_EQ(apis[0].stages[0].name, "prod");
    EXPECT_TRUE(apis[0].stages[0].cache_enabled);
    EXPECT_EQ(apis[0].stages[0].variables.at("v"), "1");
    EXPECT_FALSE(apis[0].stages[1].cache_enabled);
}

}  // namespace
}  // namespace sluice::app
