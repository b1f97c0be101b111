// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <vector>

#include "admin/hooks.hpp"
#include "sluice/config/model.hpp"
#include "sluice/state/limit_registry.hpp"
#include "sluice/state/usage_store.hpp"

namespace sluice::app {

/// GetUsage (aws-semantics 4.4): finished days from the store, the present one from memory.
/// Empty: no such plan.
std::optional<std::vector<admin::PlanUsage>> report_usage(const admin::UsageQuery&,
                                                          const config::Config&,
                                                          const state::LimitRegistry&,
                                                          state::UsageStore&);

/// The APIs and their stages as monitoring lists them (aws-semantics 17).
std::vector<admin::ApiObject> describe_apis(const config::Config&);

}  // namespace sluice::app
