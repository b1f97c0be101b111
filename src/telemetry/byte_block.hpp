// SPDX-License-Identifier: Apache-2.0
//
// Sixteen bytes looked at together; compilers turn this into SSE2, or whatever there is.
#pragma once

#include <cstdint>
#include <cstring>

namespace sluice::telemetry {

using Block = unsigned char __attribute__((vector_size(16)));

inline Block load_block(const char* at) {
    Block block;
    std::memcpy(&block, at, sizeof block);
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
