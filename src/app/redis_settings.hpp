// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "sluice/base/result.hpp"
#include "sluice/config/model.hpp"
#include "sluice/state/redis_state.hpp"

namespace sluice::app {

/// What `state.redis` says, its URL taken apart. The error does not repeat the URL: it may hold
/// a password.
Result<state::RedisSettings> redis_settings(const config::Redis&);

}  // namespace sluice::app
