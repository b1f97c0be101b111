// SPDX-License-Identifier: Apache-2.0
#include "sluice/telemetry/cloudwatch.hpp"

#include <gtest/gtest.h>

namespace sluice::telemetry {
namespace {

using namespace std::chrono_literals;

const WallTime kStart = std::chrono::sys_days{std::chrono::year{2026} / 11 / 21} + 6h;

struct CloudWatchTest : testing::Test {
    CloudWatchTest() {
        Series& shop = metrics.series({"Shop", "prod", "", ""});
        Series& pets = metrics.series({"Shop", "prod", "/pets/{id}", "GET"});
        for (int i = 0; i < 3; ++i)
            shop.count_minute(0, {.status = 200, .latency = 2ms, .overhead = 2ms});
        pets.count_minute(0,
                          {.status = 503, .cache_miss = true, .latency = 10ms, .integration = 8ms});
        EXPECT_TRUE(history.cut(kStart + 1min));
        history.collect();
        shop.count_minute(0, {.status = 200, .latency = 90ms});  // belongs to the next minute
    }
    std::string text(const CloudWatchView& view) { return render_cloudwatch(history, view, apis); }
    void expect_line(const CloudWatchView& view, const std::string& line) {
        const std::string all = text(view);
        EXPECT_NE(all.find('\n' + line + '\n'), std::string::npos) << line << "\nin\n" << all;
    }
    Metrics metrics{1};
    History history{metrics, 1 << 20, kStart};
    std::vector<CloudWatchApi> apis{{"a1", "Shop", {"prod"}}, {"b2", "\xC3\xA9", {"live"}}};
};

TEST_F(CloudWatchTest, NamesAndLabelsAreTheExporters) {
    const CloudWatchView view{.style = ExporterStyle::exporter};
    const std::string labels =
        R"({job="aws_apigateway",instance="",api_name="Shop",stage="prod"} )";
    expect_line(view, "aws_apigateway_count_sum" + labels + "4");
    expect_line(view, "aws_apigateway_count_sample_count" + labels + "4");
    expect_line(view, "aws_apigateway_4_xxerror_sum" + labels + "0");
    expect_line(view, "aws_apigateway_5_xxerror_sum" + labels + "1");
    expect_line(view, "aws_apigateway_5_xxerror_average" + labels + "0.25");
    expect_line(view, "aws_apigateway_cache_miss_count_sum" + labels + "1");
    expect_line(view, "aws_apigateway_cache_hit_count_average" + labels + "0");
    expect_line(view, "aws_apigateway_latency_average" + labels + "4");
    expect_line(view, "aws_apigateway_latency_maximum" + labels + "10");
    expect_line(view, "aws_apigateway_latency_minimum" + labels + "2");
    expect_line(view, "aws_apigateway_integration_latency_p99_9" + labels + "8");
    expect_line(view,
                "# HELP aws_apigateway_latency_p99 CloudWatch metric AWS/ApiGateway Latency "
                "Dimensions: [ApiName,Stage] Statistic: p99 Unit: Milliseconds");
}

TEST_F(CloudWatchTest, AnIdleStageHasSumsOfZeroAndNoAverages) {
    // Nothing of this name is ASCII, so the API's id stands for it.
    const std::string labels = R"({job="aws_apigateway",instance="",api_name="b2",stage="live"} )";
    expect_line({}, "aws_apigateway_count_sum" + labels + "0");
    EXPECT_EQ(text({}).find("aws_apigateway_latency_average" + labels), std::string::npos);
}

TEST_F(CloudWatchTest, YaceHasOtherLabels) {
    expect_line({.style = ExporterStyle::yace, .region = "eu-west-1", .account = "123456789012"},
                R"(aws_apigateway_count_sum{account_id="123456789012",dimension_ApiName="Shop",)"
                R"(dimension_Stage="prod",)"
                R"(name="arn:aws:apigateway:eu-west-1::/restapis/Shop/stages/prod",)"
                R"(region="eu-west-1"} 4)");
}

TEST_F(CloudWatchTest, OtherDimensionsSumOtherwise) {
    expect_line({.dimensions = Dimensions::api},
                R"(aws_apigateway_count_sum{job="aws_apigateway",instance="",api_name="Shop"} 4)");
    expect_line({.dimensions = Dimensions::method},
                R"(aws_apigateway_count_sum{job="aws_apigateway",instance="",api_name="Shop",)"
                R"(stage="prod",resource="/pets/{id}",method="GET"} 1)");
    EXPECT_EQ(text({.dimensions = Dimensions::method}).find("resource=\"\""), std::string::npos);
}

TEST(CloudWatch, NamesOfStylesAndDimensions) {
    EXPECT_EQ(parse_exporter_style("yace"), ExporterStyle::yace);
    EXPECT_FALSE(parse_exporter_style("YACE"));
    EXPECT_EQ(parse_dimensions("ApiName"), Dimensions::api);
    EXPECT_FALSE(parse_dimensions("Stage,ApiName"));
    EXPECT_EQ(api_name_dimension("id", "Caf\xC3\xA9"), "Caf");
    EXPECT_EQ(api_name_dimension("id", std::string(300, 'x')).size(), 255u);
}

}  // namespace
}  // namespace sluice::telemetry
