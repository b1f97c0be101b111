// SPDX-License-Identifier: Apache-2.0
#include "app/plan_state.hpp"

#include <gtest/gtest.h>

namespace sluice::app {
namespace {

using namespace std::chrono_literals;

const std::chrono::sys_days kDay{std::chrono::year{2026} / 11 / 21};
const auto kToday = static_cast<std::int32_t>(kDay.time_since_epoch().count());

struct PlanStateTest : testing::Test {
    PlanStateTest() {
        config.usage_plans.push_back({.id = "gold", .name = "Gold"});
        config.usage_plans.back().quota = config::Quota{.limit = 100};
        config.usage_plans.push_back({.id = "open"});
        limits.plan("gold", {.quota = state::QuotaRule{.limit = 100}});
        limits.plan("open", {});
    }
    /// Holds the key, as a snapshot does.
    void use(const std::string& plan, const std::string& key, std::int64_t used,
             std::int32_t day = kToday) {
        held.push_back(limits.key_use(plan, key));
        const std::vector<state::UsageRow> rows{{.plan = plan,
                                                 .key = key,
                                                 .window = day,
                                                 .used = used,
                                                 .day = day,
                                                 .used_that_day = used}};
        limits.restore(rows);
    }
    std::vector<PlanState> read(std::size_t top = 10) {
        return reporter.read(config, top, TimePoint{} + 1s, kDay + 5h);
    }

    config::Config config{};
    state::LimitRegistry limits{};
    PlanReporter reporter{limits};
    std::vector<std::shared_ptr<state::KeyUse>> held{};
};

TEST_F(PlanStateTest, CountsThePresentPeriodOnly) {
    use("gold", "alice", 80);
    use("gold", "bob", 15);
    use("gold", "carol", 99, kToday - 1);
    use("open", "dave", 7);
    const auto plans = read();
    ASSERT_EQ(plans.size(), 2u);
    EXPECT_EQ(plans[0].used, 95);
    EXPECT_EQ(plans[0].keys, 2u);
    EXPECT_EQ(plans[0].highest_share, 0.8);
    EXPECT_EQ(plans[0].lowest_remaining, 20);
    EXPECT_EQ(plans[0].top_keys[0].key, "alice");
    EXPECT_EQ(plans[1].used, 7);
    EXPECT_EQ(read(1)[0].top_keys.size(), 1u);
    EXPECT_EQ(read(1)[0].used, 95);
    EXPECT_FALSE(plans[1].limit);
}

TEST_F(PlanStateTest, KeysHaveSeriesUpToTheCap) {
    use("gold", "alice", 80);
    use("gold", "bob", 15);
    use("open", "dave", 7);
    std::string none;
    write_plan_metrics(read(), 0, none);
    EXPECT_EQ(none.find("sluice_key"), std::string::npos);
    EXPECT_NE(none.find("sluice_plan_quota_used_ratio{plan=\"gold\"} 0.8\n"), std::string::npos);
    EXPECT_EQ(none.find("sluice_plan_quota_limit{plan=\"open\"}"), std::string::npos);
    std::string two;
    write_plan_metrics(read(), 2, two);
    for (const char* line : {"sluice_key_usage{plan=\"gold\",key=\"alice\"} 80\n",
                             "sluice_key_usage{plan=\"gold\",key=\"bob\"} 15\n",
                             "sluice_key_usage{plan=\"gold\",key=\"_other\"} 0\n",
                             "sluice_key_usage{plan=\"open\",key=\"_other\"} 7\n",
                             "sluice_key_quota_remaining{plan=\"gold\",key=\"alice\"} 20\n"})
        EXPECT_NE(two.find(line), std::string::npos) << line << two;
    EXPECT_EQ(two.find("dave"), std::string::npos);
}

TEST_F(PlanStateTest, AddressesAreNeverNamed) {
    config.usage_plans.clear();
    config.usage_plans.push_back({.id = "anon", .meter_by = config::MeterBy::source_ip});
    config.usage_plans.back().quota = config::Quota{.limit = 10};
    const auto meter = limits.source_meter("anon", {.quota = state::QuotaRule{.limit = 10}});
    const std::vector<state::UsageRow> rows{{.plan = "anon",
                                             .key = "ip:192.0.2.1",
                                             .window = kToday,
                                             .used = 4,
                                             .day = kToday,
                                             .used_that_day = 4}};
    limits.restore(rows);
    std::string out;
    write_plan_metrics(read(), 100, out);
    EXPECT_NE(out.find("sluice_plan_usage{plan=\"anon\"} 4\n"), std::string::npos) << out;
    EXPECT_EQ(out.find("192.0.2.1"), std::string::npos);
}

}  // namespace
}  // namespace sluice::app
