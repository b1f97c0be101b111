// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

#include "sluice/config/load.hpp"

namespace sluice::app {

/// config::load, and then what only the floors above it can tell: certificates, backend TLS,
/// access-log formats, uris and cache keys. All a start would find wrong, short of binding sockets
/// and opening the store. `run`, `validate` and reload use it alike.
config::Loaded load_and_verify(const std::filesystem::path&);

}  // namespace sluice::app
