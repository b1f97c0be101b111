// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "sluice/base/time.hpp"

namespace sluice::admin {

/// 2026-11-21, 2026-11-21T06:30Z, 2026-11-21T06:30:15.250+01:00; without a zone it is UTC. Empty
/// for anything else, and outside the years 1970 to 9999.
std::optional<WallTime> parse_iso_time(std::string_view);

/// 2026-11-21T06:30:00Z
std::string to_iso_time(WallTime);

}  // namespace sluice::admin
