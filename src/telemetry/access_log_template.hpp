// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "telemetry/access_log_variables.hpp"
#include "telemetry/escape.hpp"

namespace sluice::telemetry {

/// Where in the line a variable stands: decides how its value is escaped.
enum class Place : std::uint8_t {
    plain,
    plain_quoted,
    json_bare,
    json_string,
    xml,
    csv_bare,
    csv_quoted
};

/// A literal, then a variable's value.
struct Step {
    std::uint32_t literal_at = 0, literal_size = 0;
    Variable variable = Variable::absent;
    Place place = Place::plain;
    const CleanBytes* clean = nullptr;  ///< what may be copied unescaped here
    std::string_view AccessRecord::*text = nullptr;
};

struct Template {
    std::vector<Step> steps;
    std::uint32_t tail_at = 0, tail_size = 0;  ///< the last literal, with the newline
    std::string literals;  ///< padded so that copying in steps of 16 bytes stays inside
    std::vector<std::unique_ptr<const CleanBytes>> clean_sets;
};

/// Parses and checks a format by aws-semantics 15.2; on a mistake `error` says which rule.
std::optional<Template> compile_template(std::string_view text, std::string& error);

}  // namespace sluice::telemetry
