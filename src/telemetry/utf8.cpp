// SPDX-License-Identifier: Apache-2.0
#include "telemetry/utf8.hpp"

namespace sluice::telemetry {
namespace {

std::uint8_t byte_at(std::string_view text, std::size_t index) {
    return static_cast<std::uint8_t>(text[index]);
}

bool continues(std::string_view text, std::size_t index) {
    return (byte_at(text, index) & 0xC0) == 0x80;
}

}  // namespace

std::size_t utf8_length(std::string_view text) {
    const std::uint8_t lead = byte_at(text, 0);
    if (lead < 0x80) return 1;
    const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    if (lead < 0xC2 || lead > 0xF4 || text.size() < length) return 0;
    for (std::size_t i = 1; i < length; ++i) {
        if (!continues(text, i)) return 0;
    }
    const std::uint8_t second = byte_at(text, 1);
    const bool overlong = (lead == 0xE0 && second < 0xA0) || (lead == 0xF0 && second < 0x90);
    const bool surrogate = lead == 0xED && second > 0x9F;
    const bool too_large = lead == 0xF4 && second > 0x8F;
    return overlong || surrogate || too_large ? 0 : length;
}

std::uint32_t utf8_code_point(std::string_view text, std::size_t length) {
    if (length == 1) return byte_at(text, 0);
    std::uint32_t value = byte_at(text, 0) & (0x7Fu >> length);
    for (std::size_t i = 1; i < length; ++i)
        value = value << 6 | (byte_at(text, i) & 0x3Fu);
    return value;
}

}  // namespace sluice::telemetry
