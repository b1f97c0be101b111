// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "gateway/exchange.hpp"
#include "gateway/snapshot.hpp"

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
    struct Try {
        std::string url{};
        WallTime at{};
        std::string_view error{};  ///< empty: it went well
    };
    class Writer;
    bool says_everything() const {
        return watch_.data_trace || watch_.log_level == config::LoggingLevel::info;
    }

    const Watch& watch_;
    std::string path_{};  ///< with the query, as the backend sees it
    std::vector<Try> tries_{};
    std::size_t tries_made_ = 0;
    std::string request_head_{};  ///< to the backend
    std::string request_body_{};
    std::string backend_fields_{};  ///< of its response, as a map
    std::string response_head_{};
    std::string response_body_{};
    WallTime filtered_at_{}, answered_at_{};
};

}  // namespace sluice::gateway
