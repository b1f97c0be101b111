// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "config/names.hpp"
#include "config/otel_environment.hpp"
#include "config/otlp_url.hpp"
#include "config/read.hpp"
#include "config/text.hpp"

namespace sluice::config {
namespace {

std::optional<std::string> url_fault(const std::string& text) {
    if (parse_otlp_url(text)) return {};
    return "must be an http or https URL without user and password";
}

constexpr Text kUrl{1, 2048, nullptr, "", "", url_fault};
constexpr Text kAttribute{1, 1024, is_line_char, "", "one line of text"};

void read_endpoint(Reader& r, Tracing& t) {
    std::string base = "http://localhost:4318";
    const bool general = r.optional("endpoint", base,
                                    "OTLP/HTTP receiver; `/v1/traces` is appended "
                                    "(OTEL_EXPORTER_OTLP_ENDPOINT).",
                                    kUrl);
    if (general) t.endpoint = traces_endpoint(base);
    std::optional<std::string> own;
    if (r.optional("tracesEndpoint", own,
                   "The complete URL, instead of `endpoint` (OTEL_EXPORTER_OTLP_TRACES_ENDPOINT).",
                   kUrl)) {
        t.endpoint = *own;
    }
    if (general && own) r.problem("tracesEndpoint", "give endpoint or tracesEndpoint, not both");
}

void read_headers(Reader& r, Tracing& t) {
    bool first = true;
    r.entries("headers", "name",
              "Sent with every export, for authentication; a secret, so `file:PATH` reads it from "
              "a file (OTEL_EXPORTER_OTLP_HEADERS).",
              [&](Reader& entry, const std::string& name) {
                  std::string value;
                  if (!entry.value(value, Secret{})) return;
                  if (first) t.headers.clear();
                  first = false;
                  const auto token = [](char c) { return is_alnum(c) || c == '-' || c == '_'; };
                  if (name.empty() || !std::all_of(name.begin(), name.end(), token)) {
                      return entry.key_problem("is no header name");
                  }
                  if (!std::all_of(value.begin(), value.end(), is_line_char)) {
                      return entry.problem("must be one line of text");
                  }
                  t.headers.emplace_back(name, value);
              });
}

}  // namespace

void read(Reader& r, Tracing& t) {
    constexpr Range kMillis{1, 3'600'000};
    r.object("Tracing",
             "Where the traces of stages with `tracingEnabled` go, and which requests have one. "
             "What is not set here comes from the environment variable of OpenTelemetry that is "
             "named, then from the default.");
    r.optional("disabled", t.disabled, "No traces, whatever the stages say (OTEL_SDK_DISABLED).");
    read_endpoint(r, t);
    read_headers(r, t);
    r.optional("timeoutMillis", t.timeout, "For one export (OTEL_EXPORTER_OTLP_TIMEOUT).", kMillis);
    r.optional("certificateFile", t.certificate_file,
               "PEM file of the CAs of an https receiver; the default is the system's "
               "(OTEL_EXPORTER_OTLP_CERTIFICATE).",
               Existing{});
    r.optional("serviceName", t.service_name, "Attribute service.name (OTEL_SERVICE_NAME).",
               kAttribute);
    r.entries("resourceAttributes", "name",
              "More attributes of this program (OTEL_RESOURCE_ATTRIBUTES).",
              [&](Reader& entry, const std::string& name) {
                  std::string value;
                  if (entry.value(value, kAttribute)) t.resource_attributes[name] = value;
              });
    r.optional("sampler", t.sampler,
               "Which requests are traced; `parentbased_` ones do what the caller decided, if it "
               "did (OTEL_TRACES_SAMPLER). `xray`: samplerReservoir requests each second and "
               "samplerRate of the others.",
               kTraceSamplers);
    r.optional("samplerRate", t.sampler_rate,
               "Share of requests, 0 to 1 (OTEL_TRACES_SAMPLER_ARG); 0.05 for `xray`, else 1 when "
               "not set.",
               Number{0, 1, false});
    r.optional("samplerReservoir", t.sampler_reservoir,
               "For `xray`: the first so many requests of a stage in each second.",
               Range{0, 1'000'000});
    r.optional("trustCallers", t.trust,
               "Whose traceparent and X-Amzn-Trace-Id are continued: `all`, `trustedProxies` "
               "(server.trustedProxies) or `none`; others start a new trace.",
               kTraceTrusts);
    r.optional("maxQueueSize", t.max_queue_size,
               "Spans that may wait; more are dropped and counted (OTEL_BSP_MAX_QUEUE_SIZE).",
               Range{1, 1'000'000});
    r.optional("maxExportBatchSize", t.max_export_batch_size,
               "Spans of one export (OTEL_BSP_MAX_EXPORT_BATCH_SIZE).", Range{1, 100'000});
    r.optional("scheduleDelayMillis", t.schedule_delay,
               "Longest wait before spans are sent (OTEL_BSP_SCHEDULE_DELAY).", kMillis);
    r.optional("exportTimeoutMillis", t.export_timeout,
               "For one batch with all its tries (OTEL_BSP_EXPORT_TIMEOUT).", kMillis);
}

}  // namespace sluice::config
