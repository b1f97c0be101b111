// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace sluice::telemetry {

/// Bytes of the well-formed UTF-8 sequence (RFC 3629: no overlong form, no surrogate, nothing
/// above U+10FFFF) that `text` starts with; 0 = none. `text` is not empty.
std::size_t utf8_length(std::string_view text);

/// The code point of a well-formed sequence of `length` bytes.
std::uint32_t utf8_code_point(std::string_view text, std::size_t length);

}  // namespace sluice::telemetry
