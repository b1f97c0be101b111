// SPDX-License-Identifier: Apache-2.0
//
// Traces: what the origin is told, and what an OTLP receiver gets. The receiver decodes with
// protobuf's own code.
#include <gtest/gtest.h>

#include <csignal>
#include <regex>

#include "opentelemetry/proto/collector/trace/v1/trace_service.pb.h"
#include "support/certificate.hpp"
#include "support/load.hpp"
#include "support/proxied.hpp"

namespace test {
namespace {

namespace otlp = opentelemetry::proto;
using Request = otlp::collector::trace::v1::ExportTraceServiceRequest;
using otlp::trace::v1::Span;

std::string hex(const std::string& bytes) {
    std::string out;
    for (const char c : bytes) {
        const auto byte = static_cast<unsigned char>(c);
        out += "0123456789abcdef"[byte >> 4];
        out += "0123456789abcdef"[byte & 15];
    }
    return out;
}

std::string attribute(const Span& span, const std::string& key) {
    for (const auto& one : span.attributes()) {
        if (one.key() != key) continue;
        return one.value().has_string_value() ? one.value().string_value()
                                              : std::to_string(one.value().int_value());
    }
    return "(absent)";
}

/// An OTLP receiver that takes everything, unless told otherwise.
struct Receiver {
    explicit Receiver(std::vector<Answer> first = {})
        : answers{std::move(first)}, origin{[this](const Received& r) { return take(r); }} {}

    Answer take(const Received& r) {
        const std::lock_guard lock{mutex};
        requests.push_back(r);
        if (asked < answers.size()) return answers[asked++];
        Request request;
        decoded = decoded && request.ParseFromString(r.body);
        last = request;
        for (const auto& resource : request.resource_spans())
            for (const auto& scope : resource.scope_spans())
                for (const Span& span : scope.spans())
                    spans.push_back(span);
        return Answer::of(200, "", {{"Content-Type", "application/x-protobuf"}});
    }
    std::size_t count() {
        const std::lock_guard lock{mutex};
        return spans.size();
    }
    bool wait_for(std::size_t n) {
        return eventually([&] { return count() >= n; });
    }
    std::vector<Span> taken() {
        const std::lock_guard lock{mutex};
        return spans;
    }
    /// The spans of one request, the server's first.
    std::vector<Span> of(const std::string& request_id) {
        std::vector<Span> found;
        for (const Span& span : taken()) {
            if (attribute(span, "aws.request_id") == request_id) found.push_back(span);
        }
        if (found.empty()) return found;
        for (const Span& span : taken()) {
            if (span.parent_span_id() == found[0].span_id()) found.push_back(span);
        }
        return found;
    }

    std::mutex mutex{};
    std::vector<Answer> answers;
    std::size_t asked = 0;
    std::vector<Received> requests{};
    std::vector<Span> spans{};
    Request last{};
    bool decoded = true;
    Origin origin;
};

std::string yaml(const std::string& tracing, const std::string& stage = "") {
    return R"(
restApis:
  - id: shop
    resources:
      /pets/{id}: { ANY: { integration: { type: HTTP_PROXY, uri: "http://origin/{id}",
                                          timeoutInMillis: 500 } } }
      /mock: { GET: { integration: { type: MOCK, body: "m" } } }
      /closed: { GET: { apiKeyRequired: true, integration: { type: MOCK } } }
      /two: { GET: { integration: { type: HTTP_PROXY, uri: "http://pair/x" } } }
      /cached: { GET: { integration: { type: HTTP_PROXY, uri: "http://origin/c" } } }
stages:
  - { restApiId: shop, stageName: s, tracingEnabled: true, cacheClusterEnabled: true,
      cacheClusterSize: 1MiB, methodSettings: { "cached/GET": { cachingEnabled: true } } )" +
           stage + R"( }
backends:
  - { name: origin, targets: [ { url: "${ORIGIN}" } ] }
  - { name: pair, targets: [ { url: "http://127.0.0.1:${CLOSED}" }, { url: "${ORIGIN}" } ] }
server: { workers: 1, tracing: { endpoint: "${RECEIVER}", scheduleDelayMillis: 20 )" +
           tracing + R"( } }
)";
}

constexpr const char* kAlways = ", sampler: parentbased_always_on";

struct Traced {
    explicit Traced(const std::string& tracing = kAlways, const std::string& stage = "",
                    Script script = echo, std::vector<Answer> answers = {},
                    std::map<std::string, std::string> environment = {})
        : receiver{std::move(answers)},
          origin{std::move(script)},
          gateway{yaml(tracing, stage),
                  {{"ORIGIN", origin.url()},
                   {"RECEIVER", receiver.origin.url()},
                   {"CLOSED", std::to_string(closed_port())}},
                  {.environment = std::move(environment)}} {}

    double metric(const std::string& what) {
        return gateway.scrape().sum("sluice_trace_spans_" + what + "_total");
    }

    Receiver receiver;
    Origin origin;
    Gateway gateway;
};

std::string id_of(const Response& r) { return r.header("x-amzn-RequestId"); }

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
