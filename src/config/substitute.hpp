// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace sluice::config {

using Environment = std::function<std::optional<std::string>(const std::string& name)>;

struct Substituted {
    std::string text{};
    bool changed = false;
    std::string fault{};  ///< not empty: what is wrong; never holds a value
};

/// Replaces ${NAME} and ${NAME:-default} (also used when NAME is empty, as shells do) once,
/// without looking into what was put in. "$${" stands for a literal "${"; ${stageVariables.x}
/// and every other name with a dot is left alone.
Substituted substitute(std::string_view text, const Environment&);

}  // namespace sluice::config
