// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace sluice::config {

/// 40 characters [A-Za-z0-9] from the system's cryptographic generator (238 bits).
std::string generate_key_value();

/// The id of a key that has none: 10 characters [a-z0-9] from the SHA-256 of its value.
std::string key_id(std::string_view value);

}  // namespace sluice::config
