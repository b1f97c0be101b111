// SPDX-License-Identifier: Apache-2.0
#include "http/strict.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstring>
#include <limits>

namespace sluice::http::strict {
namespace {

constexpr std::uint64_t kOnes = 0x0101010101010101ULL;
constexpr std::uint64_t kHighs = kOnes * 0x80;

/// High bits set where a byte is a control byte, HTAB among them. Above the lowest set one there
/// may be false ones (borrows), so only that one counts.
std::uint64_t controls_in(std::uint64_t word) {
    const std::uint64_t below_space = (word - kOnes * 0x20) & ~word;
    const std::uint64_t is_del = ((word ^ (kOnes * 0x7f)) - kOnes) & ~(word ^ (kOnes * 0x7f));
    return (below_space | is_del) & kHighs;
}

bool is_control(char c) {
    const auto u = static_cast<unsigned char>(c);
    return (u < 0x20 && c != '\t') || u == 0x7f;
}

const Fault* fault_in_name(const char* stop, const char* start) {
    if (*stop == '\n') return &kBareLf;
    if (*stop == '\r') return &kNoColon;
    if (is_blank(*stop)) return &kSpaceInName;
    if (*stop == ':' && stop == start) return &kEmptyName;
    return &kBadName;
}

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

const char* find_control(const char* at, const char* end) {
    if constexpr (std::endian::native == std::endian::little) {
        while (end - at >= 8) {
            std::uint64_t word;
            std::memcpy(&word, at, sizeof word);
            const std::uint64_t hits = controls_in(word);
            if (hits == 0) {
                at += 8;
                continue;
            }
            at += std::countr_zero(hits) / 8;
            if (*at != '\t') return at;
            ++at;
        }
    }
    while (at != end && !is_control(*at))
        ++at;
    return at;
}

const Fault* end_line(Cursor& in, const char* stop, const Fault& other) {
    if (stop == in.end) return &kMore;
    if (*stop == '\n') return &kBareLf;
    if (*stop != '\r') return &other;
    if (stop + 1 == in.end) return &kMore;
    if (stop[1] != '\n') return &kBareCr;
    in.at = stop + 2;
    return nullptr;
}

const Fault* next_field(Cursor& in, HeaderField& out) {
    if (in.at == in.end) return &kMore;
    const char* const start = in.at;
    if (*start == '\r') return end_line(in, start, kBadName);
    if (in.fields_left == 0) return &kTooManyFields;
    if (is_blank(*start)) return &kFold;

    const char* stop = start;
    while (stop != in.end && is(*stop, kToken))
        ++stop;
    if (stop == in.end) return &kMore;
    if (*stop != ':' || stop == start) return fault_in_name(stop, start);
    out.name = {start, static_cast<std::size_t>(stop - start)};

    const char* first = stop + 1;
    const char* last = find_control(first, in.end);
    if (const Fault* fault = end_line(in, last, kBadValue)) return fault;
    while (first != last && is_blank(*first))
        ++first;
    while (first != last && is_blank(last[-1]))
        --last;
    out.value = {first, static_cast<std::size_t>(last - first)};
    out.id = field_id(out.name);
    --in.fields_left;
    return nullptr;
}

const Fault* take_content_length(std::string_view value, BodyFields& body) {
    if (body.has_length) return &kRepeated;
    if (body.has_coding) return &kTeAndCl;
    if (value.empty() || !std::ranges::all_of(value, is_digit)) return &kBadLength;
    const auto [end, error] =
        std::from_chars(value.data(), value.data() + value.size(), body.length);
    if (error != std::errc{} || body.length > std::numeric_limits<std::int64_t>::max()) {
        return &kBadLength;
    }
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
    const std::size_t colon = text.find(':');
    const std::string_view name = text.substr(0, colon);
    if (name.empty() || !std::ranges::all_of(name, [](char c) { return is(c, kHost); })) {
        return false;
    }
    return colon == text.npos || is_port(text.substr(colon + 1));
}

}  // namespace sluice::http::strict
