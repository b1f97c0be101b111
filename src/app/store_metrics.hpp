// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "app/state_store.hpp"
#include "gateway/compile.hpp"
#include "telemetry/trace_exporter.hpp"

namespace sluice::app {

/// sluice_cache_bytes, sluice_cache_entries, sluice_cache_evictions_total by API and stage.
void write_cache_metrics(const gateway::Caches&, std::string& out);

/// sluice_state_*: saves, failures, what waits and for how long; sluice_redis_* where limits are
/// shared.
void write_state_metrics(const StateStore&, std::string& out);

/// sluice_trace_spans_exported_total, sluice_trace_spans_dropped_total,
/// sluice_trace_spans_failed_total.
void write_trace_metrics(const telemetry::TraceExporter::Stats&, std::string& out);

}  // namespace sluice::app
