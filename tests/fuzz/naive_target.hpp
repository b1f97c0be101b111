// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cctype>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::fuzz {

/// All escapes replaced by their bytes, once, left to right; what is no escape stays.
inline std::string decode_once(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '%' && i + 2 < text.size() &&
            std::isxdigit(static_cast<unsigned char>(text[i + 1])) != 0 &&
            std::isxdigit(static_cast<unsigned char>(text[i + 2])) != 0) {
            const int byte = std::stoi(std::string{text.substr(i + 1, 2)}, nullptr, 16);
            out += static_cast<char>(byte);
            i += 2;
        } else {
            out += text[i];
        }
    }
    return out;
}

inline std::vector<std::string> split(std::string_view text, char by) {
    std::vector<std::string> parts{""};
    for (const char c : text) {
        if (c == by) {
            parts.emplace_back();
        } else {
            parts.back() += c;
        }
    }
    return parts;
}

/// What a backend that decodes `path` any number of times could find in it.
struct Seen {
    bool dot_segment = false;
    bool control = false;
    bool backslash = false;
};

/// `slashes_count`: decoded slashes separate segments as well.
inline Seen look_at_every_depth(std::string_view path, bool slashes_count) {
    Seen seen;
    for (const std::string& sent : split(path, '/')) {
        std::string text = sent;
        for (bool again = true; again;) {
            for (const std::string& segment :
                 slashes_count ? split(text, '/') : std::vector{text}) {
                const std::string name = segment.substr(0, segment.find(';'));
                seen.dot_segment = seen.dot_segment || name == "." || name == "..";
            }
            for (const char c : text) {
                const auto u = static_cast<unsigned char>(c);
                seen.control = seen.control || u < 0x20 || u == 0x7f;
                seen.backslash = seen.backslash || c == '\\';
            }
            std::string next = decode_once(text);
            again = next != text;
            text = std::move(next);
        }
    }
    return seen;
}

}  // namespace sluice::fuzz
