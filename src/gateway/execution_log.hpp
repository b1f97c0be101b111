// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "gateway/execution_writer.hpp"

namespace sluice::gateway {

/// What the execution log says about one request. Collects what would be gone at the end, and
/// writes all lines then, in the order of aws-semantics 15.4: they stand together in the file,
/// and at ERROR it is only then known whether there is anything to say.
class ExecutionLog {
public:
    explicit ExecutionLog(const Watch& watch) : watch_{watch} {}

    // The steps, in order; see Observation.
    void filtered();
    void backend_called(std::string_view path);
    void try_began(const upstream::Target&);
    void backend_request(std::string_view head);
    void request_body(std::string_view piece);
    void backend_response(const http::ResponseHead&);
    void try_ended(const upstream::Forwarding&);
    void response_head(std::string_view head);
    void response_body(std::string_view piece);
    /// Writes the lines into the method's file.
    void finished(const Exchange&);

private:
    const Watch& watch_;
    ExecutionNotes notes_{};
};

}  // namespace sluice::gateway
