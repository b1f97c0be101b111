// SPDX-License-Identifier: Apache-2.0
#include "app/monitor.hpp"

#include "app/status_report.hpp"

namespace sluice::app {
namespace {

constexpr std::size_t kReloadsKept = 20;
constexpr std::size_t kKeysShown = 5;  // of each plan, on the status page

/// The clock may have jumped meanwhile, so never longer than a second at once.
Duration until_next_minute(WallTime now) {
    const auto next = std::chrono::floor<std::chrono::minutes>(now) + std::chrono::minutes{1};
    return std::min<Duration>(next - now, std::chrono::seconds{1});
}

}  // namespace

Monitor::Monitor(View view)
    : view_{std::move(view)},
      timer_{view_.control},
      history_{view_.metrics, view_.config.server.metrics.history_bytes, wall_now()},
      plans_{view_.limits} {
    view_.metrics.add_collector([this](std::string& out) { collect_metrics(out); });
}

void Monitor::start() {
    if (history_.is_kept()) await_minute();
}

void Monitor::await_minute() {
    timer_.expires_after(until_next_minute(wall_now()));
    timer_.async_wait([this](boost::system::error_code error) {
        if (error) return;
        if (history_.cut(wall_now())) view_.after_workers([this] { history_.collect(); });
        await_minute();
    });
}

void Monitor::reloaded(const admin::ReloadResult& result, Duration took) {
    telemetry::Metrics& metrics = view_.metrics;
    metrics.last_reload_successful = result.ok;
    metrics.last_reload_nanoseconds = took.count();
    ++(result.ok ? metrics.reloads_accepted : metrics.reloads_refused);
    if (result.ok) {
        metrics.last_reload_unix_seconds =
            std::chrono::floor<std::chrono::seconds>(wall_now()).time_since_epoch().count();
    }
    ReloadRecord record{.at = wall_now(), .ok = result.ok, .took = took};
    for (const config::Problem& problem : result.problems) {
        if (problem.severity != config::Severity::error) continue;
        record.problem = config::to_string(problem);
        break;
    }
    reloads_.push_front(std::move(record));
    if (reloads_.size() > kReloadsKept) reloads_.pop_back();
}

void Monitor::collect_metrics(std::string& out) {
    const std::size_t per_key = view_.config.server.metrics.per_key_series;
    write_plan_metrics(
        plans_.read(view_.config, per_key, std::chrono::steady_clock::now(), wall_now()), per_key,
        out);
    const auto gauge = [&](std::string_view name, std::string_view help, std::size_t value) {
        telemetry::write_family(out, name, "gauge", help);
        telemetry::write_sample(out, name, {}, static_cast<double>(value));
    };
    gauge("sluice_history_bytes", "Memory of the one-minute samples.", history_.bytes());
    gauge("sluice_history_samples", "One-minute samples kept.", history_.minutes());
}

std::string Monitor::status_json() {
    return report_status({.started = started_,
                          .now = wall_now(),
                          .workers = view_.workers,
                          .metrics = view_.metrics,
                          .history = history_,
                          .config = view_.config,
                          .plans = plans_.read(view_.config, kKeysShown,
                                               std::chrono::steady_clock::now(), wall_now()),
                          .store = view_.store(),
                          .reloads = reloads_});
}

}  // namespace sluice::app
