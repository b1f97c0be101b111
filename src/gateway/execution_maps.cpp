// SPDX-License-Identifier: Apache-2.0
#include "gateway/execution_maps.hpp"

#include <algorithm>

#include "telemetry/execution_lines.hpp"

namespace sluice::gateway {
namespace {

using telemetry::MapText;

constexpr std::size_t kMostDecoded = 2 * telemetry::kLongestExecutionText;

/// Fields whose values are shown like keys: only their ends, even with data trace.
bool is_secret(std::string_view name) {
    return http::iequals(name, "x-api-key") || http::iequals(name, "authorization") ||
           http::iequals(name, "proxy-authorization");
}

void add_field(MapText& map, std::string_view name, std::string_view value) {
    if (is_secret(name)) {
        map.add(name, telemetry::masked(value));
    } else {
        map.add(name, value);
    }
}

int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    const char lower = static_cast<char>(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

}  // namespace

std::string fields_map(const http::FieldList& fields) {
    MapText map;
    for (const http::HeaderField& field : fields.all())
        add_field(map, field.name, field.value);
    return std::string{map.view()};
}

std::string head_map(std::string_view head) {
    MapText map;
    for (auto end = head.find("\r\n"); end != head.npos; end = head.find("\r\n")) {
        head.remove_prefix(end + 2);
        const auto line_end = head.find("\r\n");
        const std::string_view line = head.substr(0, line_end);
        const auto colon = line.find(": ");
        if (colon == line.npos) continue;
        const std::string_view name = line.substr(0, colon);
        // Cut short, its last six characters would be others.
        const bool hidden = line_end == head.npos && is_secret(name);
        if (hidden)
            map.add(name, "******");
        else
            add_field(map, name, line.substr(colon + 2));
    }
    return std::string{map.view()};
}

std::string percent_decoded(std::string_view text, bool plus_is_blank) {
    std::string out;
    for (std::size_t i = 0; i < text.size() && out.size() < kMostDecoded; ++i) {
        const int high = text[i] == '%' && i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
        const int low = high >= 0 ? hex_digit(text[i + 2]) : -1;
        if (low >= 0) {
            out += static_cast<char>(high << 4 | low);
            i += 2;
        } else {
            out += plus_is_blank && text[i] == '+' ? ' ' : text[i];
        }
    }
    return out;
}

std::string query_map(std::string_view query) {
    MapText map;
    while (!query.empty() && !map.is_full()) {
        const std::string_view pair = query.substr(0, query.find('&'));
        query.remove_prefix(std::min(query.size(), pair.size() + 1));
        if (pair.empty()) continue;
        const auto equals = std::min(pair.find('='), pair.size());
        map.add(percent_decoded(pair.substr(0, equals), true),
                percent_decoded(pair.substr(std::min(pair.size(), equals + 1)), true));
    }
    return std::string{map.view()};
}

}  // namespace sluice::gateway
