// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "gateway/exchange.hpp"

namespace sluice::gateway {

/// Counts the request under its final status, with why it was refused and what the cache did.
/// Called before the first byte of the answer goes out: whoever has read an answer finds it
/// counted. Called again when another answer takes the place of one that was never sent.
void count_response(Exchange&, int status);

/// Counts what is only known at the end: latencies, and requests that got no answer.
void count_end(Exchange&, Duration latency);

}  // namespace sluice::gateway
