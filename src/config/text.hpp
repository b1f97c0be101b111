// SPDX-License-Identifier: Apache-2.0
//
// Text as the configuration sees it: what may stand in a name, an address, a size; how to
// quote it in a message; which known word is nearest to a wrong one. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::config {

/// In double quotes, shortened, with anything but printable ASCII replaced: safe for a log.
std::string in_quotes(std::string_view);

/// The candidate with the smallest edit distance (transpositions count one, case nothing);
/// empty without candidates.
std::string nearest(std::string_view word, std::span<const std::string> candidates);
std::size_t edit_distance(std::string_view, std::string_view);

/// "; did you mean \"x\"?" or nothing.
std::string did_you_mean(std::string_view word, std::span<const std::string> candidates);

struct BadByte {
    int line;
    int column;
    std::string message;
};
/// The first byte that is not UTF-8 text (overlong forms, surrogates and control bytes other
/// than tab and line ends included).
std::optional<BadByte> find_bad_utf8(std::string_view);

std::string lower(std::string_view);
std::string_view trimmed(std::string_view);
bool is_alnum(char);
bool is_digit(char);

bool is_ipv4(std::string_view);
bool is_ipv6(std::string_view);
bool is_ip(std::string_view);
bool is_loopback(std::string_view address);
/// Letters, digits, "-" and "_" in labels of 1 to 63, 253 in all.
bool is_dns_name(std::string_view);

/// Nothing when `text` is an address or a network in CIDR form without host bits; else why not.
std::optional<std::string> network_fault(const std::string& text);

/// "64MiB", "10kB", "1048576" in bytes.
std::optional<std::uint64_t> parse_size(std::string_view);

/// Plain decimal numbers only; YAML 1.1's octal, hexadecimal, sexagesimal and "_" are not.
std::optional<std::int64_t> parse_integer(std::string_view);
std::optional<double> parse_number(std::string_view);
/// What to write instead, when a number is spelled in a way we do not read; may be empty.
std::string number_hint(std::string_view);

/// scheme://host[:port][rest] cut into pieces; no decoding.
struct UrlParts {
    std::string scheme{};
    std::string authority{};  ///< as written
    std::string host{};       ///< IPv6 without brackets
    std::string port{};       ///< digits, or empty
    std::string rest{};       ///< from the first "/" or "?" on
};
std::optional<UrlParts> split_url(std::string_view);

}  // namespace sluice::config
