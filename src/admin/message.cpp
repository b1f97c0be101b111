// SPDX-License-Identifier: Apache-2.0
#include "admin/message.hpp"

#include <nlohmann/json.hpp>

namespace sluice::admin {
namespace {

int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

bool add_parameter(std::string_view pair, std::map<std::string, std::string>& query) {
    if (pair.empty()) return true;
    const auto equals = pair.find('=');
    auto name = percent_decode(pair.substr(0, equals));
    auto value = percent_decode(equals == pair.npos ? "" : pair.substr(equals + 1));
    return name && value && query.emplace(std::move(*name), std::move(*value)).second;
}

/// Calls `take` for each piece between separators until it says no.
template <class F>
bool split(std::string_view text, char separator, F take) {
    while (true) {
        const auto end = text.find(separator);
        if (!take(text.substr(0, end))) return false;
        if (end == text.npos) return true;
        text.remove_prefix(end + 1);
    }
}

}  // namespace

std::optional<std::string> percent_decode(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            out.push_back(text[i]);
            continue;
        }
        if (text.size() - i < 3) return std::nullopt;
        const int high = hex_digit(text[i + 1]);
        const int low = hex_digit(text[i + 2]);
        if (high < 0 || low < 0 || (high | low) == 0) return std::nullopt;
        out.push_back(static_cast<char>(high * 16 + low));
        i += 2;
    }
    return out;
}

std::optional<Request> parse_request(std::string method, std::string_view target) {
    if (!target.starts_with('/')) return std::nullopt;
    Request request{.method = std::move(method)};
    const auto mark = target.find('?');
    const bool path_ok = split(target.substr(1, mark - 1), '/', [&](std::string_view segment) {
        auto decoded = percent_decode(segment);
        if (!decoded) return false;
        request.segments.push_back(std::move(*decoded));
        return true;
    });
    if (!path_ok) return std::nullopt;
    if (mark == target.npos) return request;
    const bool query_ok = split(target.substr(mark + 1), '&', [&](std::string_view pair) {
        return add_parameter(pair, request.query);
    });
    if (!query_ok) return std::nullopt;
    return request;
}

std::string to_text(const nlohmann::ordered_json& json) {
    return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

Reply json_reply(unsigned status, const nlohmann::ordered_json& json) {
    return {.status = status, .body = to_text(json)};
}

Reply error_reply(unsigned status, std::string_view type, std::string_view message) {
    Reply reply = json_reply(status, {{"message", message}});
    reply.fields.emplace_back("x-amzn-ErrorType", type);
    return reply;
}

}  // namespace sluice::admin
