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
    void set(std::chrono::milliseconds ahead) { *millis_ = ahead.count(); }

private:
    TempDir directory_{};
    std::atomic<std::int64_t>* millis_;
};

}  // namespace test
