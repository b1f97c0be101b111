// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <string>
#include <vector>

#include "app/monitor.hpp"

namespace sluice::app {

struct StatusView {
    WallTime started{};
    WallTime now{};
    unsigned workers = 0;
    const telemetry::Metrics& metrics;
    const telemetry::History& history;
    const config::Config& config;
    std::vector<PlanState> plans{};
    state::UsageWriter::Stats store{};
    const std::deque<ReloadRecord>& reloads;
};

/// The answer of GET /status. Counts are since the start, so that whoever asks twice has rates.
std::string report_status(const StatusView&);

}  // namespace sluice::app
