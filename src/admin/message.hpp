// SPDX-License-Identifier: Apache-2.0
//
// Requests and replies of the admin server as plain data: routes know no sockets.
#pragma once

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice::admin {

struct Request {
    std::string method{};
    std::vector<std::string> segments{};  ///< of the path, decoded; "/" is one empty segment
    std::map<std::string, std::string> query{};
};

/// Takes a target in origin form apart. Empty for anything else: bad escapes, NUL, a parameter
/// given twice.
std::optional<Request> parse_request(std::string method, std::string_view target);

struct Reply {
    unsigned status = 200;
    std::string body{};
    std::string content_type = "application/json";
    std::vector<std::pair<std::string, std::string>> fields{};  ///< further header fields
};

Reply json_reply(unsigned status, const nlohmann::ordered_json&);
/// The shape of AWS's errors: x-amzn-ErrorType and {"message":...} (aws-semantics 19.1).
Reply error_reply(unsigned status, std::string_view type, std::string_view message);

/// %XX undone; empty when an escape is broken or yields NUL. "+" is a plus.
std::optional<std::string> percent_decode(std::string_view);

/// JSON text; bytes that are not UTF-8 become U+FFFD.
std::string to_text(const nlohmann::ordered_json&);

}  // namespace sluice::admin
