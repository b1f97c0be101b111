// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>

#include "admin/hooks.hpp"
#include "app/monitor.hpp"
#include "app/state_store.hpp"
#include "gateway/compile.hpp"
#include "sluice/config/model.hpp"
#include "sluice/state/limit_registry.hpp"
#include "sluice/telemetry/metrics.hpp"

namespace sluice::app {

/// What the admin listener shows and does; all of it outlives the listener and belongs to the
/// control thread.
struct AdminView {
    const config::Config& config;  ///< the running one, also after a reload
    telemetry::Metrics& metrics;
    state::LimitRegistry& limits;
    StateStore& state;
    gateway::Caches& caches;
    Monitor& monitor;
    const bool& stopping;
    std::function<admin::ReloadResult()> reload;
    /// Calls back on the control thread once every worker has done what it was told so far.
    std::function<void(std::function<void()>)> after_workers;
};

admin::Hooks make_admin_hooks(AdminView);

}  // namespace sluice::app
