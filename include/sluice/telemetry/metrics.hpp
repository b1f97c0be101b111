// SPDX-License-Identifier: Apache-2.0
//
// Counters that cost a nanosecond: every worker has its own cells, written by that worker only
// (relaxed atomics), and a scrape adds them up. Names and meaning: contract, section 7.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::telemetry {

/// Written by one thread, read by any.
class Counter {
public:
    void add(std::uint64_t n = 1) {
        value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
    }
    void sub(std::uint64_t n = 1) {
        value_.store(value_.load(std::memory_order_relaxed) - n, std::memory_order_relaxed);
    }
    std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

private:
    std::atomic<std::uint64_t> value_{0};
};

/// Seconds: ecosystem.md, section 4.
inline constexpr std::array<double, 18> kLatencyBounds{0.0005, 0.001, 0.002, 0.005, 0.01, 0.025,
                                                       0.05,   0.075, 0.1,   0.25,  0.5,  0.75,
                                                       1,      2.5,   5,     7.5,   10,   30};

class Histogram {
public:
    void record(std::chrono::nanoseconds);
    std::array<Counter, kLatencyBounds.size() + 1> buckets{};  ///< not cumulative
    Counter sum_nanoseconds{};
};

inline constexpr std::size_t kThrottleLevels = 5;  ///< state::Level, in its order

/// What one worker counted for one label set.
struct alignas(64) SeriesCells {
    Counter requests, errors_4xx, errors_5xx, cache_hits, cache_misses, quota_exceeded;
    std::array<Counter, kThrottleLevels> throttled{};
    Histogram latency, integration_latency;
    /// Counts a final status in sluice_responses_total and nowhere else: `requests` and
    /// `errors_4xx/5xx` are the caller's. 100-599; anything else is a bug and counts as 599.
    void count_status(int status);
    /// Takes one count_status() back: the answer was replaced before it was sent.
    void uncount_status(int status);
    // lazily allocated per status class; see metrics.cpp
    struct Codes {
        std::array<Counter, 100> count{};
    };
    std::array<std::atomic<Codes*>, 6> codes{};
    ~SeriesCells();
};

struct SeriesLabels {
    std::string api, stage, resource, method;
    auto operator<=>(const SeriesLabels&) const = default;
};

class Series {
public:
    Series(SeriesLabels labels, unsigned workers);
    SeriesCells& cells(unsigned worker) { return cells_[worker]; }
    const SeriesLabels& labels() const { return labels_; }

private:
    friend class Metrics;
    SeriesLabels labels_;
    std::string label_text_;  ///< api="...",stage="...", as rendered
    std::vector<SeriesCells> cells_;
};

enum class UpstreamError : std::uint8_t {
    connect_refused,
    connect_timeout,
    connect_failed,
    resolve_failed,
    tls_failed,
    reset,
    closed_early,
    first_byte_timeout,
    timeout,
    malformed,
    head_too_large,
    no_target,
    write_failed,
    count_
};
std::string_view to_string(UpstreamError);

/// What one worker knows of one backend.
struct alignas(64) BackendCells {
    Counter active, idle;  ///< connections now
    std::array<Counter, static_cast<std::size_t>(UpstreamError::count_)> errors{};
};

class BackendSeries {
public:
    BackendSeries(std::string backend, unsigned workers);
    BackendCells& cells(unsigned worker) { return cells_[worker]; }

private:
    friend class Metrics;
    std::string label_text_;  ///< backend="...", as rendered
    std::vector<BackendCells> cells_;
};

/// Process-wide things one worker counts.
struct alignas(64) WorkerCells {
    Counter connections, requests_in_flight, received_bytes, sent_bytes, unrouted;
    Counter refused;  ///< malformed or over a limit: sluice_refused_total
    Counter tls_handshakes, tls_handshake_failures;
};

/// Renders other objects' numbers at scrape time ("# HELP ..." lines included).
using Collector = std::function<void(std::string& out)>;

class Metrics {
public:
    explicit Metrics(unsigned workers);
    ~Metrics();
    unsigned workers() const;
    /// The one series of these labels; the same object for the same labels for ever, so counters
    /// survive a reload. Not for the request path.
    Series& series(const SeriesLabels&);
    BackendSeries& backend(const std::string& name);
    WorkerCells& worker(unsigned index);
    void add_collector(Collector);
    /// Access-log lines dropped because the disk could not keep up:
    /// sluice_access_log_dropped_total.
    std::atomic<std::uint64_t> access_log_dropped{0};
    /// The same of execution logs: sluice_execution_log_dropped_total.
    std::atomic<std::uint64_t> execution_log_dropped{0};
    std::atomic<bool> last_reload_successful{true};
    std::atomic<std::int64_t> last_reload_unix_seconds{0};
    /// Prometheus text format 0.0.4; any thread.
    std::string render() const;

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

/// A HELP/TYPE header and one sample, for collectors. Escapes label values.
void write_family(std::string& out, std::string_view name, std::string_view type,
                  std::string_view help);
void write_sample(std::string& out, std::string_view name,
                  std::initializer_list<std::pair<std::string_view, std::string_view>> labels,
                  double value);

}  // namespace sluice::telemetry
