// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "sluice/config/key_value.hpp"

namespace sluice::config {

inline constexpr std::size_t kMaxKeyValue = 128;
inline constexpr std::size_t kMinKeyValue = 20;
inline constexpr std::size_t kMinStandardKeyValue = 8;  // contract 10

/// Printable ASCII except comma, quotes and blank (aws-semantics 2.1).
bool is_key_value(std::string_view);

}  // namespace sluice::config
