// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace sluice::telemetry {

/// Appends the process_* families that Prometheus client libraries agree on, from /proc. A number
/// that cannot be read is left out.
void write_process_metrics(std::string& out);

}  // namespace sluice::telemetry
