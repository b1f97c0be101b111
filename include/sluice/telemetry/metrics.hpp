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
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/base/prefetch.hpp"
#include "sluice/telemetry/counter.hpp"
#include "sluice/telemetry/latency_buckets.hpp"
#include "sluice/telemetry/minute_cells.hpp"

namespace sluice::telemetry {

class Histogram {
public:
    void record(const Measured&);
    std::array<Counter, kLatencyBounds.size() + 1> buckets{};  ///< not cumulative
    Counter sum_nanoseconds{};
};

inline constexpr std::size_t kThrottleLevels = 5;  ///< state::Level, in its order

/// What one worker counted for one label set.
struct alignas(64) SeriesCells {
    Counter requests, errors_4xx, errors_5xx, cache_hits, cache_misses, quota_exceeded;
    std::atomic<MinutePair*> minutes{nullptr};  ///< made by the first request in its history
    // lazily allocated per status class; see metrics.cpp
    struct Codes {
        std::array<Counter, 100> count{};
    };
    std::array<std::atomic<Codes*>, 6> codes{};
    Histogram latency, integration_latency, overhead;
    std::array<Counter, kThrottleLevels> throttled{};
    /// Counts a final status in sluice_responses_total and nowhere else: `requests` and
    /// `errors_4xx/5xx` are the caller's. 100-599; anything else is a bug and counts as 599.
    void count_status(int status);
    /// Takes one count_status() back: the answer was replaced before it was sent.
    void uncount_status(int status);
    ~SeriesCells();
};

struct SeriesLabels {
    std::string api, stage, resource, method;
    auto operator<=>(const SeriesLabels&) const = default;
};

class Series {
public:
    /// `minute` is the number of the running minute, 0 while nobody keeps a history.
    Series(SeriesLabels labels, unsigned workers, const std::atomic<std::uint32_t>& minute,
           std::size_t index = 0);
    SeriesCells& cells(unsigned worker) { return cells_[worker]; }
    std::span<const SeriesCells> cells() const { return cells_; }
    /// A request of this series has come: its cells will be written.
    void prefetch(unsigned worker) const { sluice::prefetch(&cells_[worker], sizeof(SeriesCells)); }
    const SeriesLabels& labels() const { return labels_; }
    std::size_t index() const { return index_; }  ///< how many series there were before it
    /// Counts a request that is over in the history of minutes. On the worker's thread.
    void count_minute(unsigned worker, const Finished&);

private:
    friend class Metrics;
    std::vector<SeriesCells> cells_;
    const std::atomic<std::uint32_t>& minute_;
    const std::size_t index_;
    SeriesLabels labels_;
    std::string label_text_;  ///< api="...",stage="...", as rendered
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
    std::span<const BackendCells> cells() const { return cells_; }
    const std::string& name() const { return name_; }

private:
    friend class Metrics;
    std::string name_;
    std::string label_text_;  ///< backend="...", as rendered
    std::vector<BackendCells> cells_;
};

/// Handshakes by version and by whether a ticket spared the certificate.
inline constexpr std::size_t kTlsKinds = 4;
constexpr std::size_t tls_kind(bool is_1_3, bool resumed) {
    return (is_1_3 ? 2u : 0u) + (resumed ? 1u : 0u);
}

/// Process-wide things one worker counts.
struct alignas(64) WorkerCells {
    Counter connections, requests_in_flight, received_bytes, sent_bytes, unrouted;
    Counter refused;  ///< malformed or over a limit: sluice_refused_total
    std::array<Counter, kTlsKinds> tls_handshakes{};  ///< by tls_kind()
    Counter tls_handshake_failures;
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
    std::span<const WorkerCells> worker_cells() const;
    /// Every series so far, by index; they stay where they are as long as this.
    std::vector<const Series*> all_series() const;
    std::vector<const BackendSeries*> all_backends() const;
    void add_collector(Collector);
    /// Access-log lines dropped because the disk could not keep up:
    /// sluice_access_log_dropped_total.
    std::atomic<std::uint64_t> access_log_dropped{0};
    /// The same of execution logs: sluice_execution_log_dropped_total.
    std::atomic<std::uint64_t> execution_log_dropped{0};
    std::atomic<bool> last_reload_successful{true};
    std::atomic<std::int64_t> last_reload_unix_seconds{0};
    std::atomic<std::uint64_t> reloads_accepted{0}, reloads_refused{0};
    std::atomic<std::int64_t> last_reload_nanoseconds{0};  ///< how long the last one took
    /// Number of the running minute; History moves it on. 0 = none is kept.
    std::atomic<std::uint32_t> minute{0};
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
