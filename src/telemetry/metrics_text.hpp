// SPDX-License-Identifier: Apache-2.0
//
// The families of contract 7 as text. Each takes what Metrics counted and sums over workers.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "sluice/telemetry/metrics.hpp"

namespace sluice::telemetry {

struct SeriesView {
    std::string_view labels;
    std::span<const SeriesCells> cells;  ///< one per worker
};

struct BackendView {
    std::string_view labels;
    std::span<const BackendCells> cells;
};

void write_series_families(std::string& out, std::span<const SeriesView>);
void write_backend_families(std::string& out, std::span<const BackendView>);
void write_worker_families(std::string& out, std::span<const WorkerCells>);
void write_reload_families(std::string& out, const Metrics&);
/// Logs, build and process.
void write_process_families(std::string& out, const Metrics&);

}  // namespace sluice::telemetry
