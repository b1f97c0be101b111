// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

namespace sluice::fuzz {

/// What a whole chunked body is, the slow and obvious way. Knows no limits on extensions or
/// trailers, so inputs must be shorter than those.
struct NaiveBody {
    std::string data{};
    std::size_t consumed = 0;
};

/// Takes one line ended by CRLF off `rest`; nothing if there is none or it has other controls.
inline std::optional<std::string> naive_line(std::string_view& rest) {
    const std::size_t end = rest.find("\r\n");
    if (end == rest.npos) return {};
    std::string line{rest.substr(0, end)};
    for (const char c : line) {
        const auto u = static_cast<unsigned char>(c);
        if ((u < 0x20 && c != '\t') || u == 0x7f) return {};
    }
    rest.remove_prefix(end + 2);
    return line;
}

/// "1f4" or "1f4;whatever" as a number below 2^63.
inline std::optional<std::uint64_t> naive_size(std::string line) {
    if (line.size() > 256) return {};
    line.resize(std::min(line.find(';'), line.size()));
    if (line.empty() || line.size() > 16) return {};
    if (line.find_first_not_of("0123456789abcdefABCDEF") != line.npos) return {};
    const unsigned long long size = std::stoull(line, nullptr, 16);
    if (size > static_cast<unsigned long long>(std::numeric_limits<std::int64_t>::max())) return {};
    return size;
}

inline bool naive_trailer(const std::string& line) {
    const std::size_t colon = line.find(':');
    if (colon == 0 || colon == line.npos) return false;
    const auto in_name = [](unsigned char c) {
        return std::isalnum(c) != 0 || std::string_view{"!#$%&'*+-.^_`|~"}.find(
                                           static_cast<char>(c)) != std::string_view::npos;
    };
    return std::all_of(line.begin(), line.begin() + static_cast<std::ptrdiff_t>(colon), in_name);
}

/// The body at the start of `bytes`, if it is all there and well-formed.
inline std::optional<NaiveBody> naive_chunked(std::string_view bytes) {
    NaiveBody body;
    std::string_view rest = bytes;
    for (;;) {
        const auto line = naive_line(rest);
        const auto size = line ? naive_size(*line) : std::nullopt;
        if (!size) return {};
        if (*size == 0) break;
        if (rest.size() < 2 || *size > rest.size() - 2) return {};
        const auto length = static_cast<std::size_t>(*size);
        if (rest.substr(length, 2) != "\r\n") return {};
        body.data += rest.substr(0, length);
        rest.remove_prefix(length + 2);
    }
    for (;;) {
        const auto line = naive_line(rest);
        if (!line) return {};
        if (line->empty()) break;
        if (!naive_trailer(*line)) return {};
    }
    body.consumed = bytes.size() - rest.size();
    return body;
}

}  // namespace sluice::fuzz
