// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sluice::config {

/// An OTLP endpoint taken apart.
struct OtlpUrl {
    bool secure = false;
    std::string host{};  ///< without brackets
    std::uint16_t port = 0;
    std::string authority{};  ///< as written
    std::string target{};     ///< path and query
};

inline std::optional<OtlpUrl> parse_otlp_url(std::string_view text) {
    OtlpUrl url;
    if (text.starts_with("https://"))
        url.secure = true;
    else if (!text.starts_with("http://"))
        return {};
    text.remove_prefix(url.secure ? 8 : 7);
    const auto path = text.find_first_of("/?#");
    url.authority = text.substr(0, path);
    url.target = path == text.npos ? "/" : text.substr(path);
    if (url.target.find('#') != std::string::npos) return {};
    if (url.target.front() != '/') url.target.insert(0, "/");
    for (const char c : text) {
        if (c <= ' ' || c >= 0x7F) return {};
    }
    if (url.authority.find('@') != std::string::npos) return {};  // headers carry credentials
    url.port = url.secure ? 443 : 80;
    std::string_view rest = url.authority;
    if (rest.starts_with('[')) {
        const auto end = rest.find(']');
        if (end == rest.npos) return {};
        url.host = rest.substr(1, end - 1);
        rest.remove_prefix(end + 1);
    } else {
        const auto colon = rest.find(':');
        url.host = rest.substr(0, colon);
        rest.remove_prefix(colon == rest.npos ? rest.size() : colon);
    }
    if (url.host.empty()) return {};
    if (rest.empty()) return url;
    if (rest.front() != ':') return {};
    rest.remove_prefix(1);
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), url.port);
    if (error != std::errc{} || end != rest.data() + rest.size() || url.port == 0) return {};
    return url;
}

}  // namespace sluice::config
