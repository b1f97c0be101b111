// SPDX-License-Identifier: Apache-2.0
#include "gateway/reply.hpp"

#include <array>
#include <boost/beast/http/status.hpp>
#include <cstddef>

namespace sluice {

namespace {

using config::Compatibility;

constexpr auto kReplies = static_cast<std::size_t>(Reply::count_);
using Table = std::array<ReplyText, kReplies>;

constexpr std::string_view kForbidden = "ForbiddenException";
constexpr std::string_view kInternal = "InternalServerErrorException";
constexpr std::string_view kBadRequest = "BadRequestException";

constexpr ReplyText& at(Table& table, Reply reply) {
    return table[static_cast<std::size_t>(reply)];
}

/// Bodies have no blank after the colon (contract 10).
constexpr void fill_policies(Table& t) {
    at(t, Reply::missing_authentication_token) = {
        403, "MISSING_AUTHENTICATION_TOKEN", "MissingAuthenticationTokenException",
        "Missing Authentication Token", R"({"message":"Missing Authentication Token"})"};
    at(t, Reply::forbidden) = {403, "", kForbidden, "Forbidden", R"({"message":"Forbidden"})"};
    at(t, Reply::invalid_api_key) = {403, "INVALID_API_KEY", kForbidden, "Forbidden",
                                     R"({"message":"Forbidden"})"};
    at(t, Reply::throttled) = {.status = 429,
                               .response_type = "THROTTLED",
                               .error_type = "TooManyRequestsException",
                               .message = "Too Many Requests",
                               .body = R"({"message":"Too Many Requests"})",
                               .retry_after = true};
    at(t, Reply::quota_exceeded) = {.status = 429,
                                    .response_type = "QUOTA_EXCEEDED",
                                    .error_type = "LimitExceededException",
                                    .message = "Limit Exceeded",
                                    .body = R"({"message":"Limit Exceeded"})",
                                    .retry_after = true};
    // aws-semantics 5.5: the full body names the method; this one is for callers without it.
    at(t, Reply::access_denied_cache) = {
        403, "ACCESS_DENIED", "AccessDeniedException",
        "User is not authorized to access this resource",
        R"({"Message":"User is not authorized to access this resource"})"};
}

constexpr void fill_integration(Table& t) {
    at(t, Reply::integration_timeout) = {504, "INTEGRATION_TIMEOUT", kInternal,
                                         "Endpoint request timed out",
                                         R"({"message":"Endpoint request timed out"})"};
    at(t, Reply::integration_failure) = {
        502, "INTEGRATION_FAILURE", kInternal, "Network error communicating with endpoint",
        R"({"message":"Network error communicating with endpoint"})"};
    at(t, Reply::api_configuration_error) = {500, "API_CONFIGURATION_ERROR", kInternal,
                                             "Internal server error",
                                             R"({"message":"Internal server error"})"};
    at(t, Reply::internal_error) = {500, "DEFAULT_5XX", kInternal, "Internal server error",
                                    R"({"message":"Internal server error"})"};
    at(t, Reply::service_unavailable) = {.status = 503,
                                         .response_type = "DEFAULT_5XX",
                                         .error_type = "ServiceUnavailableException",
                                         .message = "Service Unavailable",
                                         .body = R"({"message":"Service Unavailable"})",
                                         .retry_after = true};
}

constexpr ReplyText refusal(int status, std::string_view error_type, std::string_view message,
                            std::string_view body) {
    return {.status = status,
            .response_type = "DEFAULT_4XX",
            .error_type = error_type,
            .message = message,
            .body = body,
            .closes = true};
}

constexpr void fill_protocol(Table& t) {
    at(t, Reply::bad_request) =
        refusal(400, kBadRequest, "Bad Request", R"({"message":"Bad Request"})");
    at(t, Reply::request_timeout) = refusal(408, "RequestTimeoutException", "Request Timeout",
                                            R"({"message":"Request Timeout"})");
    at(t, Reply::method_not_allowed) =
        refusal(405, "MethodNotAllowedException", "Method Not Allowed",
                R"({"message":"Method Not Allowed"})");
    at(t, Reply::request_too_large) = refusal(413, "RequestTooLargeException", "Request Too Long",
                                              R"({"message":"Request Too Long"})");
    at(t, Reply::request_too_large).response_type = "REQUEST_TOO_LARGE";
    at(t, Reply::uri_too_long) =
        refusal(414, "RequestUriTooLongException", "Request URI too long",
                R"({"message":"Request URI too long"})");  // aws-semantics 1.6
    at(t, Reply::expectation_failed) =
        refusal(417, "ExpectationFailedException", "Expectation Failed",
                R"({"message":"Expectation Failed"})");
    at(t, Reply::headers_too_large) =
        refusal(431, "RequestHeaderFieldsTooLargeException", "Request Header Fields Too Large",
                R"({"message":"Request Header Fields Too Large"})");  // aws-semantics 8
    at(t, Reply::not_implemented) = refusal(501, "NotImplementedException", "Not Implemented",
                                            R"({"message":"Not Implemented"})");
    at(t, Reply::http_version) =
        refusal(505, "HttpVersionNotSupportedException", "HTTP Version Not Supported",
                R"({"message":"HTTP Version Not Supported"})");
    at(t, Reply::not_implemented).response_type = "DEFAULT_5XX";
    at(t, Reply::http_version).response_type = "DEFAULT_5XX";
}

constexpr Table standard_table() {
    Table table{};
    fill_policies(table);
    fill_integration(table);
    fill_protocol(table);
    return table;
}

/// The differences of contract 9 and 10.
constexpr Table aws_table() {
    Table table = standard_table();
    at(table, Reply::integration_failure).status = 504;
    auto& too_large = at(table, Reply::request_too_large);
    too_large.content_type = "text/plain";
    too_large.body = "HTTP content length exceeded 10485760 bytes.";
    for (ReplyText& text : table) {
        text.retry_after = false;
    }
    return table;
}

constexpr Table kStandard = standard_table();
constexpr Table kAws = aws_table();

}  // namespace

const ReplyText& describe(Reply reply, Compatibility compatibility) {
    const auto index = static_cast<std::size_t>(reply);
    const auto row = index < kReplies ? index : static_cast<std::size_t>(Reply::internal_error);
    return compatibility == Compatibility::aws ? kAws[row] : kStandard[row];
}

Reply reply_for_status(int status) {
    switch (status) {
        case 405:
            return Reply::method_not_allowed;
        case 408:
            return Reply::request_timeout;
        case 413:
            return Reply::request_too_large;
        case 414:
            return Reply::uri_too_long;
        case 417:
            return Reply::expectation_failed;
        case 431:
            return Reply::headers_too_large;
        case 500:
            return Reply::internal_error;
        case 501:
            return Reply::not_implemented;
        case 503:
            return Reply::service_unavailable;
        case 505:
            return Reply::http_version;
        default:
            return Reply::bad_request;
    }
}

std::string_view reason_phrase(int status) {
    namespace beast = boost::beast::http;
    const auto known = beast::int_to_status(static_cast<unsigned>(status));
    if (known == beast::status::unknown) return "Unknown";
    const auto phrase = beast::obsolete_reason(known);
    return {phrase.data(), phrase.size()};
}

std::string access_denied_body(std::string_view api_id, std::string_view stage,
                               std::string_view method, std::string_view path) {
    // A JSON string: ids, stage names and methods are plain by their own rules, the path is not.
    std::string body =
        R"({"Message":"User: anonymous is not authorized to perform: )"
        R"(execute-api:InvalidateCache on resource: arn:aws:execute-api:local:********0000:)";
    body.append(api_id).append("/").append(stage).append("/").append(method).append("/");
    constexpr std::string_view kDigits = "0123456789abcdef";
    for (const char c : path) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x20 || byte >= 0x7f) {
            body.append("\\u00") += kDigits[byte >> 4];
            body += kDigits[byte & 15];
            continue;
        }
        if (c == '"' || c == '\\') body += '\\';
        body += c;
    }
    return body.append("\"}");
}

}  // namespace sluice
