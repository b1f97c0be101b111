// SPDX-License-Identifier: Apache-2.0
//
// Traces: what the origin is told, what the spans say, which requests have them.
#include <gtest/gtest.h>

#include <regex>

#include "support/traced.hpp"

namespace test {
namespace {

const std::string kTraceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

TEST(Trace, ARequestIsASpanAndItsTryAChild) {
    Traced t;
    const Response r = t.gateway.get("/s/pets/7?secret=1", {{"User-Agent", "curl/8"}});
    ASSERT_TRUE(t.receiver.wait_for(2));
    ASSERT_TRUE(t.receiver.decoded);
    const auto spans = t.receiver.of(id_of(r));
    ASSERT_EQ(spans.size(), 2U);
    const Span& server = spans[0];
    const Span& client = spans[1];
    EXPECT_EQ(server.kind(), Span::SPAN_KIND_SERVER);
    EXPECT_EQ(client.kind(), Span::SPAN_KIND_CLIENT);
    EXPECT_EQ(server.name(), "GET /pets/{id}");
    EXPECT_EQ(client.name(), "GET");
    EXPECT_EQ(server.trace_id().size(), 16U);
    EXPECT_EQ(server.span_id().size(), 8U);
    EXPECT_EQ(server.parent_span_id(), "");
    EXPECT_EQ(client.trace_id(), server.trace_id());
    EXPECT_EQ(client.parent_span_id(), server.span_id());
    EXPECT_LE(server.start_time_unix_nano(), client.start_time_unix_nano());
    EXPECT_LE(client.start_time_unix_nano(), client.end_time_unix_nano());
    EXPECT_LE(client.end_time_unix_nano(), server.end_time_unix_nano());
    const auto wall = std::chrono::duration_cast<std::chrono::seconds>(
                          std::chrono::system_clock::now().time_since_epoch())
                          .count();
    EXPECT_NEAR(static_cast<double>(server.start_time_unix_nano()) / 1e9, static_cast<double>(wall),
                60);

    // The origin sees the try as its parent.
    const Received seen = t.origin.last();
    EXPECT_EQ(seen.header("traceparent"),
              "00-" + hex(server.trace_id()) + "-" + hex(client.span_id()) + "-01");
    EXPECT_EQ(seen.header("X-Amzn-Trace-Id"), "Root=1-" + hex(server.trace_id()).substr(0, 8) +
                                                  "-" + hex(server.trace_id()).substr(8) +
                                                  ";Parent=" + hex(client.span_id()) +
                                                  ";Sampled=1");

    const std::map<std::string, std::string> wanted{
        {"http.request.method", "GET"},
        {"http.route", "/pets/{id}"},
        {"url.path", "/s/pets/7"},
        {"url.scheme", "http"},
        {"http.response.status_code", "200"},
        {"server.address", "127.0.0.1"},
        {"server.port", std::to_string(t.gateway.port())},
        {"client.address", "127.0.0.1"},
        {"network.protocol.version", "1.1"},
        {"user_agent.original", "curl/8"},
        {"aws.api_id", "shop"},
        {"aws.api_stage", "s"},
        {"error.type", "(absent)"},
        {"url.query", "(absent)"}};
    for (const auto& [key, value] : wanted)
        EXPECT_EQ(attribute(server, key), value) << key;
    EXPECT_EQ(attribute(client, "http.request.method"), "GET");
    EXPECT_EQ(attribute(client, "server.port"), std::to_string(t.origin.port()));
    EXPECT_EQ(attribute(client, "url.full"), t.origin.url() + "/7");
    EXPECT_EQ(attribute(client, "http.response.status_code"), "200");
    EXPECT_EQ(attribute(client, "http.request.resend_count"), "(absent)");
    EXPECT_FALSE(server.has_status());

    EXPECT_EQ(t.receiver.requests[0].target, "/v1/traces");
    EXPECT_EQ(t.receiver.requests[0].header("Content-Type"), "application/x-protobuf");
    const auto& resource = t.receiver.last.resource_spans(0).resource();
    EXPECT_EQ(resource.attributes(0).key(), "service.name");
    EXPECT_EQ(resource.attributes(0).value().string_value(), "sluice");
}

TEST(Trace, ContinuesATraceparent) {
    Traced t;
    const Response r = t.gateway.get(
        "/s/pets/7", {{"traceparent", kTraceparent}, {"tracestate", "vendor=a,other=b"}});
    ASSERT_TRUE(t.receiver.wait_for(2));
    const auto spans = t.receiver.of(id_of(r));
    ASSERT_EQ(spans.size(), 2U);
    EXPECT_EQ(hex(spans[0].trace_id()), "0af7651916cd43dd8448eb211c80319c");
    EXPECT_EQ(hex(spans[0].parent_span_id()), "b7ad6b7169203331");
    EXPECT_EQ(spans[0].trace_state(), "vendor=a,other=b");
    const Received seen = t.origin.last();
    EXPECT_EQ(seen.header("traceparent"),
              "00-0af7651916cd43dd8448eb211c80319c-" + hex(spans[1].span_id()) + "-01");
    EXPECT_EQ(seen.header("tracestate"), "vendor=a,other=b");
    EXPECT_EQ(std::count_if(seen.headers.begin(), seen.headers.end(),
                            [](const Header& h) { return same_name(h.name, "traceparent"); }),
              1);
}

TEST(Trace, ContinuesAnAmznTraceId) {
    Traced t{", sampler: parentbased_always_off"};
    const Response r = t.gateway.get(
        "/s/pets/7",
        {{"X-Amzn-Trace-Id",
          "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1;Lineage=x"}});
    ASSERT_TRUE(t.receiver.wait_for(2)) << "the caller's decision counts";
    const auto spans = t.receiver.of(id_of(r));
    ASSERT_EQ(spans.size(), 2U);
    EXPECT_EQ(hex(spans[0].trace_id()), "5759e988bd862e3fe1be46a994272793");
    EXPECT_EQ(hex(spans[0].parent_span_id()), "53995c3f42cd8ad8");
    EXPECT_EQ(t.origin.last().header("X-Amzn-Trace-Id"),
              "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=" + hex(spans[1].span_id()) +
                  ";Sampled=1;Lineage=x");
}

TEST(Trace, ACallerWhoDecidedAgainstItIsObeyed) {
    Traced t;
    t.gateway.get("/s/pets/7",
                  {{"traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"}});
    const std::string sent = t.origin.last().header("traceparent");
    EXPECT_TRUE(sent.starts_with("00-0af7651916cd43dd8448eb211c80319c-")) << sent;
    EXPECT_TRUE(sent.ends_with("-00")) << sent;
    const Response recorded = t.gateway.get("/s/mock");
    ASSERT_TRUE(t.receiver.wait_for(1));
    EXPECT_EQ(t.receiver.of(id_of(recorded)).size(), 1U);
    EXPECT_EQ(t.receiver.count(), 1U);
}

TEST(Trace, CallersWhoAreNotTrustedStartANewTrace) {
    Traced t{", sampler: parentbased_always_on, trustCallers: none"};
    const Response r =
        t.gateway.get("/s/pets/7", {{"traceparent", kTraceparent}, {"tracestate", "a=b"}});
    ASSERT_TRUE(t.receiver.wait_for(2));
    const auto spans = t.receiver.of(id_of(r));
    ASSERT_EQ(spans.size(), 2U);
    EXPECT_NE(hex(spans[0].trace_id()), "0af7651916cd43dd8448eb211c80319c");
    EXPECT_EQ(spans[0].parent_span_id(), "");
    EXPECT_FALSE(t.origin.last().headers.has("tracestate"));
}

TEST(Trace, MalformedHeadersStartANewTrace) {
    Traced t;
    const std::vector<std::string> malformed{
        "00-00000000000000000000000000000000-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
        "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
        "garbage",
        "-"};
    for (const std::string& text : malformed) {
        EXPECT_EQ(t.gateway.get("/s/pets/7", {{"traceparent", text}}).status, 200);
        const std::string sent = t.origin.last().header("traceparent");
        EXPECT_TRUE(std::regex_match(sent, std::regex{"00-[0-9a-f]{32}-[0-9a-f]{16}-01"})) << sent;
        EXPECT_EQ(sent.find("0af7651916cd43dd"), std::string::npos);
    }
}

// ------------------------------------------------------------------ what went wrong

TEST(Trace, EveryTryIsASpan) {
    Traced t;
    // Round robin: one of two requests begins at the target that is not there.
    std::vector<Span> spans;
    for (int i = 0; i < 2 && spans.size() != 3; ++i) {
        const Response r = t.gateway.get("/s/two");
        ASSERT_EQ(r.status, 200);
        eventually([&] { return t.receiver.of(id_of(r)).size() >= 2; });
        spans = t.receiver.of(id_of(r));
    }
    ASSERT_EQ(spans.size(), 3U);
    const Span& failed = spans[1];
    const Span& good = spans[2];
    EXPECT_EQ(attribute(failed, "error.type"), "connect_refused");
    EXPECT_EQ(failed.status().code(), otlp::trace::v1::Status::STATUS_CODE_ERROR);
    EXPECT_EQ(attribute(failed, "http.request.resend_count"), "(absent)");
    EXPECT_EQ(attribute(good, "http.request.resend_count"), "1");
    EXPECT_EQ(attribute(good, "error.type"), "(absent)");
    EXPECT_FALSE(good.has_status());
    EXPECT_FALSE(spans[0].has_status());
    EXPECT_NE(failed.span_id(), good.span_id());
}

TEST(Trace, ServerSpansFailFor5xxOnlyAndClientSpansFor4xxToo) {
    Traced t{kAlways, "",
             [](const Received& r) { return Answer::of(std::stoi(r.target.substr(1))); }};
    const Response missing = t.gateway.get("/s/pets/404");
    const Response broken = t.gateway.get("/s/pets/503");
    ASSERT_TRUE(t.receiver.wait_for(4));
    const auto of_404 = t.receiver.of(id_of(missing));
    const auto of_503 = t.receiver.of(id_of(broken));
    ASSERT_EQ(of_404.size(), 2U);
    ASSERT_EQ(of_503.size(), 2U);
    EXPECT_FALSE(of_404[0].has_status());
    EXPECT_EQ(attribute(of_404[0], "error.type"), "(absent)");
    EXPECT_TRUE(of_404[1].has_status());
    EXPECT_EQ(attribute(of_404[1], "error.type"), "404");
    EXPECT_TRUE(of_503[0].has_status());
    EXPECT_EQ(attribute(of_503[0], "error.type"), "503");
    EXPECT_TRUE(of_503[1].has_status());
}

TEST(Trace, TellsWhichLimitRefused) {
    Traced t{std::string{kAlways} + " }, accountThrottle: { rateLimit: 0.01, burstLimit: 1"};
    t.gateway.get("/s/mock");
    const Response r = t.gateway.get("/s/mock");
    ASSERT_EQ(r.status, 429);
    ASSERT_TRUE(t.receiver.wait_for(2));
    const auto spans = t.receiver.of(id_of(r));
    ASSERT_EQ(spans.size(), 1U);
    EXPECT_EQ(attribute(spans[0], "sluice.throttle.level"), "account");
    EXPECT_EQ(attribute(spans[0], "sluice.reply"), "THROTTLED");
    EXPECT_EQ(attribute(spans[0], "http.response.status_code"), "429");
    EXPECT_FALSE(spans[0].has_status());
}

TEST(Trace, TimeoutsAndHitsAndUnmatchedPathsAreTold) {
    std::atomic<bool> hang{false};
    Traced t{kAlways, "", [&](const Received&) {
                 return hang ? Answer::nothing().hang() : Answer::of(200, "x");
             }};
    t.gateway.get("/s/cached");
    const Response hit = t.gateway.get("/s/cached");
    const Response none = t.gateway.get("/s/nothing");
    const Response closed = t.gateway.get("/s/closed");
    hang = true;
    const Response late = t.gateway.get("/s/pets/7");
    ASSERT_EQ(late.status, 504);
    ASSERT_TRUE(t.receiver.wait_for(7));
    EXPECT_EQ(attribute(t.receiver.of(id_of(hit)).at(0), "sluice.cache.status"), "hit");
    EXPECT_EQ(t.receiver.of(id_of(hit)).size(), 1U);
    EXPECT_EQ(t.receiver.of(id_of(none)).at(0).name(), "GET");
    EXPECT_EQ(attribute(t.receiver.of(id_of(none)).at(0), "http.route"), "(absent)");
    EXPECT_EQ(attribute(t.receiver.of(id_of(closed)).at(0), "sluice.reply"), "INVALID_API_KEY");
    const auto spans = t.receiver.of(id_of(late));
    ASSERT_EQ(spans.size(), 2U);
    EXPECT_EQ(attribute(spans[0], "error.type"), "first_byte_timeout");
    EXPECT_EQ(attribute(spans[0], "sluice.reply"), "INTEGRATION_TIMEOUT");
    EXPECT_EQ(attribute(spans[1], "error.type"), "first_byte_timeout");
    const auto took = spans[1].end_time_unix_nano() - spans[1].start_time_unix_nano();
    EXPECT_GE(took, 450'000'000U);
}

TEST(Trace, HostileTextArrivesAsText) {
    Traced t;
    const Response r = t.gateway.get("/s/pets/7", {{"User-Agent", "a\xff\xfe\x80 \xc3\xbc"}});
    ASSERT_TRUE(t.receiver.wait_for(2));
    EXPECT_TRUE(t.receiver.decoded);
    EXPECT_EQ(attribute(t.receiver.of(id_of(r)).at(0), "user_agent.original"),
              "a\\xFF\\xFE\\x80 \xc3\xbc");
}

// ------------------------------------------------------------------ sampling

TEST(Trace, XRaysRuleTakesTheFirstOfEachSecondAndAShareOfTheRest) {
    Traced t{", samplerRate: 0, samplerReservoir: 2"};
    for (int i = 0; i < 200; ++i)
        t.gateway.get("/s/mock");
    EXPECT_TRUE(t.receiver.wait_for(2));
    EXPECT_EQ(t.gateway.stop(), 0);
    EXPECT_GE(t.receiver.count(), 2U);
    EXPECT_LE(t.receiver.count(), 60U) << "two per second";
}

TEST(Trace, ARatioIsAboutThatShare) {
    Traced t{", sampler: traceidratio, samplerRate: 0.25, maxQueueSize: 10000"};
    Client client = t.gateway.client();
    for (int i = 0; i < 2000; ++i)
        client.get("/s/mock");
    EXPECT_EQ(t.gateway.stop(), 0);
    EXPECT_NEAR(static_cast<double>(t.receiver.count()), 500, 100);  // five sigma
}

TEST(Trace, WithoutTracingTheCallersHeadersPassAndNothingIsSent) {
    Traced t{", disabled: true, sampler: always_on"};
    t.gateway.get("/s/pets/7", {{"traceparent", kTraceparent}});
    const Received seen = t.origin.last();
    EXPECT_EQ(seen.header("traceparent"), kTraceparent);
    EXPECT_TRUE(std::regex_match(
        seen.header("X-Amzn-Trace-Id"),
        std::regex{"Root=1-[0-9a-f]{8}-[0-9a-f]{24};Parent=[0-9a-f]{16};Sampled=0"}))
        << seen.header("X-Amzn-Trace-Id");
    EXPECT_EQ(t.gateway.stop(), 0);
    EXPECT_EQ(t.receiver.count(), 0U);
}

TEST(Trace, TheAccessLogNamesTheTrace) {
    Traced t{kAlways,
             ", accessLogSettings: { destination: access.log, format: \"$context.requestId "
             "$context.xrayTraceId\" }"};
    t.gateway.get("/s/pets/7", {{"traceparent", kTraceparent}});
    EXPECT_EQ(t.gateway.stop(), 0);
    EXPECT_NE(read_file(t.gateway.directory() / "access.log")
                  .find(" 1-0af76519-16cd43dd8448eb211c80319c\n"),
              std::string::npos);
}

}  // namespace
}  // namespace test
