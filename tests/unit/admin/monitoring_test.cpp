// SPDX-License-Identifier: Apache-2.0
#include "admin/monitoring.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "admin/iso_time.hpp"

namespace sluice::admin {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using telemetry::History;
using telemetry::Metrics;

const WallTime kStart = *parse_iso_time("2026-11-21T06:00:00Z");

TEST(IsoTime, ReadsWhatPeopleAndProgramsWrite) {
    const auto at = [](const char* text) {
        const auto time = parse_iso_time(text);
        return time ? to_iso_time(*time) : "no";
    };
    EXPECT_EQ(at("2026-11-21T06:30:15Z"), "2026-11-21T06:30:15Z");
    EXPECT_EQ(at("2026-11-21T06:30:15.999Z"), "2026-11-21T06:30:15Z");
    EXPECT_EQ(at("2026-11-21T06:30"), "2026-11-21T06:30:00Z");
    EXPECT_EQ(at("2026-11-21"), "2026-11-21T00:00:00Z");
    EXPECT_EQ(at("2026-11-21T01:00:00+02:30"), "2026-11-20T22:30:00Z");
    EXPECT_EQ(at("2026-11-21T23:30:00-0100"), "2026-11-22T00:30:00Z");
    EXPECT_EQ(at("2024-02-29"), "2024-02-29T00:00:00Z");
    for (const char* wrong :
         {"", "now", "2026", "2026-13-01", "2026-02-29", "2026-11-21T", "2026-11-21T24:00Z",
          "2026-11-21T06:60Z", "2026-11-21T06:30:60Z", "2026-11-21T06:30:15.Z",
          "2026-11-21T06:30:15ZZ", "2026-11-21 06:30Z", "2026-11-21T06:30:15+2", "-026-11-21",
          "+026-11-21", "2026-1-01", "2026-11-21T-6:30", "1969-12-31", "2026-11-21T06:30:15+99:00"})
        EXPECT_EQ(at(wrong), "no") << wrong;
}

struct MonitoringTest : testing::Test {
    /// A minute in which every request took as long.
    void minute(int requests, std::chrono::milliseconds each, int status = 200) {
        for (int i = 0; i < requests; ++i)
            series.count_minute(0, {.status = status, .latency = each, .overhead = each});
        now += 1min;
        ASSERT_TRUE(history.cut(now));
        history.collect();
    }
    Reply ask(std::map<std::string, std::string> parameters) {
        return metric_statistics(parameters, history, now);
    }
    json points(std::map<std::string, std::string> parameters) {
        parameters.emplace("start", "2026-11-21T06:00:00Z");
        parameters.emplace("end", "2026-11-21T07:00:00Z");
        const Reply r = ask(std::move(parameters));
        EXPECT_EQ(r.status, 200U) << r.body;
        return json::parse(r.body)["Datapoints"];
    }
    std::string refusal(std::map<std::string, std::string> parameters) {
        parameters.emplace("metric", "Count");
        parameters.emplace("statistic", "Sum");
        const Reply r = ask(std::move(parameters));
        EXPECT_EQ(r.status, 400U) << r.body;
        return json::parse(r.body)["message"];
    }
    WallTime now = kStart;
    Metrics metrics{1};
    History history{metrics, 1 << 20, now};
    telemetry::Series& series = metrics.series({"Shop", "prod", "", ""});
};

TEST_F(MonitoringTest, AnswersLikeGetMetricStatistics) {
    minute(4, 10ms);
    minute(1, 20ms);
    const Reply r = ask({{"metric", "Latency"},
                         {"statistic", "Average"},
                         {"period", "60"},
                         {"start", "2026-11-21T06:00:00Z"},
                         {"end", "2026-11-21T06:02:00Z"},
                         {"api", "Shop"},
                         {"stage", "prod"}});
    EXPECT_EQ(r.body,
              R"({"Label":"Latency","Datapoints":[)"
              R"({"Timestamp":"2026-11-21T06:00:00Z","Average":10.0,"Unit":"Milliseconds"},)"
              R"({"Timestamp":"2026-11-21T06:01:00Z","Average":20.0,"Unit":"Milliseconds"}]})");
}

TEST_F(MonitoringTest, JoinsMinutesToPeriods) {
    minute(4, 10ms);
    minute(0, 0ms);
    minute(1, 60ms, 500);
    minute(3, 2ms, 500);
    const json p = points({{"metric", "Latency"},
                           {"statistic", "SampleCount,Average,Maximum,Minimum,p100"},
                           {"period", "180"}});
    ASSERT_EQ(p.size(), 2u);
    EXPECT_EQ(p[0]["Timestamp"], "2026-11-21T06:00:00Z");
    EXPECT_EQ(p[0]["SampleCount"], 5);
    EXPECT_EQ(p[0]["Average"], 20);
    EXPECT_EQ(p[0]["Maximum"], 60);
    EXPECT_EQ(p[0]["Minimum"], 10);
    EXPECT_EQ(p[0]["ExtendedStatistics"]["p100"], 60);
    EXPECT_EQ(p[1]["Timestamp"], "2026-11-21T06:03:00Z");
    const json errors =
        points({{"metric", "5XXError"}, {"statistic", "Average,Sum"}, {"period", "300"}});
    EXPECT_EQ(errors[0]["Average"], 0.5);
    EXPECT_EQ(errors[0]["Sum"], 4);
    EXPECT_EQ(errors[0]["Unit"], "Count");
}

TEST_F(MonitoringTest, ChoosesByDimension) {
    metrics.series({"Shop", "test", "", ""}).count_minute(0, {.status = 200});
    metrics.series({"Shop", "prod", "/a", "GET"}).count_minute(0, {.status = 200});
    metrics.series({"Caf\xC3\xA9", "prod", "", ""}).count_minute(0, {.status = 200});
    minute(1, 1ms);
    const auto count = [&](std::map<std::string, std::string> dimensions) {
        dimensions.emplace("metric", "Count");
        dimensions.emplace("statistic", "Sum");
        const json p = points(std::move(dimensions));
        return p.empty() ? 0.0 : p[0]["Sum"].get<double>();
    };
    EXPECT_EQ(count({}), 4);
    EXPECT_EQ(count({{"api", "Shop"}}), 3);
    EXPECT_EQ(count({{"api", "Shop"}, {"stage", "prod"}}), 2);
    EXPECT_EQ(count({{"api", "Shop"}, {"stage", "prod"}, {"resource", "/a"}, {"method", "GET"}}),
              1);
    EXPECT_EQ(count({{"api", "Caf"}}), 1);
    EXPECT_EQ(count({{"api", "Nobody"}}), 0);
}

TEST_F(MonitoringTest, WithoutTimesItIsTheLastHour) {
    minute(2, 1ms);
    for (int i = 0; i < 60; ++i)
        minute(1, 1ms);
    const json answer = json::parse(ask({{"metric", "Count"}, {"statistic", "Sum"}}).body);
    ASSERT_EQ(answer["Datapoints"].size(), 60u);
    EXPECT_EQ(answer["Datapoints"][0]["Timestamp"], "2026-11-21T06:01:00Z");
}

TEST_F(MonitoringTest, RefusesWithASentence) {
    EXPECT_EQ(json::parse(ask({{"statistic", "Sum"}}).body)["message"], "metric is missing");
    EXPECT_EQ(json::parse(ask({{"metric", "Count"}}).body)["message"], "statistic is missing");
    EXPECT_NE(refusal({{"metric", "count"}}).find("known are Count, 4XXError"), std::string::npos);
    EXPECT_NE(refusal({{"statistic", "p101"}}).find("percentile"), std::string::npos);
    EXPECT_NE(refusal({{"statistic", "Sum,"}}).find("percentile"), std::string::npos);
    for (const char* period : {"0", "61", "90", "-60", "60s", "", "86460", "99999999999999999999"})
        EXPECT_EQ(refusal({{"period", period}}), "period must be a multiple of 60, at most 86400");
    EXPECT_EQ(refusal({{"start", "yesterday"}}), "start must be a time as in 2026-01-31T23:59:00Z");
    EXPECT_EQ(refusal({{"start", "2026-11-21T07:00Z"}, {"end", "2026-11-21T06:00Z"}}),
              "end must be after start");
    EXPECT_EQ(refusal({{"start", "2026-11-20"}, {"end", "2026-11-21T00:01Z"}}),
              "That would be 1441 datapoints and 1440 is the most: take a longer period or a "
              "shorter time");
    EXPECT_EQ(refusal({{"stage", "prod"}}), "stage needs api");
    EXPECT_EQ(refusal({{"resource", "/a"}}), "resource and method go together");
    EXPECT_EQ(refusal({{"resource", "/a"}, {"method", "GET"}}),
              "resource and method need api and stage");
    EXPECT_NE(refusal({{"Metric", "x"}}).find("Unknown parameter"), std::string::npos);
}

TEST_F(MonitoringTest, CloudWatchViewsAreChecked) {
    const auto ask_for = [&](std::map<std::string, std::string> parameters) {
        return cloudwatch_metrics(parameters, history, {});
    };
    EXPECT_EQ(ask_for({{"style", "exporter"}}).status, 200U);
    EXPECT_EQ(ask_for({{"style", "yace"}}).content_type,
              "text/plain; version=0.0.4; charset=utf-8");
    const Reply wrong = ask_for({{"style", "datadog"}});
    EXPECT_EQ(wrong.status, 400U);
    EXPECT_EQ(json::parse(wrong.body)["message"], "Unknown style; known are exporter and yace");
    EXPECT_EQ(ask_for({{"dimensions", "Stage"}}).status, 400U);
    EXPECT_EQ(ask_for({{"region", "a b"}}).status, 400U);
    EXPECT_EQ(ask_for({{"stile", "yace"}}).status, 400U);
}

TEST(Monitoring, WithoutHistorySaysSo) {
    Metrics metrics{1};
    const History none{metrics, 0, kStart};
    const Reply r = metric_statistics({{"metric", "Count"}, {"statistic", "Sum"}}, none, kStart);
    EXPECT_EQ(r.status, 404U);
    EXPECT_NE(r.body.find("historyBytes"), std::string::npos);
    EXPECT_EQ(cloudwatch_metrics({}, none, {}).status, 404U);
}

}  // namespace
}  // namespace sluice::admin
