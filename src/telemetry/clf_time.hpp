// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "sluice/base/time.hpp"

namespace sluice::telemetry {

/// "dd/MMM/yyyy:HH:mm:ss +0000", valid until the thread's next call. Formatted once per second
/// and thread.
std::string_view clf_time(WallTime);

}  // namespace sluice::telemetry
