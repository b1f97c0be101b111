// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/base/result.hpp"

namespace sluice {

/// An IPv4 or IPv6 address. IPv4 is held as ::ffff:a.b.c.d, so the two spellings are equal.
class IpAddress {
public:
    using Bytes = std::array<std::uint8_t, 16>;

    IpAddress() = default;  ///< "::"
    /// In network byte order, as the kernel gives them.
    static IpAddress v6(const Bytes& bytes);
    static IpAddress v4(const std::array<std::uint8_t, 4>& bytes);
    /// Exactly one address and nothing else: four decimal numbers without leading zeros, or
    /// RFC 4291 text; no zone, port, bracket or blank.
    static std::optional<IpAddress> parse(std::string_view);

    std::string to_string() const;  ///< RFC 5952; IPv4 dotted
    static constexpr std::size_t kTextSize = 46;
    /// The same text at `out`, where there is room for kTextSize bytes; returns its end.
    char* write(char* out) const;
    bool is_v4() const;
    const Bytes& bytes() const { return bytes_; }
    /// The address with everything after the prefix zero.
    IpAddress masked(int v4_bits, int v6_bits) const;
    /// Seeded per process: an attacker cannot choose collisions.
    std::uint64_t hash() const;
    auto operator<=>(const IpAddress&) const = default;

private:
    Bytes bytes_{};
};

/// A set of networks. IPv6 networks never contain IPv4 addresses, "::/0" included.
class IpSet {
public:
    IpSet() = default;
    /// Addresses ("::1") and networks ("10.0.0.0/8"). Bits after the prefix are an error: such
    /// an entry does not say what was meant.
    static Result<IpSet> parse(std::span<const std::string> networks);
    bool contains(const IpAddress&) const;
    bool empty() const { return v4_.empty() && v6_.empty(); }

private:
    struct Range {
        IpAddress first{}, last{};
    };
    static void merge(std::vector<Range>&);

    std::vector<Range> v4_{};  // sorted, disjoint
    std::vector<Range> v6_{};
};

}  // namespace sluice
