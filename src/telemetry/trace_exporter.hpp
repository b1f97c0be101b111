// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <thread>

#include "sluice/config/model.hpp"
#include "telemetry/span_queue.hpp"

namespace sluice::telemetry {

/// Sends spans to an OTLP receiver, in batches, from a thread of its own (docs/adr/0012).
class TraceExporter {
public:
    explicit TraceExporter(unsigned workers) : queue_{workers} {}
    ~TraceExporter() { stop(); }
    TraceExporter(const TraceExporter&) = delete;
    TraceExporter& operator=(const TraceExporter&) = delete;

    /// Starts, or goes on with other settings from the next batch.
    void use(const config::Tracing&);
    SpanQueue& queue() { return queue_; }
    /// Sends what waits, for kFlushBound at most; the rest is counted as failed.
    void stop();
    static constexpr std::chrono::seconds kFlushBound{3};

    struct Stats {
        std::uint64_t exported = 0;
        std::uint64_t dropped = 0;  ///< the queue was full
        std::uint64_t failed = 0;   ///< the receiver did not take them
    };
    Stats stats() const;

private:
    using Settings = std::shared_ptr<const config::Tracing>;

    void run();
    Settings settings();
    void rest(Duration pause);
    void send(const std::vector<Span>&);
    /// Null: it is done with, taken or not. Else: so long to wait before the next try.
    std::optional<Duration> send_once(const config::Tracing&, const std::string& message,
                                      std::size_t spans, int attempt);
    void note(const config::Tracing&, const std::string& problem);
    bool is_out_of_time() const;

    SpanQueue queue_;
    std::mutex mutex_;  ///< guards settings_
    Settings settings_{};
    std::atomic<std::uint64_t> exported_{0}, failed_{0};
    std::atomic<bool> stopping_{false};
    std::atomic<TimePoint::rep> stop_by_{0};
    std::string problem_{};  ///< of the last batch; told once
    std::thread thread_{};
};

}  // namespace sluice::telemetry
