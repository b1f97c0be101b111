// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "net/resolver.hpp"
#include "net/tls_client.hpp"
#include "sluice/telemetry/metrics.hpp"

namespace sluice::upstream {

/// One address of a backend. `id` names the same host, port and TLS settings for the life of the
/// process, so that pooled connections survive a reload.
struct Target {
    std::uint32_t id = 0;
    std::string host{};
    std::uint16_t port = 80;
    std::string authority{};  ///< Host towards it: the port only when it is not the scheme's
    std::shared_ptr<const net::ClientTls> tls{};  ///< null: plain
    std::shared_ptr<const net::Addresses> addresses{};
};

/// A named upstream, or one that only an integration's uri names. Part of a snapshot.
struct Backend {
    std::uint32_t id = 0;  ///< dense, for the life of the process
    std::string name{};
    std::vector<Target> targets{};
    std::chrono::milliseconds connect_timeout{3'000};
    std::size_t max_idle = 256;
    bool preserve_host = false;
    telemetry::BackendSeries* series = nullptr;
};

}  // namespace sluice::upstream
