// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <string>

#include "support/process.hpp"

namespace test {

/// The calendar of a program that a test starts (tests/preload/shift_clock.cpp).
class ShiftedClock {
public:
    ShiftedClock();
    ~ShiftedClock();
    ShiftedClock(const ShiftedClock&) = delete;
    ShiftedClock& operator=(const ShiftedClock&) = delete;

    /// For the environment of the program.
    std::map<std::string, std::string> environment() const;
    void set(std::chrono::milliseconds ahead) { shift_->ahead = ahead.count(); }
    /// It is that time, since 1970, and stays it.
    void freeze(std::chrono::milliseconds time) { shift_->frozen = time.count(); }

private:
    struct Shift {
        std::atomic<std::int64_t> ahead;
        std::atomic<std::int64_t> frozen;
    };
    TempDir directory_{};
    Shift* shift_;
};

}  // namespace test
