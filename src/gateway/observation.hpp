// SPDX-License-Identifier: Apache-2.0
//
// The points at which a request is watched, for the execution log and for the trace
// (docs/adr/0012). A request that nobody watches has no Observation: every point is one test of a
// null pointer.
#pragma once

#include <memory>
#include <optional>

#include "gateway/execution_log.hpp"
#include "gateway/request_trace.hpp"

namespace sluice::gateway {

class Observation final : public upstream::TryObserver {
public:
    /// For a request whose stage, and perhaps method, is known, and watched. Null: this one is
    /// not. Sets Exchange::observation.
    static std::unique_ptr<Observation> begin(Exchange&);
    explicit Observation(Exchange& x) : x_{x} {}

    /// The filters have decided about key, limits and cache: the Exchange says how.
    void filtered();
    /// The integration will ask a backend; `path` with the query, empty if it cannot be written.
    void backend_called(std::string_view method, std::string_view path);
    void try_began(const upstream::Target&) override;
    void backend_request(std::string_view head);
    void request_body(std::string_view piece) override;
    void backend_response(const http::ResponseHead&);
    void try_ended(const upstream::Forwarding&) override;
    /// The head the client gets. Comes again when another answer takes the place of one that was
    /// never sent.
    void response_head(std::string_view head);
    void response_body(std::string_view piece);
    void finished();

private:
    Exchange& x_;
    std::optional<ExecutionLog> log_{};
    std::optional<RequestTrace> trace_{};
};

}  // namespace sluice::gateway
