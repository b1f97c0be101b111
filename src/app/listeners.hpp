// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "app/worker.hpp"
#include "sluice/base/result.hpp"

namespace sluice::app {

using Workers = std::vector<std::unique_ptr<Worker>>;

/// The listeners of the configuration, each with one socket per worker, and their certificates.
/// Control thread only.
class Listeners {
public:
    explicit Listeners(Workers& workers) : workers_{workers} {}

    /// A listener that is bound, but serves nobody yet.
    struct Opened {
        config::Listener config;
        std::vector<http::ListenSocket> sockets{};  ///< one per worker
        std::shared_ptr<const net::ServerTls> tls{};
    };
    /// Binds what is not open yet; with an error nothing stays open.
    Result<std::vector<Opened>> open(const config::Config&);
    void serve(std::vector<Opened>);
    /// Stops accepting where this configuration has no listener; connections go on.
    void close_others(const config::Config&);
    /// Reads the certificates again; one that cannot be read leaves the old one in place.
    void renew_tls(const config::Config&);
    bool has_changed_certificate() const;

private:
    Workers& workers_;
    std::map<std::string, std::shared_ptr<const net::ServerTls>> open_;  ///< null: plain
    std::set<std::string> failing_;  ///< whose certificates could not be read last time
};

}  // namespace sluice::app
