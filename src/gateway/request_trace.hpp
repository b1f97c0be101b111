// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "gateway/exchange.hpp"
#include "gateway/snapshot.hpp"
#include "telemetry/span.hpp"

namespace sluice::gateway {

/// Joins the trace a request brought, or begins one: sets Exchange::trace and returns whether
/// the request is recorded. For stages that trace.
bool join_trace(Exchange&, const Tracing&);

/// traceparent, tracestate and X-Amzn-Trace-Id towards the backend, as far as they apply.
void write_trace_fields(ByteWriter&, Exchange&);

/// The spans of one recorded request: one for the request, one for each try at a backend
/// (OpenTelemetry's stable HTTP conventions; docs/reference/traces.md).
class RequestTrace {
public:
    RequestTrace(const Exchange&, const Tracing&);

    void backend_called(std::string_view method, std::string_view path);
    /// Its span id is what the backend sees as its parent.
    void try_began(Exchange&, const upstream::Target&);
    void try_ended(Exchange&, const upstream::Forwarding&);
    void finished(const Exchange&);

private:
    void add_identity(const Exchange&);
    void add_decisions(const Exchange&);

    const Tracing& tracing_;
    telemetry::Span server_{};
    std::vector<telemetry::Span> tries_{};
    std::string method_{};  ///< towards the backend
    std::string path_{};
    std::size_t tries_made_ = 0;
};

}  // namespace sluice::gateway
