// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>

#include "sluice/config/model.hpp"
#include "sluice/state/limit_registry.hpp"
#include "sluice/state/usage_writer.hpp"

namespace sluice::app {

/// Where usage is kept, and the thread that brings it there. The writer is not started yet.
struct StateStore {
    std::unique_ptr<state::UsageStore> store{};
    std::unique_ptr<state::UsageWriter> writer{};
};

/// Opens what `state` names and continues every count from there; null after the log said why
/// not. A damaged database is set aside, and the log says so.
std::optional<StateStore> open_state_store(const config::State&, state::LimitRegistry&);

}  // namespace sluice::app
