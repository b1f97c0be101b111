// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <optional>
#include <string_view>
#include <unordered_set>

#include "admin/message.hpp"
#include "admin/server.hpp"

namespace sluice::admin {

class Session;

/// What the connections of one server share. Kept alive by them; `stopped` says that the hooks
/// may be gone.
struct Shared {
    using Digest = std::array<unsigned char, 32>;

    Shared(boost::asio::io_context& io, Hooks h, ServerLimits l)
        : acceptor{io}, pause{io}, hooks{std::move(h)}, limits{l} {}

    /// Is this the Authorization field of somebody who may? Takes as long for any wrong token.
    bool admits(std::string_view authorization) const;
    void set_token(std::string_view token);

    boost::asio::ip::tcp::acceptor acceptor;
    boost::asio::steady_timer pause;  ///< before accepting again when descriptors ran out
    Hooks hooks;
    const ServerLimits limits;
    std::optional<Digest> token{};
    std::unordered_set<Session*> sessions{};
    bool stopped = false;
};

/// Serves one connection until it ends.
void serve_connection(std::shared_ptr<Shared>, boost::asio::ip::tcp::socket);
void close_connection(Session&);

}  // namespace sluice::admin
