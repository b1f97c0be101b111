// SPDX-License-Identifier: Apache-2.0
#include "telemetry/otlp_encode.hpp"

#include <unistd.h>

#include "opentelemetry/proto/collector/trace/v1/trace_service.pb.h"

namespace sluice::telemetry {
namespace {

namespace otlp = opentelemetry::proto;

std::string big_endian(std::initializer_list<std::uint64_t> words) {
    std::string bytes;
    for (const std::uint64_t word : words) {
        for (int shift = 56; shift >= 0; shift -= 8)
            bytes += static_cast<char>(word >> shift);
    }
    return bytes;
}

void put(otlp::common::v1::KeyValue& to, std::string_view key, const std::string& text) {
    to.set_key(std::string{key});
    to.mutable_value()->set_string_value(text);
}

void encode(otlp::trace::v1::Span& to, const Span& span) {
    to.set_trace_id(big_endian({span.trace.high, span.trace.low}));
    to.set_span_id(big_endian({span.id}));
    if (span.parent != 0) to.set_parent_span_id(big_endian({span.parent}));
    to.set_trace_state(span.trace_state);
    to.set_name(span.name);
    to.set_kind(span.kind == Span::Kind::server ? otlp::trace::v1::Span::SPAN_KIND_SERVER
                                                : otlp::trace::v1::Span::SPAN_KIND_CLIENT);
    to.set_start_time_unix_nano(static_cast<std::uint64_t>(span.start));
    to.set_end_time_unix_nano(static_cast<std::uint64_t>(span.end));
    to.set_flags(span.parent_is_remote ? 0x301u : 0x101u);  // sampled; where the parent is
    if (span.failed) to.mutable_status()->set_code(otlp::trace::v1::Status::STATUS_CODE_ERROR);
    for (const SpanAttribute& attribute : span.attributes) {
        auto& one = *to.add_attributes();
        if (const auto* text = std::get_if<std::string>(&attribute.value)) {
            put(one, attribute.key, *text);
        } else {
            one.set_key(std::string{attribute.key});
            one.mutable_value()->set_int_value(std::get<std::int64_t>(attribute.value));
        }
    }
}

void describe_us(otlp::resource::v1::Resource& to, const config::Tracing& settings) {
    put(*to.add_attributes(), "service.name", settings.service_name);
    put(*to.add_attributes(), "service.version", SLUICE_VERSION);
    put(*to.add_attributes(), "telemetry.sdk.name", "sluice");
    put(*to.add_attributes(), "telemetry.sdk.language", "cpp");
    put(*to.add_attributes(), "telemetry.sdk.version", SLUICE_VERSION);
    char host[256] = {};
    if (::gethostname(host, sizeof host - 1) == 0) put(*to.add_attributes(), "host.name", host);
    auto& pid = *to.add_attributes();
    pid.set_key("process.pid");
    pid.mutable_value()->set_int_value(::getpid());
    for (const auto& [key, value] : settings.resource_attributes) {
        put(*to.add_attributes(), key, value);
    }
}

}  // namespace

std::string encode_spans(std::span<const Span> spans, const config::Tracing& settings) {
    otlp::collector::trace::v1::ExportTraceServiceRequest request;
    auto& of_us = *request.add_resource_spans();
    describe_us(*of_us.mutable_resource(), settings);
    auto& of_scope = *of_us.add_scope_spans();
    of_scope.mutable_scope()->set_name("sluice");
    of_scope.mutable_scope()->set_version(SLUICE_VERSION);
    // The conventions that the names of the attributes are from.
    of_scope.set_schema_url("https://opentelemetry.io/schemas/1.23.1");
    for (const Span& span : spans)
        encode(*of_scope.add_spans(), span);
    return request.SerializeAsString();
}

Rejection decode_rejection(std::string_view response) {
    otlp::collector::trace::v1::ExportTraceServiceResponse answer;
    if (!answer.ParseFromArray(response.data(), static_cast<int>(response.size()))) return {};
    const auto rejected = answer.partial_success().rejected_spans();
    return {rejected > 0 ? static_cast<std::uint64_t>(rejected) : 0,
            answer.partial_success().error_message()};
}

}  // namespace sluice::telemetry
