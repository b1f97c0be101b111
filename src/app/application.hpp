// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>

#include "sluice/config/load.hpp"

namespace sluice::app {

/// The running gateway: creates every object in dependency order, serves until a signal ends it.
/// Returns the exit code of contract 2.
int run_gateway(const std::filesystem::path& config_path, config::Config config);

}  // namespace sluice::app
