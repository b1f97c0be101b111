// SPDX-License-Identifier: Apache-2.0
//
// Answers the gateway makes itself: one table from the kind of refusal to status, fields and
// body (contract 5 and 9, aws-semantics 6.1). Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "sluice/config/model.hpp"

namespace sluice {

enum class Reply : std::uint8_t {
    none,
    // routing
    missing_authentication_token,  ///< no resource or no such method
    forbidden,                     ///< no stage, no mapping
    // policies
    invalid_api_key,
    throttled,
    quota_exceeded,
    access_denied_cache,  ///< FAIL_WITH_403; the body is access_denied_body()
    // integration
    integration_timeout,
    integration_failure,
    api_configuration_error,
    internal_error,
    service_unavailable,
    // protocol: these close the connection (robustness 1.1)
    bad_request,
    request_timeout,
    method_not_allowed,
    request_too_large,
    uri_too_long,
    expectation_failed,
    headers_too_large,
    not_implemented,
    http_version,
    count_  ///< how many there are; not a reply
};

/// Everything about a reply that does not depend on the request.
struct ReplyText {
    int status = 0;
    std::string_view response_type{};  ///< $context.error.responseType: "THROTTLED", ...
    std::string_view error_type{};     ///< x-amzn-ErrorType
    std::string_view message{};        ///< $context.error.message
    std::string_view body{};
    std::string_view content_type = "application/json";
    bool closes = false;       ///< nothing behind this request may be read (robustness 1.1)
    bool retry_after = false;  ///< carries Retry-After
};

const ReplyText& describe(Reply, config::Compatibility);

/// The reply for a status that the protocol layer refused with; unknown ones are bad_request.
Reply reply_for_status(int status);

/// "Too Many Requests" for 429, ...; "Unknown" for a status that has no standard phrase.
std::string_view reason_phrase(int status);

/// Body of access_denied_cache (aws-semantics 5.5, 9.5). `path` without leading slash.
std::string access_denied_body(std::string_view api_id, std::string_view stage,
                               std::string_view method, std::string_view path);

}  // namespace sluice
