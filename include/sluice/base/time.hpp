// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>

namespace sluice {

/// Monotonic time: timeouts, latencies and token buckets. Never goes back.
using TimePoint = std::chrono::steady_clock::time_point;
using Duration = std::chrono::steady_clock::duration;

/// Calendar time in UTC: quotas, log lines, certificates. May jump.
using WallTime = std::chrono::sys_time<std::chrono::milliseconds>;

inline WallTime wall_now() {
    return std::chrono::time_point_cast<std::chrono::milliseconds>(
        std::chrono::system_clock::now());
}

}  // namespace sluice
