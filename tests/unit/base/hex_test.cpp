// SPDX-License-Identifier: Apache-2.0
#include "base/hex.hpp"

#include <gtest/gtest.h>

#include <cstdio>
#include <limits>
#include <random>
#include <string>

namespace sluice {
namespace {

TEST(HexDigits, AreThoseOfPrintf) {
    std::mt19937_64 random{3};
    for (int i = 0; i < 1000; ++i) {
        const std::uint64_t value = random() >> i % 64;
        char expected[17];
        std::snprintf(expected, sizeof expected, "%016llx", static_cast<unsigned long long>(value));
        const SixteenChars digits = hex_digits(value);
        EXPECT_EQ(std::string(digits.begin(), digits.end()), expected);
    }
}

TEST(HexDigits, HaveEveryNibbleAtEveryPlace) {
    constexpr std::string_view digits = "0123456789abcdef";
    constexpr std::string_view letters = "ABCDEFGHIJKLMNOP";
    for (std::size_t place = 0; place < 16; ++place) {
        for (std::uint64_t nibble = 0; nibble < 16; ++nibble) {
            std::string hex(16, '0');
            hex[place] = digits[nibble];
            std::string text(16, 'A');
            text[place] = letters[nibble];
            const std::uint64_t value = nibble << (60 - 4 * place);
            const SixteenChars a = hex_digits(value);
            const SixteenChars b = letter_digits(value);
            EXPECT_EQ(std::string(a.begin(), a.end()), hex);
            EXPECT_EQ(std::string(b.begin(), b.end()), text);
        }
    }
}

TEST(WriteHex, WritesTheLowestDigits) {
    char text[] = "........";
    write_hex(text, 0x1234abcd, 8);
    EXPECT_STREQ(text, "1234abcd");
    write_hex(text, 0xf00d, 2);
    EXPECT_STREQ(text, "0d34abcd");
    char all[] = "................";
    write_hex(all, std::numeric_limits<std::uint64_t>::max(), 16);
    EXPECT_STREQ(all, "ffffffffffffffff");
}

}  // namespace
}  // namespace sluice
