// SPDX-License-Identifier: Apache-2.0
//
// GET /monitoring/metrics (contract 10) and GET /metrics/cloudwatch. Pure.
#pragma once

#include <map>
#include <span>
#include <string>

#include "admin/hooks.hpp"
#include "admin/message.hpp"
#include "sluice/telemetry/history.hpp"

namespace sluice::admin {

/// {"Label","Datapoints":[{"Timestamp",...,"Unit"}]} as GetMetricStatistics answers.
Reply metric_statistics(const std::map<std::string, std::string>& parameters,
                        const telemetry::History&, WallTime now);

/// The last full minute under the names of CloudWatch's exporters.
Reply cloudwatch_metrics(const std::map<std::string, std::string>& parameters,
                         const telemetry::History&, std::span<const ApiObject>);

}  // namespace sluice::admin
