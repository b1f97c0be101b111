// SPDX-License-Identifier: Apache-2.0
#include "telemetry/metrics_text.hpp"

#include <charconv>

#include "sluice/telemetry/log.hpp"
#include "telemetry/process_metrics.hpp"
#include "telemetry/prometheus_text.hpp"

namespace sluice::telemetry {
namespace {

template <class Cells, class Pick>
std::uint64_t sum(std::span<const Cells> cells, Pick pick) {
    std::uint64_t total = 0;
    for (const Cells& one : cells)
        total += pick(one).value();
    return total;
}

/// `name{labels,extra} value`; `extra` is already escaped.
void line(std::string& out, std::string_view name, std::string_view labels, std::string_view extra,
          std::uint64_t value) {
    out += name;
    if (!labels.empty()) {
        out += '{';
        out += labels;
        out += extra;
        out += '}';
    }
    out += ' ';
    append_number(out, value);
    out += '\n';
}

// ---------------------------------------------------------------- per API and stage

struct CounterFamily {
    std::string_view name, help;
    Counter SeriesCells::*cell;
};

constexpr CounterFamily kCounters[] = {
    {"sluice_requests_total", "Requests. CloudWatch Count (unit Count, statistic SampleCount).",
     &SeriesCells::requests},
    {"sluice_4xx_errors_total",
     "Responses with status 400-499, whoever made them. CloudWatch 4XXError (unit Count; "
     "Sum = this, Average = this divided by sluice_requests_total).",
     &SeriesCells::errors_4xx},
    {"sluice_5xx_errors_total",
     "Responses with status 500-599, whoever made them. CloudWatch 5XXError (unit Count; "
     "Sum = this, Average = this divided by sluice_requests_total).",
     &SeriesCells::errors_5xx},
    {"sluice_cache_hits_total",
     "Requests answered from the response cache. CloudWatch CacheHitCount (unit Count).",
     &SeriesCells::cache_hits},
    {"sluice_cache_misses_total",
     "Requests of methods with a cache that the backend answered. CloudWatch CacheMissCount "
     "(unit Count).",
     &SeriesCells::cache_misses},
    {"sluice_quota_exceeded_total", "Requests refused because a usage plan's quota was used up.",
     &SeriesCells::quota_exceeded},
};

struct HistogramFamily {
    std::string_view name, help;
    Histogram SeriesCells::*cell;
};

constexpr HistogramFamily kHistograms[] = {
    {"sluice_latency_seconds",
     "From the request's last header byte to the last byte of the response. CloudWatch Latency "
     "(unit there Milliseconds).",
     &SeriesCells::latency},
    {"sluice_integration_latency_seconds",
     "From relaying the request to the backend to its last byte of response. CloudWatch "
     "IntegrationLatency (unit there Milliseconds).",
     &SeriesCells::integration_latency},
    {"sluice_overhead_seconds",
     "What the gateway adds: Latency less IntegrationLatency, and less the wait for another "
     "request's answer. No metric in CloudWatch.",
     &SeriesCells::overhead},
};

/// Names as state::to_string(Level) and contract 7 have them.
constexpr std::string_view kLevels[kThrottleLevels] = {
    ",level=\"plan_method\"", ",level=\"plan\"", ",level=\"stage_method\"", ",level=\"account\"",
    ",level=\"source_ip\""};

void write_counter(std::string& out, const CounterFamily& family,
                   std::span<const SeriesView> series) {
    write_family(out, family.name, "counter", family.help);
    for (const SeriesView& one : series) {
        const auto pick = [&](const SeriesCells& c) -> const Counter& { return c.*family.cell; };
        line(out, family.name, one.labels, {}, sum(one.cells, pick));
    }
}

void write_throttled(std::string& out, std::span<const SeriesView> series) {
    constexpr std::string_view kName = "sluice_throttled_total";
    write_family(out, kName, "counter", "Requests refused with 429, by the limit that refused.");
    for (const SeriesView& one : series) {
        for (std::size_t level = 0; level < kThrottleLevels; ++level) {
            const auto pick = [&](const SeriesCells& c) -> const Counter& {
                return c.throttled[level];
            };
            line(out, kName, one.labels, kLevels[level], sum(one.cells, pick));
        }
    }
}

void write_codes(std::string& out, const SeriesView& one, std::size_t status_class) {
    std::array<std::uint64_t, 100> total{};
    for (const SeriesCells& cells : one.cells) {
        const auto* codes = cells.codes[status_class].load(std::memory_order_acquire);
        if (codes == nullptr) continue;
        for (std::size_t i = 0; i < total.size(); ++i)
            total[i] += codes->count[i].value();
    }
    for (std::size_t i = 0; i < total.size(); ++i) {
        if (total[i] == 0) continue;
        char label[] = ",code=\"000\"";
        std::to_chars(label + 7, label + 10, status_class * 100 + i);
        line(out, "sluice_responses_total", one.labels, label, total[i]);
    }
}

void write_responses(std::string& out, std::span<const SeriesView> series) {
    write_family(out, "sluice_responses_total", "counter", "Responses by final status code.");
    for (const SeriesView& one : series) {
        for (std::size_t status_class = 1; status_class <= 5; ++status_class) {
            write_codes(out, one, status_class);
        }
    }
}

/// ",le=..." of every bucket, the last one being infinite.
const std::array<std::string, kLatencyBounds.size() + 1>& bound_labels() {
    static const auto labels = [] {
        std::array<std::string, kLatencyBounds.size() + 1> made;
        for (std::size_t i = 0; i < kLatencyBounds.size(); ++i) {
            append_number(made[i] = ",le=\"", kLatencyBounds[i]);
            made[i] += '"';
        }
        made.back() = ",le=\"+Inf\"";
        return made;
    }();
    return labels;
}

void write_histogram(std::string& out, const HistogramFamily& family,
                     std::span<const SeriesView> series) {
    write_family(out, family.name, "histogram", family.help);
    const std::string bucket_name = std::string(family.name) + "_bucket";
    const std::string sum_name = std::string(family.name) + "_sum";
    const std::string count_name = std::string(family.name) + "_count";
    const auto& bounds = bound_labels();
    for (const SeriesView& one : series) {
        std::array<std::uint64_t, kLatencyBounds.size() + 1> total{};
        std::uint64_t nanoseconds = 0;
        for (const SeriesCells& cells : one.cells) {
            const Histogram& histogram = cells.*family.cell;
            for (std::size_t i = 0; i < total.size(); ++i) {
                total[i] += histogram.buckets[i].value();
            }
            nanoseconds += histogram.sum_nanoseconds.value();
        }
        // The count is what the buckets add up to: a scrape amid traffic stays consistent.
        std::uint64_t cumulative = 0;
        for (std::size_t i = 0; i < total.size(); ++i) {
            line(out, bucket_name, one.labels, bounds[i], cumulative += total[i]);
        }
        out += sum_name;
        out += '{';
        out += one.labels;
        out += "} ";
        append_seconds(out, nanoseconds);
        out += '\n';
        line(out, count_name, one.labels, {}, cumulative);
    }
}

// ---------------------------------------------------------------- per worker

struct WorkerFamily {
    std::string_view name, type, help;
    Counter WorkerCells::*cell;
};

constexpr WorkerFamily kWorkerFamilies[] = {
    {"sluice_connections", "gauge", "Client connections open now.", &WorkerCells::connections},
    {"sluice_requests_in_flight", "gauge", "Requests being worked on now.",
     &WorkerCells::requests_in_flight},
    {"sluice_received_bytes_total", "counter", "Bytes received from clients.",
     &WorkerCells::received_bytes},
    {"sluice_sent_bytes_total", "counter", "Bytes sent to clients.", &WorkerCells::sent_bytes},
    {"sluice_unrouted_total", "counter", "Requests that matched no API and stage.",
     &WorkerCells::unrouted},
    {"sluice_refused_total", "counter",
     "Requests refused before routing: malformed or over a limit.", &WorkerCells::refused},
    {"sluice_tls_handshake_failures_total", "counter", "TLS handshakes that failed.",
     &WorkerCells::tls_handshake_failures},
};

void write_handshakes(std::string& out, std::span<const WorkerCells> workers) {
    constexpr std::string_view kName = "sluice_tls_handshakes_total";
    constexpr std::string_view kKinds[kTlsKinds] = {
        "version=\"TLSv1.2\",resumed=\"false\"", "version=\"TLSv1.2\",resumed=\"true\"",
        "version=\"TLSv1.3\",resumed=\"false\"", "version=\"TLSv1.3\",resumed=\"true\""};
    write_family(out, kName, "counter",
                 "TLS handshakes completed with clients, by version and by whether a ticket of "
                 "an earlier connection was used.");
    for (std::size_t kind = 0; kind < kTlsKinds; ++kind) {
        const auto pick = [&](const WorkerCells& c) -> const Counter& {
            return c.tls_handshakes[kind];
        };
        line(out, kName, kKinds[kind], {}, sum(workers, pick));
    }
}

void write_value(std::string& out, std::string_view name, std::string_view type,
                 std::string_view help, std::uint64_t value) {
    write_family(out, name, type, help);
    line(out, name, {}, {}, value);
}

}  // namespace

void write_series_families(std::string& out, std::span<const SeriesView> series) {
    for (const CounterFamily& family : kCounters)
        write_counter(out, family, series);
    write_throttled(out, series);
    write_responses(out, series);
    for (const HistogramFamily& family : kHistograms)
        write_histogram(out, family, series);
}

void write_backend_families(std::string& out, std::span<const BackendView> backends) {
    constexpr std::string_view kConnections = "sluice_upstream_connections";
    write_family(out, kConnections, "gauge", "Connections to backends open now.");
    for (const BackendView& one : backends) {
        const auto active = [](const BackendCells& c) -> const Counter& { return c.active; };
        const auto idle = [](const BackendCells& c) -> const Counter& { return c.idle; };
        line(out, kConnections, one.labels, ",state=\"active\"", sum(one.cells, active));
        line(out, kConnections, one.labels, ",state=\"idle\"", sum(one.cells, idle));
    }
    constexpr std::string_view kErrors = "sluice_upstream_errors_total";
    write_family(out, kErrors, "counter", "Attempts at a backend that failed, by reason.");
    for (const BackendView& one : backends) {
        for (std::size_t i = 0; i < static_cast<std::size_t>(UpstreamError::count_); ++i) {
            std::string reason = ",";
            append_label(reason, "reason", to_string(static_cast<UpstreamError>(i)));
            const auto pick = [&](const BackendCells& c) -> const Counter& { return c.errors[i]; };
            line(out, kErrors, one.labels, reason, sum(one.cells, pick));
        }
    }
}

void write_worker_families(std::string& out, std::span<const WorkerCells> workers) {
    for (const WorkerFamily& family : kWorkerFamilies) {
        const auto pick = [&](const WorkerCells& c) -> const Counter& { return c.*family.cell; };
        write_value(out, family.name, family.type, family.help, sum(workers, pick));
    }
    write_handshakes(out, workers);
}

void write_reload_families(std::string& out, const Metrics& metrics) {
    constexpr auto kRelaxed = std::memory_order_relaxed;
    constexpr std::string_view kReloads = "sluice_config_reloads_total";
    write_value(out, "sluice_config_last_reload_successful", "gauge",
                "1 if the configuration was accepted when it was last read, else 0.",
                metrics.last_reload_successful.load(kRelaxed) ? 1 : 0);
    constexpr std::string_view kReloaded = "sluice_config_last_reload_timestamp_seconds";
    write_family(out, kReloaded, "gauge", "When the configuration was last accepted, Unix time.");
    write_sample(out, kReloaded, {},
                 static_cast<double>(metrics.last_reload_unix_seconds.load(kRelaxed)));
    write_family(out, kReloads, "counter", "Reloads since the start, by how they ended.");
    line(out, kReloads, "result=\"accepted\"", {}, metrics.reloads_accepted.load(kRelaxed));
    line(out, kReloads, "result=\"refused\"", {}, metrics.reloads_refused.load(kRelaxed));
    constexpr std::string_view kTook = "sluice_config_last_reload_duration_seconds";
    write_family(out, kTook, "gauge",
                 "How long the last reload took to be accepted or refused; 0 before the first.");
    write_sample(out, kTook, {},
                 static_cast<double>(metrics.last_reload_nanoseconds.load(kRelaxed)) / 1e9);
}

void write_process_families(std::string& out, const Metrics& metrics) {
    constexpr auto kRelaxed = std::memory_order_relaxed;
    write_value(out, "sluice_access_log_dropped_total", "counter",
                "Access-log lines dropped because the disk could not take them.",
                metrics.access_log_dropped.load(kRelaxed));
    write_value(out, "sluice_log_dropped_total", "counter",
                "Lines of the program's own log dropped because they could not be written.",
                log::dropped());
    write_family(out, "sluice_build_info", "gauge", "1, labelled with the version running.");
    write_sample(out, "sluice_build_info", {{"version", SLUICE_VERSION}}, 1);
    write_process_metrics(out);
}

}  // namespace sluice::telemetry
