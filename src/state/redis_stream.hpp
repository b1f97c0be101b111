// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <functional>
#include <memory>

#include "net/tls_client.hpp"

namespace sluice::state {

/// A byte stream to Redis, plain or in TLS.
class RedisStream {
public:
    using Done = std::function<void(boost::system::error_code, std::size_t)>;

    virtual ~RedisStream() = default;
    virtual boost::asio::ip::tcp::socket& socket() = 0;
    /// After the connection is there.
    virtual void handshake(std::function<void(boost::system::error_code)>) = 0;
    virtual void read(boost::asio::mutable_buffer, Done) = 0;
    virtual void write(boost::asio::const_buffer, Done) = 0;  ///< all of it
    /// Why the server's certificate was refused, if it was.
    virtual std::string refusal() const { return {}; }
};

/// Null when a TLS session cannot be made for that host.
std::unique_ptr<RedisStream> make_redis_stream(boost::asio::io_context&, const net::ClientTls*,
                                               const std::string& host);

}  // namespace sluice::state
