// SPDX-License-Identifier: Apache-2.0
//
// What one worker counts of one series in one minute. There are two of them: the worker writes
// that of the running minute, the sampler reads the other (ADR 0013).
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <optional>

#include "sluice/telemetry/counter.hpp"
#include "sluice/telemetry/latency_buckets.hpp"

namespace sluice::telemetry {

/// Durations of one minute, in nanoseconds. How many there are is the sum of the buckets.
struct SpreadCells {
    Counter sum, least, most;
    std::array<Cell<std::uint32_t>, kFineBuckets> buckets{};

    void record(const Measured&);
    void clear();
};

/// A request that is over.
struct Finished {
    int status = 0;
    bool cache_hit = false;
    bool cache_miss = false;
    Measured latency{};
    std::optional<Measured> integration{};
    Measured overhead{};
};

struct MinuteCells {
    std::atomic<std::uint32_t> number{0};  ///< of the minute counted here; 0 = none yet
    Cell<std::uint32_t> requests, errors_4xx, errors_5xx, cache_hits, cache_misses;
    SpreadCells latency, integration, overhead;

    void record(const Finished&);
    void clear();
};

struct MinutePair {
    std::array<MinuteCells, 2> cells{};

    /// For the running minute, empty when it has just begun.
    MinuteCells& at(std::uint32_t number) {
        MinuteCells& one = cells[number % 2];
        if (one.number.load(std::memory_order_relaxed) != number) begin(one, number);
        return one;
    }

private:
    static void begin(MinuteCells&, std::uint32_t number);
};

}  // namespace sluice::telemetry
