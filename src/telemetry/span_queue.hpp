// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <condition_variable>
#include <mutex>

#include "sluice/base/time.hpp"
#include "telemetry/span.hpp"

namespace sluice::telemetry {

/// Finished spans on their way from the workers to the exporter. A worker collects in a buffer
/// only it touches and hands it over whole; what exceeds the bound is dropped and counted.
class SpanQueue {
public:
    explicit SpanQueue(unsigned workers) : buffers_(workers == 0 ? 1 : workers) {}

    void set_limit(std::size_t most_waiting);

    // On the worker's thread.
    void add(unsigned worker, Span&&);
    /// Hands over whatever there is; several times a second and before the worker ends.
    void flush(unsigned worker);

    /// Up to `most` spans: as soon as so many wait, or `delay` after the first of them came, or
    /// when the queue is closed. Empty only when it is closed and nothing waits.
    std::vector<Span> take(std::size_t most, Duration delay);
    void close();
    /// Waits, but not beyond close(). True: the queue is closed.
    bool wait_closed(Duration);
    std::uint64_t dropped() const { return dropped_.load(std::memory_order_relaxed); }

private:
    struct alignas(64) Buffer {
        std::vector<Span> spans;
    };
    std::vector<Buffer> buffers_;
    std::atomic<std::uint64_t> dropped_{0};
    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<Span> waiting_;
    TimePoint first_came_{};
    std::size_t limit_ = 2048;
    std::size_t wanted_ = 1;  ///< so many wake the exporter
    bool closed_ = false;
};

}  // namespace sluice::telemetry
