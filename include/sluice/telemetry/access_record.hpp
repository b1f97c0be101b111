// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

#include "sluice/base/time.hpp"

namespace sluice::telemetry {

/// One finished exchange as plain data: what an access-log line can say (aws-semantics 15.3).
/// Views are valid while the line is being formatted. Empty text and unset numbers print "-".
struct AccessRecord {
    std::string_view request_id, extended_request_id;
    std::string_view api_id, stage, resource_id, resource_path, http_method, path, protocol;
    std::string_view domain_name;  ///< Host as sent; domainPrefix is its first label
    std::string_view source_ip, user_agent, api_key_id;
    std::string_view api_key;  ///< a secret: a line shows its last six characters
    std::string_view error_message, error_response_type;
    std::string_view integration_error;
    std::string_view cache_status;  ///< HIT, MISS, BYPASS
    std::string_view throttle_level, usage_plan_id;
    std::string_view base_path_matched;
    std::string_view trace_id;
    WallTime request_time{};
    int status = 0;
    std::uint64_t response_length = 0;
    std::chrono::milliseconds response_latency{0};
    std::optional<int> integration_status{};
    std::optional<std::chrono::milliseconds> integration_latency{};
};

}  // namespace sluice::telemetry
