// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "admin/hooks.hpp"
#include "sluice/base/result.hpp"
#include "sluice/config/model.hpp"

namespace boost::asio {
class io_context;
}

namespace sluice::admin {

struct ServerLimits {
    std::size_t connections = 64;
    std::size_t header_bytes = 16 * 1024;
    std::size_t body_bytes = 1024 * 1024;
    Duration timeout = std::chrono::seconds{10};  ///< to receive a request, to send an answer, idle
};

/// The admin listener (contract 6) on an io_context that one thread runs. Everything here happens
/// on that thread; the io_context outlives the server.
class Server {
public:
    /// Binds and listens. Fails when the address is taken or not local, and when it is not a
    /// loopback address and there is no token.
    static Result<std::unique_ptr<Server>> start(boost::asio::io_context&, const config::Admin&,
                                                 Hooks, ServerLimits = {});
    ~Server();

    /// The bound port, also when the configured one was 0.
    std::uint16_t port() const;
    /// The token for requests from now on (reload). Empty is refused on other than loopback.
    bool set_token(const std::string&);
    /// Stops listening and closes every connection; no hook is called any more. May be called from
    /// within a hook.
    void stop();

private:
    struct Core;
    explicit Server(std::shared_ptr<Core> core) : core_{std::move(core)} {}
    std::shared_ptr<Core> core_;
};

}  // namespace sluice::admin
