// SPDX-License-Identifier: Apache-2.0
//
// Sixteen bytes looked at together; compilers turn this into SSE2, or whatever there is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace sluice::telemetry {

using Block = unsigned char __attribute__((vector_size(16)));

inline Block load_block(const char* at) {
    Block block;
    std::memcpy(&block, at, sizeof block);
    return block;
}

/// The bytes of a text of up to sixteen, in any order, some of them twice, and zeros ('0') where
/// there are none. Reads nothing beyond the text.
inline Block load_short(const char* text, std::size_t size) {
    constexpr std::uint64_t kZeros = 0x3030303030303030;
    std::uint64_t words[2] = {kZeros, kZeros};
    if (size >= 8) {
        std::memcpy(&words[0], text, 8);
        std::memcpy(&words[1], text + size - 8, 8);
    } else if (size >= 4) {
        std::uint32_t halves[2];
        std::memcpy(&halves[0], text, 4);
        std::memcpy(&halves[1], text + size - 4, 4);
        words[0] = halves[0] | std::uint64_t{halves[1]} << 32;
    } else if (size > 0) {
        const auto byte = [&](std::size_t i) -> std::uint64_t {
            return static_cast<unsigned char>(text[i]);
        };
        words[1] = byte(0) | byte(size / 2) << 8 | byte(size - 1) << 16 | kZeros << 24;
    }
    Block block;
    std::memcpy(&block, words, sizeof block);
    return block;
}

/// Lanes of all ones where a byte is neither a letter nor a digit nor one of "-./:".
inline auto outside_words(Block b) {
    const Block from_dash = b - '-';  // "-./", the digits and ":" follow one another
    const Block letter = (b | 0x20) - 'a';
    return (from_dash > ':' - '-') & (letter > 'z' - 'a');
}

/// Whether a comparison of blocks came out true anywhere.
template <class Lanes>
bool any(const Lanes& lanes) {
    std::uint64_t halves[2];
    static_assert(sizeof halves == sizeof lanes);
    std::memcpy(halves, &lanes, sizeof halves);
    return (halves[0] | halves[1]) != 0;
}

}  // namespace sluice::telemetry
