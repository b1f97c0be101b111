// SPDX-License-Identifier: Apache-2.0
#include "config/yaml_writer.hpp"

#include <algorithm>
#include <array>

#include "config/text.hpp"

namespace sluice::config {
namespace {

using Json = nlohmann::ordered_json;

/// Text that no YAML version takes for anything but this text.
bool may_be_plain(const std::string& text) {
    static constexpr std::array<std::string_view, 10> kWords{"true", "false", "yes", "no",   "on",
                                                             "off",  "y",     "n",   "null", "~"};
    if (text.empty() || !is_alnum(text[0]) || is_digit(text[0])) {
        if (text.empty() || text[0] != '/') return false;
    }
    const auto fits = [](char c) {
        return is_alnum(c) || c == '_' || c == '-' || c == '.' || c == '/' || c == '+';
    };
    if (!std::all_of(text.begin(), text.end(), fits)) return false;
    return std::find(kWords.begin(), kWords.end(), lower(text)) == kWords.end();
}

std::string text_of(const std::string& text) {
    // A substitution must not happen a second time when the dump is read back.
    std::string kept = text;
    for (auto at = kept.find("${"); at != std::string::npos; at = kept.find("${", at + 3)) {
        const auto end = std::min(kept.find('}', at), kept.size());
        if (kept.substr(at, end - at).find('.') == std::string::npos) kept.insert(at, "$");
    }
    if (may_be_plain(kept)) return kept;
    return Json(kept).dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string scalar(const Json& value) {
    return value.is_string() ? text_of(value.get<std::string>()) : value.dump();
}

void write(const Json& value, std::size_t indent, std::string& out) {
    const std::string margin(indent, ' ');
    const auto write_inside = [&](const Json& item) {
        if (!item.is_structured() || item.empty()) {
            out += " " + (item.is_structured() ? item.dump() : scalar(item)) + "\n";
            return;
        }
        out += "\n";
        write(item, indent + 2, out);
    };
    if (value.is_object()) {
        for (const auto& [key, item] : value.items()) {
            const bool plain = may_be_plain(key);
            out += margin + (plain ? key : Json(key).dump()) + ":";
            write_inside(item);
        }
        return;
    }
    for (const Json& item : value) {
        if (!item.is_structured() || item.empty()) {
            out += margin + "-";
            write_inside(item);
            continue;
        }
        std::string nested;
        write(item, indent + 2, nested);
        nested[indent] = '-';
        out += nested;
    }
}

}  // namespace

std::string write_yaml(const Json& value) {
    std::string out;
    write(value, 0, out);
    return out;
}

}  // namespace sluice::config
