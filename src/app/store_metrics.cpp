// SPDX-License-Identifier: Apache-2.0
#include "app/store_metrics.hpp"

namespace sluice::app {

void write_cache_metrics(const gateway::Caches& caches, std::string& out) {
    const auto family = [&](std::string_view name, std::string_view type, std::string_view help,
                            auto value) {
        telemetry::write_family(out, name, type, help);
        for (const auto& [key, cache] : caches.all()) {
            telemetry::write_sample(out, name, {{"api", cache.api_name}, {"stage", key.second}},
                                    static_cast<double>(value(cache.store->stats())));
        }
    };
    using Stats = state::CacheStore::Stats;
    family("sluice_cache_bytes", "gauge", "Bytes held by the stage's response cache.",
           [](const Stats& s) { return s.bytes; });
    family("sluice_cache_entries", "gauge", "Responses held by the stage's response cache.",
           [](const Stats& s) { return s.entries; });
    family("sluice_cache_evictions_total", "counter", "Responses evicted to make room for others.",
           [](const Stats& s) { return s.evictions; });
}

namespace {

void write_redis_metrics(const state::RedisState::Stats& stats, std::string& out) {
    const auto family = [&](std::string_view name, std::string_view type, std::string_view help,
                            double value) {
        telemetry::write_family(out, name, type, help);
        telemetry::write_sample(out, name, {}, value);
    };
    const auto count = [](auto value) { return static_cast<double>(value); };
    family("sluice_redis_connected", "gauge", "1 while limits are shared through Redis.",
           stats.connected ? 1 : 0);
    family("sluice_redis_nodes", "gauge", "Gateways that share limits, as last heard.",
           count(stats.nodes));
    family("sluice_redis_absences_total", "counter", "Times Redis went away.",
           count(stats.absences));
    family("sluice_redis_connects_total", "counter", "Connections made.", count(stats.connects));
    family("sluice_redis_calls_total", "counter", "Commands sent.", count(stats.calls));
    family("sluice_redis_call_seconds_total", "counter", "Time commands took, added up.",
           count(stats.waited_ns) / 1e9);
    family("sluice_redis_lease_grants_total", "counter", "Leases of tokens granted.",
           count(stats.bucket_grants));
    family("sluice_redis_leased_tokens_total", "counter", "Tokens in those leases.",
           count(stats.tokens));
    family("sluice_redis_quota_grants_total", "counter", "Leases of quota granted.",
           count(stats.quota_grants));
    family("sluice_redis_leases", "gauge", "Buckets and quotas leased from now.",
           count(stats.leases));
    family("sluice_redis_waits_total", "counter", "Requests that waited for a lease.",
           count(stats.asks));
    family("sluice_redis_local_decisions_total", "counter",
           "Leases decided as state.redis.onFailure says, because Redis was away.",
           count(stats.away_answers));
}

}  // namespace

void write_state_metrics(const StateStore& state, std::string& out) {
    const state::UsageWriter::Stats stats = state.writer->stats();
    const auto family = [&](std::string_view name, std::string_view type, std::string_view help,
                            std::uint64_t value) {
        telemetry::write_family(out, name, type, help);
        telemetry::write_sample(out, name, {}, static_cast<double>(value));
    };
    family("sluice_state_save_failures_total", "counter",
           "Times usage could not be saved; it is kept and tried again.", stats.failures);
    family("sluice_state_waiting_rows", "gauge", "Usage counters kept after a failed save.",
           stats.waiting_rows);
    family("sluice_state_dropped_rows_total", "counter",
           "Usage counters given up because too many were waiting.", stats.dropped);
    if (state.shared) write_redis_metrics(state.shared->stats(), out);
    family("sluice_state_saved_rows_total", "counter", "Usage counters saved.", stats.saved_rows);
    constexpr std::string_view kLag = "sluice_state_lag_seconds";
    telemetry::write_family(out, kLag, "gauge",
                            "How long saving has been failing; 0 while it works.");
    telemetry::write_sample(out, kLag, {}, std::chrono::duration<double>(stats.lag).count());
}

void write_trace_metrics(const telemetry::TraceExporter::Stats& stats, std::string& out) {
    const auto family = [&](std::string_view name, std::string_view help, std::uint64_t value) {
        telemetry::write_family(out, name, "counter", help);
        telemetry::write_sample(out, name, {}, static_cast<double>(value));
    };
    family("sluice_trace_spans_exported_total", "Spans that the OTLP receiver has taken.",
           stats.exported);
    family("sluice_trace_spans_dropped_total",
           "Spans dropped because too many were waiting to be exported.", stats.dropped);
    family("sluice_trace_spans_failed_total",
           "Spans that the OTLP receiver did not take, tries included.", stats.failed);
}

}  // namespace sluice::app
