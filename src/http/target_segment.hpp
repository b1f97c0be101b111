// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "http/strict.hpp"

namespace sluice::http {

struct SegmentCheck {
    std::string_view fault{};  ///< empty: the segment may pass
    bool has_unreserved_escape = false;
};

/// Looks at what stands between two slashes of a path, and at what backends that decode it once
/// or more often would see there (contract 9). `scratch` is used for doubly encoded segments only.
SegmentCheck check_segment(std::string_view segment, bool standard, std::string& scratch);

/// The byte that the escape at the start of `text` ("%2f...") stands for.
inline char decode_escape(std::string_view text) {
    return static_cast<char>(strict::hex_value(text[1]) << 4U | strict::hex_value(text[2]));
}

}  // namespace sluice::http
