// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace sluice::config {

/// Block style YAML that reads back to the same values under YAML 1.1 and 1.2. Pure.
std::string write_yaml(const nlohmann::ordered_json&);

}  // namespace sluice::config
