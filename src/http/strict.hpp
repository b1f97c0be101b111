// SPDX-License-Identifier: Apache-2.0
//
// What the request and the response reader share: why heads are refused, byte classes, framing
// fields. Their lines are read with http/head_lines.hpp.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "sluice/http/head.hpp"

namespace sluice::http::strict {

/// Why a head is refused: the status for a client and a stable word for the log.
struct Fault {
    int status;
    std::string_view reason;
};

inline constexpr Fault kMore{0, "more"};  ///< not a fault: the bytes end too early to tell

inline constexpr Fault kBadMethod{400, "bad_method"};
inline constexpr Fault kBadTarget{400, "bad_target"};
inline constexpr Fault kBadEscape{400, "bad_escape"};
inline constexpr Fault kTargetTooLong{414, "target_too_long"};
inline constexpr Fault kNoVersion{400, "no_version"};
inline constexpr Fault kBadVersion{400, "bad_version"};
inline constexpr Fault kVersion{505, "version_not_supported"};
inline constexpr Fault kMethodNotServed{405, "method_not_served"};
inline constexpr Fault kBadStatus{502, "bad_status"};
inline constexpr Fault kBadReason{502, "bad_reason_phrase"};

inline constexpr Fault kBareCr{400, "bare_cr"};
inline constexpr Fault kBareLf{400, "bare_lf"};
inline constexpr Fault kFold{400, "obs_fold"};
inline constexpr Fault kEmptyName{400, "empty_name"};
inline constexpr Fault kSpaceInName{400, "space_in_name"};
inline constexpr Fault kNoColon{400, "no_colon"};
inline constexpr Fault kBadName{400, "bad_name"};
inline constexpr Fault kBadValue{400, "bad_value"};
inline constexpr Fault kHeadTooLarge{431, "head_too_large"};
inline constexpr Fault kTooManyFields{431, "too_many_fields"};

inline constexpr Fault kNoHost{400, "no_host"};
inline constexpr Fault kBadHost{400, "bad_host"};
inline constexpr Fault kRepeated{400, "repeated_field"};
inline constexpr Fault kTeAndCl{400, "te_and_cl"};
inline constexpr Fault kBadLength{400, "bad_content_length"};
inline constexpr Fault kBadCoding{400, "bad_transfer_encoding"};
inline constexpr Fault kUnknownCoding{501, "unknown_transfer_coding"};
inline constexpr Fault kCodingOn10{400, "te_on_http_10"};
inline constexpr Fault kBadConnection{400, "bad_connection"};
inline constexpr Fault kProtectedOption{400, "connection_names_protected_field"};
inline constexpr Fault kExpectation{417, "unknown_expectation"};
inline constexpr Fault kLookAlike{400, "framing_look_alike"};

// ------------------------------------------------------------------------------- byte classes

enum Class : std::uint8_t {
    kToken = 1,   ///< RFC 9110 5.6.2
    kTarget = 2,  ///< may stand in a request target; '%' is not in it
    kHex = 4,
    kHost = 8,         ///< may stand in a registered name (RFC 3986 3.2.2) as far as we take it
    kUnreserved = 16,  ///< RFC 3986 2.3
    kControl = 32      ///< any but HTAB
};

constexpr std::array<std::uint8_t, 256> make_classes() {
    std::array<std::uint8_t, 256> table{};
    const auto mark = [&table](std::string_view bytes, int bits) {
        for (const char c : bytes) {
            auto& cell = table[static_cast<unsigned char>(c)];
            cell = static_cast<std::uint8_t>(cell | bits);
        }
    };
    for (std::size_t c = 0; c < 0x20; ++c)
        table[c] = kControl;
    table['\t'] = 0;
    table[0x7f] = kControl;
    for (std::size_t c = 0x21; c < 0x7f; ++c)
        table[c] = kTarget;
    for (const char c : std::string_view{"%#\\"})
        table[static_cast<unsigned char>(c)] = 0;
    mark("0123456789ABCDEFabcdef", kHex);
    mark("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
         kToken | kHost | kUnreserved);
    mark("!#$%&'*+-.^_`|~", kToken);
    mark("-._~", kHost | kUnreserved);
    // Sub-delims without comma and quote: a Host list or a quoted Host is nobody's name. Escapes
    // are left out as well: they would give one host several spellings.
    mark("!$&()*+;=", kHost);
    return table;
}

inline constexpr std::array<std::uint8_t, 256> kClasses = make_classes();

constexpr bool is(char c, Class what) {
    return (kClasses[static_cast<unsigned char>(c)] & what) != 0;
}
constexpr bool is_blank(char c) { return c == ' ' || c == '\t'; }
constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// A hex digit's value; `c` must be one.
constexpr unsigned hex_value(char c) {
    const auto u = static_cast<unsigned>(static_cast<unsigned char>(c));
    return (u & 0xfU) + (u >> 6U) * 9U;  // letters are 0x41.. and 0x61..
}

// ------------------------------------------------------------------------- fields with meaning

/// What the framing fields of one head said (robustness 1.5).
struct BodyFields {
    bool has_length = false;
    bool has_coding = false;
    std::uint64_t length = 0;
};

const Fault* take_content_length(std::string_view value, BodyFields&);
const Fault* take_transfer_encoding(std::string_view value, int minor_version, BodyFields&);

/// Splits a comma list; returns the next element without blanks, and shortens `list`.
std::string_view next_element(std::string_view& list);

bool is_token(std::string_view);

/// uri-host [":" port] with a name, an IPv4 address or an IPv6 literal in brackets.
bool is_authority(std::string_view);

}  // namespace sluice::http::strict
