// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "sluice/config/model.hpp"

namespace sluice::app {

/// Names what of a new configuration needs a new process; empty when it can be loaded in place.
std::string what_needs_restart(const config::Config& running, const config::Config& wanted);

}  // namespace sluice::app
