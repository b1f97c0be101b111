// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>

#include "sluice/config/model.hpp"
#include "sluice/state/limit_registry.hpp"
#include "sluice/state/redis_state.hpp"
#include "sluice/state/usage_writer.hpp"

namespace sluice::app {

/// Where usage is kept, and the thread that brings it there. The writer is not started yet.
struct StateStore {
    std::unique_ptr<state::RedisState> shared{};  ///< outlives the others
    std::unique_ptr<state::UsageStore> store{};
    std::unique_ptr<state::UsageWriter> writer{};

    state::SharedLimits* shared_limits() const { return shared ? &shared->limits() : nullptr; }
    /// Saves a last time and gives leases back; no request is under way any more.
    Result<void> stop();
};

/// Opens what `state` names and continues every count from there; null after the log said why
/// not. A damaged database is set aside, and the log says so.
std::optional<StateStore> open_state_store(const config::State&, state::LimitRegistry&);

}  // namespace sluice::app
