// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <functional>

#include "admin/hooks.hpp"
#include "app/plan_state.hpp"
#include "sluice/state/usage_writer.hpp"
#include "sluice/telemetry/history.hpp"

namespace sluice::app {

/// One reading of the configuration.
struct ReloadRecord {
    WallTime at{};
    bool ok = false;
    Duration took{};
    std::string problem{};  ///< the first, when it was refused
};

/// What the control thread watches: a day of minutes, plans, reloads. Everything outlives it.
class Monitor {
public:
    struct View {
        boost::asio::io_context& control;
        telemetry::Metrics& metrics;
        const state::LimitRegistry& limits;
        const config::Config& config;  ///< the running one
        /// Calls back on the control thread once every worker has left what it is doing.
        std::function<void(std::function<void()>)> after_workers;
        std::function<state::UsageWriter::Stats()> store;
        unsigned workers;
    };
    explicit Monitor(View);

    /// Samples every minute from now on.
    void start();
    void stop() { timer_.cancel(); }
    void reloaded(const admin::ReloadResult&, Duration took);
    const telemetry::History& history() const { return history_; }
    /// For the status page.
    std::string status_json();

private:
    void await_minute();
    void collect_metrics(std::string& out);

    const View view_;
    const WallTime started_ = wall_now();
    boost::asio::steady_timer timer_;
    telemetry::History history_;
    PlanReporter plans_;
    std::deque<ReloadRecord> reloads_{};  ///< latest first
};

}  // namespace sluice::app
