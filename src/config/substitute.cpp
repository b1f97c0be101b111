// SPDX-License-Identifier: Apache-2.0
#include "config/substitute.hpp"

#include <algorithm>

#include "config/text.hpp"

namespace sluice::config {
namespace {

bool is_name(std::string_view name) {
    if (name.empty() || is_digit(name[0])) return false;
    return std::all_of(name.begin(), name.end(), [](char c) { return is_alnum(c) || c == '_'; });
}

/// What stands between "${" and "}".
void replace_one(std::string_view inside, const Environment& environment, Substituted& out) {
    const auto cut = inside.find(":-");
    const std::string name(inside.substr(0, cut));
    if (cut == std::string_view::npos && name.find('.') != std::string::npos) {
        out.text += "${" + name + "}";  // ours to leave: ${stageVariables.x}
        return;
    }
    if (!is_name(name)) {
        out.fault = "a substitution reads ${NAME} or ${NAME:-default}";
        return;
    }
    out.changed = true;
    const auto value = environment(name);
    const bool fallback = cut != std::string_view::npos;
    if (value && !(fallback && value->empty())) {
        out.text += *value;
    } else if (fallback) {
        out.text += inside.substr(cut + 2);
    } else {
        out.fault = "environment variable " + name + " is not set";
    }
}

}  // namespace

Substituted substitute(std::string_view text, const Environment& environment) {
    Substituted out;
    while (out.fault.empty()) {
        const auto start = text.find("${");
        out.text += text.substr(0, start);
        if (start == std::string_view::npos) break;
        if (start > 0 && text[start - 1] == '$') {
            out.text += '{';  // the first "$" is there already
            text.remove_prefix(start + 2);
            continue;
        }
        const auto end = text.find('}', start);
        if (end == std::string_view::npos) {
            out.fault = "a substitution is not closed with \"}\"";
            break;
        }
        replace_one(text.substr(start + 2, end - start - 2), environment, out);
        text.remove_prefix(end + 1);
    }
    return out;
}

}  // namespace sluice::config
