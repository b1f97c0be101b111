// SPDX-License-Identifier: Apache-2.0
#include "telemetry/span.hpp"

#include "telemetry/escape.hpp"
#include "telemetry/utf8.hpp"

namespace sluice::telemetry {

void Span::add(std::string_view key, std::string_view text) {
    constexpr std::size_t kLongest = 1024;
    if (text.empty()) return;
    text = text.substr(0, kLongest);
    while (!text.empty() && text.size() == kLongest &&
           (static_cast<unsigned char>(text.back()) & 0x80) != 0) {
        text.remove_suffix(1);  // half a character, perhaps
    }
    std::string value;
    append_text(value, text);
    attributes.push_back({key, std::move(value)});
}

}  // namespace sluice::telemetry
