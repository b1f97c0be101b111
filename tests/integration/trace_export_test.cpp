// SPDX-License-Identifier: Apache-2.0
//
// Traces: the way to the receiver, its troubles, and where the settings come from.
#include <gtest/gtest.h>

#include "support/certificate.hpp"
#include "support/load.hpp"
#include "support/traced.hpp"

namespace test {
namespace {

// ------------------------------------------------------------------ the receiver's troubles

TEST(Trace, TriesAgainWhenToldSo) {
    const Answer busy = Answer::of(503, "", {{"Retry-After", "0"}});
    Traced t{kAlways, "", echo, {busy, Answer::of(429, "", {{"Retry-After", "0"}})}};
    t.gateway.get("/s/mock");
    ASSERT_TRUE(t.receiver.wait_for(1));
    EXPECT_EQ(t.receiver.origin.count(), 3);
    EXPECT_TRUE(eventually([&] { return t.metric("exported") == 1; }));
    EXPECT_EQ(t.metric("failed"), 0);
}

TEST(Trace, RetryAfterIsHonoured) {
    Traced t{kAlways, "", echo, {Answer::of(503, "", {{"Retry-After", "2"}})}};
    t.gateway.get("/s/mock");
    ASSERT_TRUE(eventually([&] { return t.receiver.origin.count() >= 1; }));
    const auto first = std::chrono::steady_clock::now();
    ASSERT_TRUE(t.receiver.wait_for(1));
    EXPECT_GE(std::chrono::steady_clock::now() - first, std::chrono::milliseconds{1900});
}

TEST(Trace, OtherAnswersAreFinal) {
    Traced t{kAlways, "", echo, {Answer::of(400, "no")}};
    t.gateway.get("/s/mock");
    EXPECT_TRUE(eventually([&] { return t.metric("failed") == 1; }));
    EXPECT_EQ(t.receiver.origin.count(), 1);
    EXPECT_TRUE(
        eventually([&] { return t.gateway.log().find("status 400") != std::string::npos; }));
}

TEST(Trace, SpansTheReceiverRefusesAreCounted) {
    otlp::collector::trace::v1::ExportTraceServiceResponse partial;
    partial.mutable_partial_success()->set_rejected_spans(1);
    partial.mutable_partial_success()->set_error_message("too old");
    Traced t{kAlways, "", echo, {Answer::of(200, partial.SerializeAsString())}};
    t.gateway.get("/s/mock");
    EXPECT_TRUE(eventually([&] { return t.metric("failed") == 1; }));
    EXPECT_EQ(t.metric("exported"), 0);
}

/// Nobody listens: requests are answered, memory is bounded, drops are counted, the end comes.
TEST(Trace, AReceiverThatIsDownHurtsNobody) {
    Gateway gateway{yaml(", sampler: always_on, maxQueueSize: 100, maxExportBatchSize: 50"),
                    {{"ORIGIN", "http://127.0.0.1:9"},
                     {"CLOSED", "9"},
                     {"RECEIVER", "http://127.0.0.1:" + std::to_string(closed_port())}}};
    const LoadResult load = run_load({.port = gateway.port(),
                                      .target = "/s/mock",
                                      .headers = {},
                                      .connections = 4,
                                      .requests = 4000});
    EXPECT_EQ(load.count(200), 4000);
    const auto dropped = [&] { return gateway.scrape().sum("sluice_trace_spans_dropped_total"); };
    EXPECT_TRUE(eventually([&] { return dropped() >= 4000 - 100 - 2 * 50; }));
    EXPECT_TRUE(eventually([&] { return gateway.log().find("traces: ") != std::string::npos; }));
    const auto before = std::chrono::steady_clock::now();
    EXPECT_EQ(gateway.stop(), 0);
    EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds{10});
}

TEST(Trace, AReceiverThatHangsDoesNotHoldUpTheEnd) {
    Traced t{kAlways,
             "",
             echo,
             {Answer::nothing().hang(), Answer::nothing().hang(), Answer::nothing().hang()}};
    t.gateway.get("/s/mock");
    ASSERT_TRUE(eventually([&] { return t.receiver.origin.count() >= 1; }));
    const auto before = std::chrono::steady_clock::now();
    EXPECT_EQ(t.gateway.stop(), 0);
    EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds{8});
}

TEST(Trace, AGracefulStopSendsWhatWaits) {
    Traced t{", sampler: always_on, maxQueueSize: 10000"};
    Client client = t.gateway.client();
    for (int i = 0; i < 300; ++i)
        client.get("/s/mock");
    EXPECT_EQ(t.gateway.stop(), 0);
    EXPECT_EQ(t.receiver.count(), 300U);
}

TEST(Trace, AnHttpsReceiverIsVerified) {
    const TempDir files;
    const Authority authority;
    const Authority stranger;
    authority.write(files.path() / "ca.pem");
    stranger.write(files.path() / "other.pem");
    authority.issue({"127.0.0.1"}, files.path() / "server.pem", files.path() / "server.key");
    const SslContext context =
        server_context(files.path() / "server.pem", files.path() / "server.key");
    Origin receiver{[](const Received&) { return Answer::of(200); }, {.tls = context.get()}};
    const auto text = [&](const std::string& ca) {
        return yaml(", sampler: always_on, certificateFile: \"" + (files.path() / ca).string() +
                    '"');
    };
    const Values values{{"ORIGIN", "http://127.0.0.1:9"},
                        {"CLOSED", "9"},
                        {"RECEIVER", "https://127.0.0.1:" + std::to_string(receiver.port())}};
    {
        Gateway gateway{text("other.pem"), values};
        gateway.get("/s/mock");
        EXPECT_TRUE(eventually([&] { return gateway.log().find("TLS: ") != std::string::npos; }));
        EXPECT_EQ(receiver.count(), 0);
    }
    Gateway gateway{text("ca.pem"), values};
    gateway.get("/s/mock");
    EXPECT_TRUE(receiver.wait_for(1));
    EXPECT_EQ(receiver.last().target, "/v1/traces");
}

/// A reload takes the exporter along.
TEST(Trace, AReloadChangesTheReceiver) {
    Traced t;
    t.gateway.get("/s/mock");
    ASSERT_TRUE(t.receiver.wait_for(1));
    Receiver other;
    t.gateway.rewrite(
        yaml(kAlways),
        {{"ORIGIN", t.origin.url()}, {"RECEIVER", other.origin.url()}, {"CLOSED", "9"}});
    ASSERT_EQ(t.gateway.reload().status, 200);
    t.gateway.get("/s/mock");
    EXPECT_TRUE(other.wait_for(1));
    EXPECT_EQ(t.receiver.count(), 1U);
}

// ------------------------------------------------------------------ OpenTelemetry's variables

TEST(Trace, VariablesOfTheEnvironmentAreHonoured) {
    Receiver receiver;
    Gateway gateway{
        R"(
restApis: [ { id: shop, resources: { /mock: { GET: { integration: { type: MOCK } } } } } ]
stages: [ { restApiId: shop, stageName: s, tracingEnabled: true } ]
)",
        {},
        {.environment = {{"OTEL_EXPORTER_OTLP_ENDPOINT", receiver.origin.url() + "/base/"},
                         {"OTEL_EXPORTER_OTLP_HEADERS", "x-token=a%20b,x-other=c"},
                         {"OTEL_TRACES_SAMPLER", "always_on"},
                         {"OTEL_BSP_SCHEDULE_DELAY", "10"},
                         {"OTEL_RESOURCE_ATTRIBUTES", "deployment.environment=test"},
                         {"OTEL_SERVICE_NAME", "front"}}}};
    gateway.get("/s/mock");
    ASSERT_TRUE(receiver.wait_for(1));
    const Received seen = receiver.origin.last();
    EXPECT_EQ(seen.target, "/base/v1/traces");
    EXPECT_EQ(seen.header("x-token"), "a b");
    EXPECT_EQ(seen.header("x-other"), "c");
    std::map<std::string, std::string> resource;
    for (const auto& a : receiver.last.resource_spans(0).resource().attributes())
        resource[a.key()] = a.value().string_value();
    EXPECT_EQ(resource["service.name"], "front");
    EXPECT_EQ(resource["deployment.environment"], "test");
    EXPECT_NE(resource["service.version"], "");
}

TEST(Trace, AVariableThatCannotBeHonouredStopsTheStart) {
    const TempDir directory;
    const std::string api = R"(
restApis: [ { id: shop, resources: { /mock: { GET: { integration: { type: MOCK } } } } } ]
stages: [ { restApiId: shop, stageName: s, tracingEnabled: )";
    const auto validate = [&](const std::string& traces) {
        directory.write("config.yaml", api + traces + " } ]\n");
        return sluice({"validate", "--config", (directory.path() / "config.yaml").string()},
                      {.environment = {{"OTEL_TRACES_SAMPLER", "jaeger_remote"},
                                       {"OTEL_SPAN_LINK_COUNT_LIMIT", "3"}}});
    };
    const Finished refused = validate("true");
    EXPECT_EQ(refused.status, 3);
    EXPECT_NE(refused.errors.find("OTEL_TRACES_SAMPLER=jaeger_remote: is not supported"),
              std::string::npos)
        << refused.errors;
    EXPECT_NE(refused.errors.find("warning: OTEL_SPAN_LINK_COUNT_LIMIT"), std::string::npos);
    EXPECT_EQ(validate("false").status, 0) << "nothing is traced";
}

TEST(Trace, TheFileWinsOverTheEnvironment) {
    Traced t{", sampler: always_on, serviceName: mine",
             "",
             echo,
             {},
             {{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9"},
              {"OTEL_TRACES_SAMPLER", "always_off"},
              {"OTEL_SERVICE_NAME", "theirs"}}};
    t.gateway.get("/s/mock");
    ASSERT_TRUE(t.receiver.wait_for(1));
    EXPECT_EQ(t.receiver.last.resource_spans(0).resource().attributes(0).value().string_value(),
              "mine");
}

}  // namespace
}  // namespace test
