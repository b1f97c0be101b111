// SPDX-License-Identifier: Apache-2.0
//
// The $context variables of an access log (aws-semantics 15.3): the one table of their names.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "sluice/telemetry/access_record.hpp"

namespace sluice::telemetry {

enum class Variable : std::uint8_t {
    absent,  ///< AWS has it; here it can have no value yet, or must not be shown
    // text
    request_id,
    extended_request_id,
    api_id,
    stage,
    resource_id,
    resource_path,
    http_method,
    path,
    protocol,
    domain_name,
    domain_prefix,
    source_ip,
    user_agent,
    api_key_id,
    error_message,
    error_response_type,
    integration_error,
    cache_status,
    throttle_level,
    usage_plan_id,
    base_path_matched,
    trace_id,
    request_time,
    error_message_string,  ///< a JSON string with its quotes
    masked_api_key,        ///< aws-semantics 2.5
    // numbers
    request_time_epoch,
    status,
    response_length,
    response_latency,
    integration_status,
    integration_latency,
};

inline bool is_number(Variable v) { return v >= Variable::request_time_epoch; }

/// `name` is what follows "$context.".
std::optional<Variable> find_variable(std::string_view name);
/// The part of a record that is the variable's text as it stands; null for numbers, the time and
/// what is made up from other parts.
std::string_view AccessRecord::*text_member(Variable);
/// The known name that differs least.
std::string nearest_variable(std::string_view name);

}  // namespace sluice::telemetry
