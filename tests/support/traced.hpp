// SPDX-License-Identifier: Apache-2.0
//
// A gateway that traces, and an OTLP receiver that decodes with protobuf's own code. For programs
// linked with sluice_otlp.
#pragma once

#include <mutex>

#include "opentelemetry/proto/collector/trace/v1/trace_service.pb.h"
#include "support/proxied.hpp"

namespace test {

namespace otlp = opentelemetry::proto;
using Request = otlp::collector::trace::v1::ExportTraceServiceRequest;
using otlp::trace::v1::Span;

inline std::string hex(const std::string& bytes) {
    std::string out;
    for (const char c : bytes) {
        const auto byte = static_cast<unsigned char>(c);
        out += "0123456789abcdef"[byte >> 4];
        out += "0123456789abcdef"[byte & 15];
    }
    return out;
}

inline std::string attribute(const Span& span, const std::string& key) {
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

inline std::string yaml(const std::string& tracing, const std::string& stage = "") {
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

inline constexpr const char* kAlways = ", sampler: parentbased_always_on";

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

inline std::string id_of(const Response& r) { return r.header("x-amzn-RequestId"); }

}  // namespace test
