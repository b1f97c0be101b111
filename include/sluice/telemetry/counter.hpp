// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>

namespace sluice::telemetry {

/// Written by one thread, read by any.
template <class Number>
class Cell {
public:
    void add(Number n = 1) {
        value_.store(static_cast<Number>(value_.load(std::memory_order_relaxed) + n),
                     std::memory_order_relaxed);
    }
    void sub(Number n = 1) {
        value_.store(static_cast<Number>(value_.load(std::memory_order_relaxed) - n),
                     std::memory_order_relaxed);
    }
    void set(Number value) { value_.store(value, std::memory_order_relaxed); }
    Number value() const { return value_.load(std::memory_order_relaxed); }

private:
    std::atomic<Number> value_{0};
};

using Counter = Cell<std::uint64_t>;

}  // namespace sluice::telemetry
