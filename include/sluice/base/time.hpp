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

/// Calendar time of points in monotonic time, for one thread. Asks the system ten times a second,
/// so a step of the calendar is noticed that late; between two answers both run alike.
class Calendar {
public:
    WallTime at(TimePoint t) {
        if (t - asked_ > kPatience || t < asked_) ask(t);
        return std::chrono::floor<std::chrono::milliseconds>(wall_ + (t - asked_));
    }

private:
    static constexpr std::chrono::milliseconds kPatience{100};
    void ask(TimePoint t) {
        const Duration since = std::chrono::steady_clock::now() - t;
        wall_ = std::chrono::system_clock::now() - since;
        asked_ = t;
    }

    TimePoint asked_{};
    std::chrono::sys_time<std::chrono::nanoseconds> wall_{};
};

}  // namespace sluice
