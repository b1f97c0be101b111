// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <variant>

#include "sluice/base/task.hpp"
#include "upstream/pool.hpp"

namespace sluice::upstream {

using Connected = std::variant<ConnectionPtr, telemetry::UpstreamError>;

/// Connects to one of the target's addresses, TLS handshake included, before `deadline`.
Task<Connected> connect(net::Reactor&, const Target&, telemetry::BackendCells&, TimePoint deadline);

}  // namespace sluice::upstream
