// SPDX-License-Identifier: Apache-2.0
//
// The sixteen nibbles of a number side by side, and what is written with them. The vectors are the
// compilers' own (GCC and clang, any machine): on x86-64 sixteen digits take a dozen instructions.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>

namespace sluice {

using SixteenChars = std::array<char, 16>;

/// `zero` plus the nibbles of `value`, the highest first; nibbles above nine get `gap` on top.
inline SixteenChars nibbles_as(std::uint64_t value, char zero, char gap) {
    using Bytes [[gnu::vector_size(16)]] = signed char;
    using Words [[gnu::vector_size(16)]] = std::uint64_t;
    constexpr std::uint64_t lower = 0x0f0f0f0f0f0f0f0fULL;
    if constexpr (std::endian::native == std::endian::little) value = __builtin_bswap64(value);
    const auto high = std::bit_cast<Bytes>(Words{value >> 4 & lower, 0});
    const auto low = std::bit_cast<Bytes>(Words{value & lower, 0});
    const Bytes nibbles =
        __builtin_shufflevector(high, low, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
    return std::bit_cast<SixteenChars>(nibbles + zero + ((nibbles > 9) & gap));
}

/// All sixteen hexadecimal digits, lower case.
inline SixteenChars hex_digits(std::uint64_t value) {
    return nibbles_as(value, '0', 'a' - '0' - 10);
}

/// The same with the letters A to P.
inline SixteenChars letter_digits(std::uint64_t value) { return nibbles_as(value, 'A', 0); }

/// `digits` hexadecimal digits of `value`, lower case.
inline void write_hex(char* out, std::uint64_t value, int digits) {
    const auto n = static_cast<std::size_t>(digits);
    std::memcpy(out, hex_digits(value).data() + 16 - n, n);
}

}  // namespace sluice
