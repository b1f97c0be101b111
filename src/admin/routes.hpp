// SPDX-License-Identifier: Apache-2.0
//
// Which admin endpoint answers what (contract 6).
#pragma once

#include <functional>
#include <string_view>

#include "admin/hooks.hpp"
#include "admin/message.hpp"

namespace sluice::admin {

/// Calls `done` once with the answer: at once for everything but a reload, which decides itself.
/// `hooks` outlives the call of the hook.
void serve(const Hooks& hooks, const Request&, std::function<void(Reply)> done);

/// /healthz and /readyz tell nothing and are asked by things that hold no token.
bool needs_token(const Request&);

/// Every method but GET and HEAD.
bool changes_something(std::string_view method);

}  // namespace sluice::admin
