// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>

#include "sluice/config/model.hpp"
#include "telemetry/span.hpp"

namespace sluice::telemetry {

/// An ExportTraceServiceRequest: these spans, and who we are.
std::string encode_spans(std::span<const Span>, const config::Tracing&);

/// Spans that an ExportTraceServiceResponse says were refused, and why.
struct Rejection {
    std::uint64_t spans = 0;
    std::string why{};
};
Rejection decode_rejection(std::string_view response);

}  // namespace sluice::telemetry
