// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "gateway/exchange.hpp"

namespace sluice::gateway {

/// Fields of the exchange under their $context names, formatted into the stage's access log.
void write_access_line(const Exchange&, Duration latency);

}  // namespace sluice::gateway
