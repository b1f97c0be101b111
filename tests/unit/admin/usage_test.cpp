// SPDX-License-Identifier: Apache-2.0
#include "admin/usage.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace sluice::admin {
namespace {

using namespace std::chrono_literals;
using Parameters = std::map<std::string, std::string>;
using nlohmann::json;

constexpr std::chrono::sys_days kToday = 2026y / 11 / 21;

TEST(ParseUsage, DefaultsToToday) {
    const auto r = parse_usage({}, kToday);
    ASSERT_TRUE(r);
    EXPECT_EQ(r->query.start, kToday);
    EXPECT_EQ(r->query.end, kToday);
    EXPECT_EQ(r->query.days(), 1U);
    EXPECT_EQ(r->limit, 25U);
    EXPECT_TRUE(r->query.usage_plan_id.empty());
}

TEST(ParseUsage, ReadsEverything) {
    const auto r = parse_usage({{"usagePlanId", "gold"},
                                {"keyId", "k1"},
                                {"startDate", "2024-02-29"},
                                {"endDate", "2024-03-01"},
                                {"limit", "500"},
                                {"position", "6b32"}},
                               kToday);
    ASSERT_TRUE(r);
    EXPECT_EQ(r->query.usage_plan_id, "gold");
    EXPECT_EQ(r->query.key_id, "k1");
    EXPECT_EQ(r->query.start, std::chrono::sys_days{2024y / 2 / 29});
    EXPECT_EQ(r->query.days(), 2U);
    EXPECT_EQ(r->limit, 500U);
    EXPECT_EQ(r->position, "k2");
}

TEST(ParseUsage, AStartAloneRunsToTodayAnEndAloneIsOneDay) {
    EXPECT_EQ(parse_usage({{"startDate", "2026-11-01"}}, kToday)->query.days(), 21U);
    EXPECT_EQ(parse_usage({{"endDate", "2026-11-01"}}, kToday)->query.days(), 1U);
}

TEST(ParseUsage, AllowsExactly366Days) {
    EXPECT_TRUE(parse_usage({{"startDate", "2024-01-01"}, {"endDate", "2024-12-31"}}, kToday));
    EXPECT_FALSE(parse_usage({{"startDate", "2024-01-01"}, {"endDate", "2025-01-01"}}, kToday));
}

TEST(ParseUsage, RefusesWhatIsNotInTheReference) {
    const Parameters cases[] = {
        {{"startDate", "2026-1-1"}},
        {{"startDate", "2026-02-29"}},
        {{"startDate", "2026-13-01"}},
        {{"startDate", "2026-01-00"}},
        {{"startDate", "2026/01/01"}},
        {{"startDate", "+026-01-01"}},
        {{"startDate", "2026-01-01T"}},
        {{"startDate", "yesterday"}},
        {{"startDate", "2026-11-22"}},  // after the end, today
        {{"startDate", "2026-11-02"}, {"endDate", "2026-11-01"}},
        {{"limit", "0"}},
        {{"limit", "501"}},
        {{"limit", "-1"}},
        {{"limit", "1x"}},
        {{"limit", ""}},
        {{"usagePlanId", "gold"}, {"position", "6"}},
        {{"usagePlanId", "gold"}, {"position", "zz"}},
        {{"position", "6b31"}},
        {{"usageplanid", "gold"}},
    };
    for (const auto& c : cases) {
        const auto r = parse_usage(c, kToday);
        EXPECT_FALSE(r) << json(c).dump();
        EXPECT_TRUE(r || !r.error().detail.empty());
    }
}

TEST(UsageReply, HasTheShapeOfGetUsage) {
    const auto asked = parse_usage(
        {{"usagePlanId", "n371pt"}, {"startDate", "2026-11-01"}, {"endDate", "2026-11-03"}},
        kToday);
    const PlanUsage plan{.usage_plan_id = "n371pt",
                         .keys = {{"a1b2c3d4e5", {{10, 4990}, {0, 4990}, {90, 4900}}}}};
    const Reply reply = usage_reply(*asked, {plan});
    EXPECT_EQ(reply.status, 200U);
    EXPECT_EQ(reply.body,  // aws-semantics A.3
              R"({"usagePlanId":"n371pt","startDate":"2026-11-01","endDate":"2026-11-03",)"
              R"("values":{"a1b2c3d4e5":[[10,4990],[0,4990],[90,4900]]}})");
}

TEST(UsageReply, AKeyCalledByOtherRulesStaysOneValue) {
    const auto asked = parse_usage({{"usagePlanId", "p"}}, kToday);
    EXPECT_EQ(json::parse(usage_reply(*asked, {{.usage_plan_id = "p", .keys = {}}}).body)["values"],
              json::object());
    EXPECT_EQ(usage_reply(*asked, {}).status, 404U);
}

TEST(UsageReply, PagesThroughManyKeys) {
    PlanUsage plan{.usage_plan_id = "p"};
    for (int i = 0; i < 7; ++i)
        plan.keys["key" + std::to_string(i)] = {{i, -1}};
    Parameters parameters{{"usagePlanId", "p"}, {"limit", "3"}};
    json seen = json::object();
    int pages = 0;
    while (true) {
        const auto asked = parse_usage(parameters, kToday);
        ASSERT_TRUE(asked);
        const json page = json::parse(usage_reply(*asked, {plan}).body);
        EXPECT_LE(page["values"].size(), 3U);
        seen.update(page["values"]);
        ++pages;
        if (!page.contains("position")) break;
        parameters["position"] = page["position"];
    }
    EXPECT_EQ(pages, 3);
    EXPECT_EQ(seen.size(), 7U);
    EXPECT_EQ(seen["key6"], json::parse("[[6,-1]]"));
}

TEST(UsageReply, APageThatEndsExactlyIsTheLast) {
    const auto asked = parse_usage({{"usagePlanId", "p"}, {"limit", "1"}}, kToday);
    const PlanUsage plan{.usage_plan_id = "p", .keys = {{"k", {{1, 2}}}}};
    EXPECT_FALSE(json::parse(usage_reply(*asked, {plan}).body).contains("position"));
}

TEST(UsageReply, ListsAllPlansWhenNoneIsNamed) {
    const auto asked = parse_usage({}, kToday);
    const json all = json::parse(usage_reply(*asked, {{.usage_plan_id = "a", .keys = {}},
                                                      {.usage_plan_id = "b", .keys = {}}})
                                     .body);
    ASSERT_EQ(all["item"].size(), 2U);
    EXPECT_EQ(all["item"][1]["usagePlanId"], "b");
    EXPECT_EQ(usage_reply(*asked, {}).body, R"({"item":[]})");
}

}  // namespace
}  // namespace sluice::admin
