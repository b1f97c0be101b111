// SPDX-License-Identifier: Apache-2.0
#include "telemetry/utf8.hpp"

#include <gtest/gtest.h>

#include <string>

namespace sluice::telemetry {
namespace {

std::string encode(std::uint32_t c) {
    const auto byte = [](std::uint32_t value) { return static_cast<char>(value); };
    const auto tail = [&](int shift) { return byte(0x80 | (c >> shift & 0x3F)); };
    if (c < 0x80) return {byte(c)};
    if (c < 0x800) return {byte(0xC0 | c >> 6), tail(0)};
    if (c < 0x10000) return {byte(0xE0 | c >> 12), tail(6), tail(0)};
    return {byte(0xF0 | c >> 18), tail(12), tail(6), tail(0)};
}

TEST(Utf8, KnowsEveryCodePoint) {
    for (std::uint32_t c = 0; c <= 0x10FFFF; ++c) {
        const std::string text = encode(c);
        if (c >= 0xD800 && c <= 0xDFFF) {
            ASSERT_EQ(utf8_length(text), 0u) << c;
            continue;
        }
        ASSERT_EQ(utf8_length(text), text.size()) << c;
        ASSERT_EQ(utf8_code_point(text, text.size()), c);
        if (c < 0x80) continue;
        ASSERT_EQ(utf8_length(text.substr(0, text.size() - 1)), 0u) << c;
    }
}

TEST(Utf8, RefusesWhatIsNotWellFormed) {
    for (const std::string_view text :
         {"\x80", "\xBF", "\xC0\xAF", "\xC1\xBF", "\xC3(", "\xE0\x80\xAF", "\xE0\x9F\xBF",
          "\xE2\x82(", "\xF0\x80\x80\xAF", "\xF0\x8F\xBF\xBF", "\xF4\x90\x80\x80",
          "\xF5\x80\x80\x80", "\xF8\x88\x80\x80\x80", "\xFE", "\xFF"}) {
        EXPECT_EQ(utf8_length(text), 0u);
    }
}

}  // namespace
}  // namespace sluice::telemetry
