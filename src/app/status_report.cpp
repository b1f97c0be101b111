// SPDX-License-Identifier: Apache-2.0
#include "app/status_report.hpp"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "admin/iso_time.hpp"
#include "admin/message.hpp"
#include "app/usage_report.hpp"

namespace sluice::app {
namespace {

using Json = nlohmann::ordered_json;
using telemetry::History;
using telemetry::SeriesCells;
using telemetry::SeriesLabels;
using telemetry::Spread;
using telemetry::Totals;

constexpr std::chrono::minutes kShown{60};
constexpr std::string_view kLevels[telemetry::kThrottleLevels] = {
    "plan_method", "plan", "stage_method", "account", "source_ip"};
constexpr double kNanosPerMilli = 1e6;

/// What the counters of some series add up to.
struct Sums {
    std::uint64_t requests = 0, errors_4xx = 0, errors_5xx = 0, cache_hits = 0, cache_misses = 0,
                  quota_exceeded = 0;
    std::array<std::uint64_t, telemetry::kThrottleLevels> throttled{};

    void add(const SeriesCells& c) {
        requests += c.requests.value();
        errors_4xx += c.errors_4xx.value();
        errors_5xx += c.errors_5xx.value();
        cache_hits += c.cache_hits.value();
        cache_misses += c.cache_misses.value();
        quota_exceeded += c.quota_exceeded.value();
        for (std::size_t i = 0; i < throttled.size(); ++i)
            throttled[i] += c.throttled[i].value();
    }
};

Json to_json(const Sums& sums) {
    Json throttled = Json::object();
    for (std::size_t i = 0; i < sums.throttled.size(); ++i)
        throttled[std::string{kLevels[i]}] = sums.throttled[i];
    return {{"requests", sums.requests},           {"errors4xx", sums.errors_4xx},
            {"errors5xx", sums.errors_5xx},        {"cacheHits", sums.cache_hits},
            {"cacheMisses", sums.cache_misses},    {"throttled", std::move(throttled)},
            {"quotaExceeded", sums.quota_exceeded}};
}

/// Milliseconds; null when there was nothing.
Json to_json(const Spread& spread) {
    if (spread.count == 0) return nullptr;
    const auto at = [&](double p) { return spread.percentile(p) / kNanosPerMilli; };
    return {{"count", spread.count}, {"sum", static_cast<double>(spread.sum) / kNanosPerMilli},
            {"p50", at(50)},         {"p90", at(90)},
            {"p99", at(99)},         {"max", static_cast<double>(spread.most) / kNanosPerMilli}};
}

Json latencies(const Totals& totals) {
    return {{"total", to_json(totals.latency)},
            {"integration", to_json(totals.integration)},
            {"overhead", to_json(totals.overhead)}};
}

Json minute_json(History::Minute minute, const Totals& t) {
    Json out{{"at", admin::to_iso_time(minute)}, {"requests", t.requests},
             {"errors4xx", t.errors_4xx},        {"errors5xx", t.errors_5xx},
             {"cacheHits", t.cache_hits},        {"cacheMisses", t.cache_misses}};
    out.update(latencies(t));
    return out;
}

Json minutes_json(const std::map<History::Minute, Totals>& by_minute) {
    Json out = Json::array();
    for (const auto& [minute, totals] : by_minute)
        out.push_back(minute_json(minute, totals));
    return out;
}

/// By API and stage, as configured, with what their series counted.
Json stages_json(const StatusView& view, const std::map<SeriesLabels, Totals>& recent) {
    std::map<SeriesLabels, Sums> sums;
    for (const telemetry::Series* series : view.metrics.all_series()) {
        Sums& stage = sums[{series->labels().api, series->labels().stage, "", ""}];
        for (const SeriesCells& cells : series->cells())
            stage.add(cells);
    }
    Json out = Json::array();
    for (const admin::ApiObject& api : describe_apis(view.config)) {
        for (const admin::StageObject& stage : api.stages) {
            const SeriesLabels labels{api.name, stage.name, "", ""};
            Json row{{"api", api.name},
                     {"apiId", api.id},
                     {"stage", stage.name},
                     {"cacheEnabled", stage.cache_enabled}};
            row.update(to_json(sums[labels]));
            const auto found = recent.find(labels);
            row["latency"] = latencies(found == recent.end() ? Totals{} : found->second);
            out.push_back(std::move(row));
        }
    }
    return out;
}

Json totals_json(const StatusView& view) {
    Sums sums;
    for (const telemetry::Series* series : view.metrics.all_series()) {
        for (const SeriesCells& cells : series->cells())
            sums.add(cells);
    }
    Json out = to_json(sums);
    using Cells = telemetry::WorkerCells;
    const auto sum = [&](telemetry::Counter Cells::*counter) {
        std::uint64_t total = 0;
        for (const Cells& cells : view.metrics.worker_cells())
            total += (cells.*counter).value();
        return total;
    };
    out["connections"] = sum(&Cells::connections);
    out["inFlight"] = sum(&Cells::requests_in_flight);
    out["receivedBytes"] = sum(&Cells::received_bytes);
    out["sentBytes"] = sum(&Cells::sent_bytes);
    out["unrouted"] = sum(&Cells::unrouted);
    out["refused"] = sum(&Cells::refused);
    return out;
}

Json plan_json(const PlanState& plan) {
    Json keys = Json::array();
    for (const KeyState& key : plan.top_keys)
        keys.push_back({{"key", key.key}, {"used", key.used}, {"remaining", key.remaining}});
    Json out{{"id", plan.id},
             {"name", plan.name},
             {"meterBy", plan.by_address ? "sourceIp" : "apiKey"},
             {"period", plan.period},
             {"limit", plan.limit ? Json(*plan.limit) : Json(nullptr)},
             {"used", plan.used},
             {"activeKeys", plan.keys},
             {"remaining", plan.limit ? Json(plan.lowest_remaining) : Json(nullptr)},
             {"usedRatio", plan.limit ? Json(plan.highest_share) : Json(nullptr)}};
    out["keys"] = std::move(keys);
    return out;
}

Json backends_json(const telemetry::Metrics& metrics) {
    Json out = Json::array();
    for (const telemetry::BackendSeries* backend : metrics.all_backends()) {
        std::uint64_t active = 0;
        std::uint64_t idle = 0;
        std::map<std::string, std::uint64_t> errors;
        for (const telemetry::BackendCells& cells : backend->cells()) {
            active += cells.active.value();
            idle += cells.idle.value();
            for (std::size_t i = 0; i < cells.errors.size(); ++i) {
                const std::uint64_t n = cells.errors[i].value();
                const auto reason = telemetry::to_string(static_cast<telemetry::UpstreamError>(i));
                if (n > 0) errors[std::string{reason}] += n;
            }
        }
        out.push_back({{"name", backend->name()},
                       {"active", active},
                       {"idle", idle},
                       {"errors", Json(errors)}});
    }
    return out;
}

Json reload_json(const ReloadRecord& reload) {
    return {{"at", admin::to_iso_time(reload.at)},
            {"ok", reload.ok},
            {"seconds", std::chrono::duration<double>(reload.took).count()},
            {"problem", reload.problem}};
}

Json store_json(const StatusView& view) {
    return {{"saveFailures", view.store.failures},
            {"waitingRows", view.store.waiting_rows},
            {"droppedRows", view.store.dropped},
            {"lagSeconds", std::chrono::duration<double>(view.store.lag).count()}};
}

}  // namespace

std::string report_status(const StatusView& view) {
    std::map<History::Minute, Totals> by_minute;
    std::map<SeriesLabels, Totals> by_stage;  // the running minute and the one before
    Totals recent;
    const History::Minute running = view.history.running();
    view.history.visit(
        running - kShown, running + std::chrono::minutes{1},
        [](const SeriesLabels&) { return true; },
        [&](History::Minute minute, const SeriesLabels& labels, const Totals& totals) {
            by_minute[minute].add(totals);
            if (minute < view.history.last_full()) return;
            by_stage[{labels.api, labels.stage, "", ""}].add(totals);
            recent.add(totals);
        });
    Json plans = Json::array();
    for (const PlanState& plan : view.plans)
        plans.push_back(plan_json(plan));
    Json reloads = Json::array();
    for (const ReloadRecord& reload : view.reloads)
        reloads.push_back(reload_json(reload));
    Json out{{"version", SLUICE_VERSION},
             {"now", admin::to_iso_time(view.now)},
             {"startedAt", admin::to_iso_time(view.started)},
             {"workers", view.workers},
             {"historyKept", view.history.is_kept()},
             {"totals", totals_json(view)},
             {"latency", latencies(recent)},
             {"minutes", minutes_json(by_minute)},
             {"stages", stages_json(view, by_stage)},
             {"plans", std::move(plans)},
             {"backends", backends_json(view.metrics)},
             {"store", store_json(view)},
             {"reloads", std::move(reloads)}};
    return admin::to_text(out);
}

}  // namespace sluice::app
