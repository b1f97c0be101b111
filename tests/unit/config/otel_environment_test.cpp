// SPDX-License-Identifier: Apache-2.0
#include "config/otel_environment.hpp"

#include <gtest/gtest.h>

#include "config/otlp_url.hpp"

namespace sluice::config {
namespace {

using std::chrono::milliseconds;

TEST(OtelEnvironmentTest, NothingSetIsTheDefaults) {
    const OtelSettings s = read_otel({});
    EXPECT_EQ(s.tracing.endpoint, "http://localhost:4318/v1/traces");
    EXPECT_EQ(s.tracing.timeout, milliseconds{10'000});
    EXPECT_EQ(s.tracing.service_name, "sluice");
    EXPECT_EQ(s.tracing.sampler, TraceSampler::parentbased_xray);
    EXPECT_TRUE(s.errors.empty());
    EXPECT_TRUE(s.warnings.empty());
}

TEST(OtelEnvironmentTest, ReadsWhatItKnows) {
    const OtelSettings s = read_otel({{"OTEL_BSP_EXPORT_TIMEOUT", "20"},
                                      {"OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "21"},
                                      {"OTEL_BSP_MAX_QUEUE_SIZE", "22"},
                                      {"OTEL_BSP_SCHEDULE_DELAY", "23"},
                                      {"OTEL_EXPORTER_OTLP_CERTIFICATE", "/ca.pem"},
                                      {"OTEL_EXPORTER_OTLP_ENDPOINT", "https://c:4318/x/"},
                                      {"OTEL_EXPORTER_OTLP_HEADERS", "a=1, b = two%2C "},
                                      {"OTEL_EXPORTER_OTLP_TIMEOUT", "24"},
                                      {"OTEL_PROPAGATORS", "tracecontext,baggage"},
                                      {"OTEL_RESOURCE_ATTRIBUTES", "service.name=x,k=v"},
                                      {"OTEL_SDK_DISABLED", "True"},
                                      {"OTEL_TRACES_EXPORTER", "otlp"},
                                      {"OTEL_TRACES_SAMPLER", "traceidratio"},
                                      {"OTEL_TRACES_SAMPLER_ARG", "0.5"}});
    const Tracing& t = s.tracing;
    EXPECT_EQ(t.export_timeout, milliseconds{20});
    EXPECT_EQ(t.max_export_batch_size, 21U);
    EXPECT_EQ(t.max_queue_size, 22U);
    EXPECT_EQ(t.schedule_delay, milliseconds{23});
    EXPECT_EQ(t.certificate_file, "/ca.pem");
    EXPECT_EQ(t.endpoint, "https://c:4318/x/v1/traces");
    ASSERT_EQ(t.headers.size(), 2U);
    EXPECT_EQ(t.headers[1].first, "b");
    EXPECT_EQ(t.headers[1].second, "two,");
    EXPECT_EQ(t.timeout, milliseconds{24});
    EXPECT_EQ(t.service_name, "x");
    EXPECT_EQ(t.resource_attributes.at("k"), "v");
    EXPECT_TRUE(t.disabled);
    EXPECT_EQ(t.sampler, TraceSampler::traceidratio);
    EXPECT_EQ(t.sampler_rate, 0.5);
    EXPECT_TRUE(s.errors.empty());
    EXPECT_TRUE(s.warnings.empty());
}

TEST(OtelEnvironmentTest, NamesForTracesWin) {
    const OtelSettings s = read_otel({{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://a"},
                                      {"OTEL_EXPORTER_OTLP_HEADERS", "general=1"},
                                      {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://b/as/it/is"},
                                      {"OTEL_EXPORTER_OTLP_TRACES_HEADERS", "own=1"},
                                      {"OTEL_RESOURCE_ATTRIBUTES", "service.name=x"},
                                      {"OTEL_SERVICE_NAME", "y"}});
    EXPECT_EQ(s.tracing.endpoint, "http://b/as/it/is");
    ASSERT_EQ(s.tracing.headers.size(), 1U);
    EXPECT_EQ(s.tracing.headers[0].first, "own");
    EXPECT_EQ(s.tracing.service_name, "y");
}

TEST(OtelEnvironmentTest, EmptyValuesAreAsIfNotSet) {
    const OtelSettings s =
        read_otel({{"OTEL_TRACES_SAMPLER", ""}, {"OTEL_EXPORTER_OTLP_ENDPOINT", " "}});
    EXPECT_EQ(s.tracing.endpoint, "http://localhost:4318/v1/traces");
    EXPECT_TRUE(s.errors.empty());
}

TEST(OtelEnvironmentTest, WhatCannotBeHonouredIsSaid) {
    const std::pair<std::string, std::string> cases[] = {
        {"OTEL_TRACES_SAMPLER", "jaeger_remote"},
        {"OTEL_TRACES_SAMPLER_ARG", "2"},
        {"OTEL_TRACES_SAMPLER_ARG", "much"},
        {"OTEL_TRACES_EXPORTER", "zipkin"},
        {"OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"},
        {"OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/json"},
        {"OTEL_EXPORTER_OTLP_COMPRESSION", "gzip"},
        {"OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318"},
        {"OTEL_EXPORTER_OTLP_HEADERS", "no equals sign"},
        {"OTEL_EXPORTER_OTLP_TIMEOUT", "10s"},
        {"OTEL_BSP_MAX_QUEUE_SIZE", "0"},
        {"OTEL_PROPAGATORS", "b3"},
        {"OTEL_RESOURCE_ATTRIBUTES", "nonsense"}};
    for (const auto& [name, value] : cases) {
        const OtelSettings s = read_otel({{name, value}});
        ASSERT_EQ(s.errors.size(), 1U) << name << '=' << value;
        EXPECT_TRUE(s.errors[0].starts_with(name)) << s.errors[0];
    }
}

TEST(OtelEnvironmentTest, VariablesThatChangeNothingAreNamed) {
    const OtelSettings s = read_otel({{"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "http://m"},
                                      {"OTEL_LOG_LEVEL", "info"},
                                      {"OTEL_METRICS_EXPORTER", "otlp"},
                                      {"OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "5"}});
    ASSERT_EQ(s.warnings.size(), 1U) << "other signals are not ours";
    EXPECT_EQ(s.warnings[0], "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT: is not supported");
    EXPECT_TRUE(s.errors.empty());
}

TEST(OtlpUrlTest, IsTakenApart) {
    const auto url = parse_otlp_url("https://collector.internal:4318/v1/traces");
    ASSERT_TRUE(url);
    EXPECT_TRUE(url->secure);
    EXPECT_EQ(url->host, "collector.internal");
    EXPECT_EQ(url->port, 4318);
    EXPECT_EQ(url->target, "/v1/traces");
    EXPECT_EQ(url->authority, "collector.internal:4318");
    EXPECT_EQ(parse_otlp_url("http://[::1]:1/x")->host, "::1");
    EXPECT_EQ(parse_otlp_url("http://a")->port, 80);
    EXPECT_EQ(parse_otlp_url("http://a?x")->target, "/?x");
    for (const auto* bad : {"", "a", "ftp://a", "http://", "http://a:0", "http://a:x", "http://u@a",
                            "http://a b", "http://[::1", "http://a#b", "http://a:70000"}) {
        EXPECT_FALSE(parse_otlp_url(bad)) << bad;
    }
}

}  // namespace
}  // namespace sluice::config
