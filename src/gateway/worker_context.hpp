// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/random.hpp"
#include "sluice/base/time.hpp"
#include "sluice/telemetry/metrics.hpp"
#include "upstream/forwarder.hpp"

namespace sluice::gateway {

/// What belongs to one worker thread and requests on it may use.
struct WorkerContext {
    unsigned index = 0;
    net::Reactor& reactor;
    upstream::Forwarder& forwarder;
    telemetry::WorkerCells& cells;
    Random random{};
    Calendar calendar{};
};

}  // namespace sluice::gateway
