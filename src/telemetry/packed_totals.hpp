// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "sluice/telemetry/statistics.hpp"

namespace sluice::telemetry {

/// Appends `totals` in about 150 bytes: numbers of variable length, buckets in use only.
void pack(std::string& out, const Totals& totals);

/// Reads what pack() wrote at the start of `in`. `out` is empty before.
void unpack(std::string_view in, Totals& out);

}  // namespace sluice::telemetry
