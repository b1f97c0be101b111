// SPDX-License-Identifier: Apache-2.0
#include "http/strict.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <limits>

namespace sluice::http::strict {
namespace {

bool is_port(std::string_view digits) {
    // An empty port is the default one (RFC 3986 3.2.3).
    if (digits.empty()) return true;
    if (digits.size() > 5 || !std::ranges::all_of(digits, is_digit)) return false;
    unsigned port = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), port);
    return port <= 65535;
}

bool is_ipv6(std::string_view address) {
    char text[INET6_ADDRSTRLEN] = {};
    if (address.size() >= sizeof text) return false;
    address.copy(text, address.size());
    in6_addr parsed;
    // A NUL inside would end the text early and hide what follows.
    return std::strlen(text) == address.size() && inet_pton(AF_INET6, text, &parsed) == 1;
}

}  // namespace

const Fault* take_content_length(std::string_view value, BodyFields& body) {
    constexpr std::uint64_t most = std::numeric_limits<std::int64_t>::max();
    if (body.has_length) return &kRepeated;
    if (body.has_coding) return &kTeAndCl;
    if (value.empty()) return &kBadLength;
    std::uint64_t length = 0;
    for (const char c : value) {
        if (!is_digit(c) || length > most / 10) return &kBadLength;
        length = length * 10 + static_cast<std::uint64_t>(c - '0');
    }
    if (length > most) return &kBadLength;
    body.length = length;
    body.has_length = true;
    return nullptr;
}

const Fault* take_transfer_encoding(std::string_view value, int minor_version, BodyFields& body) {
    if (body.has_coding) return &kRepeated;
    if (body.has_length) return &kTeAndCl;
    if (minor_version == 0) return &kCodingOn10;
    body.has_coding = true;
    if (iequals(value, "chunked")) return nullptr;
    // Nothing else is served. A proper list with a coding we do not know is "not implemented";
    // anything stranger is malformed.
    bool unknown = false;
    std::string_view rest = value;
    do {
        const std::string_view coding = next_element(rest);
        if (!is_token(coding)) return &kBadCoding;
        unknown = unknown || !iequals(coding, "chunked");
    } while (rest.data() != nullptr);
    return unknown ? &kUnknownCoding : &kBadCoding;
}

std::string_view next_element(std::string_view& list) {
    const std::size_t comma = list.find(',');
    std::string_view element = list.substr(0, comma);
    list = comma == list.npos ? std::string_view{} : list.substr(comma + 1);
    while (!element.empty() && is_blank(element.front()))
        element.remove_prefix(1);
    while (!element.empty() && is_blank(element.back()))
        element.remove_suffix(1);
    return element;
}

bool is_token(std::string_view text) {
    return !text.empty() && std::ranges::all_of(text, [](char c) { return is(c, kToken); });
}

bool is_authority(std::string_view text) {
    if (text.starts_with('[')) {
        const std::size_t close = text.find(']');
        if (close == text.npos || !is_ipv6(text.substr(1, close - 1))) return false;
        const std::string_view rest = text.substr(close + 1);
        return rest.empty() || (rest.front() == ':' && is_port(rest.substr(1)));
    }
    const char* const end = text.data() + text.size();
    const char* stop = text.data();
    while (stop != end && is(*stop, kHost))
        ++stop;
    if (stop == text.data()) return false;
    return stop == end || (*stop == ':' && is_port({stop + 1, end}));
}

}  // namespace sluice::http::strict
