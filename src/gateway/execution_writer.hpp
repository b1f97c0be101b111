// SPDX-License-Identifier: Apache-2.0
//
// The lines of one request's execution log, from what was noted and from the Exchange. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "gateway/exchange.hpp"
#include "gateway/snapshot.hpp"

namespace sluice::gateway {

/// What would be gone when the lines are written.
struct ExecutionNotes {
    struct Try {
        std::string url{};
        WallTime at{};
        std::string_view error{};  ///< empty: it went well
    };
    std::string path{};  ///< with the query, as the backend sees it
    std::vector<Try> tries{};
    std::string request_head{};  ///< to the backend
    std::string request_body{};
    std::string backend_fields{};  ///< of its response, as a map
    std::string response_head{};   ///< to the client
    std::string response_body{};
    WallTime filtered_at{}, answered_at{};
};

/// Not only failures: INFO, or data trace at any level (aws-semantics 15.1).
inline bool says_everything(const Watch& watch) {
    return watch.data_trace || watch.log_level == config::LoggingLevel::info;
}

/// The gateway refused it or failed to answer, or the backend did not do its work.
bool has_failed(const Exchange&);

void write_execution_lines(const ExecutionNotes&, const Watch&, const Exchange&, std::string& out);

}  // namespace sluice::gateway
