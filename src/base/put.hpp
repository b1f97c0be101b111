// SPDX-License-Identifier: Apache-2.0
//
// Text written behind a pointer, where room for all of it was made at once.
#pragma once

#include <charconv>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace sluice {

inline constexpr std::size_t kMaxDigits = 20;  ///< of a number

/// Returns where the text ends.
inline char* put(char* at, std::string_view text) {
    if (!text.empty()) std::memcpy(at, text.data(), text.size());
    return at + text.size();
}

inline char* put_number(char* at, std::uint64_t n) {
    return std::to_chars(at, at + kMaxDigits, n).ptr;
}

}  // namespace sluice
