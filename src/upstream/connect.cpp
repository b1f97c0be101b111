// SPDX-License-Identifier: Apache-2.0
#include "upstream/connect.hpp"

#include <openssl/ssl.h>
#include <sys/socket.h>

#include <cerrno>

#include "net/open_socket.hpp"

namespace sluice::upstream {
namespace {

using telemetry::UpstreamError;

constexpr std::chrono::milliseconds kLookupPoll{10};

int socket_error(int fd) {
    int error = 0;
    socklen_t size = sizeof error;
    ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
    return error;
}

/// A socket on its way to the address, or the reason why not.
std::variant<int, UpstreamError> begin_connect(const net::Endpoint& address) {
    const int fd = net::open_socket(address);
    if (fd < 0) return UpstreamError::connect_failed;
    const int r = ::connect(fd, address.data(), address.size);
    if (r == 0 || errno == EINPROGRESS) return fd;
    const bool refused = errno == ECONNREFUSED;
    ::close(fd);
    return refused ? UpstreamError::connect_refused : UpstreamError::connect_failed;
}

Task<UpstreamError> await_connected(net::Channel& channel, TimePoint deadline) {
    while (!channel.writable) {
        const net::Wake wake = co_await net::wait(channel, deadline);
        if (wake != net::Wake::event) co_return UpstreamError::connect_timeout;
    }
    const int error = socket_error(channel.fd());
    if (error == 0) co_return UpstreamError::count_;
    co_return error == ECONNREFUSED ? UpstreamError::connect_refused
                                    : UpstreamError::connect_failed;
}

Task<UpstreamError> await_handshake(net::Transport& transport, TimePoint deadline) {
    for (;;) {
        const net::IoResult r = transport.handshake();
        if (r.state == net::Io::done) co_return UpstreamError::count_;
        if (r.state != net::Io::would_block) co_return UpstreamError::tls_failed;
        const net::Wake wake = co_await net::wait(transport.channel(), deadline);
        if (wake != net::Wake::event) co_return UpstreamError::connect_timeout;
    }
}

}  // namespace

Task<Connected> connect(net::Reactor& reactor, const Target& target, telemetry::BackendCells& cells,
                        TimePoint deadline) {
    // A name that a reload has just brought is being looked up: its first request waits.
    while (target.addresses->is_pending() && std::chrono::steady_clock::now() < deadline) {
        co_await net::Pause{reactor, std::chrono::steady_clock::now() + kLookupPoll};
    }
    const auto addresses = target.addresses->get();
    UpstreamError failure = UpstreamError::resolve_failed;
    if (!addresses) co_return failure;
    for (const net::Endpoint& address : *addresses) {
        const auto begun = begin_connect(address);
        if (std::holds_alternative<UpstreamError>(begun)) {
            failure = std::get<UpstreamError>(begun);
            continue;
        }
        const int fd = std::get<int>(begun);
        std::unique_ptr<net::Transport> transport;
        if (target.tls) {
            SSL* ssl = target.tls->new_session(target.host);
            transport = net::make_tls(reactor, fd, ssl);
        } else {
            transport = net::make_plain(reactor, fd);
        }
        failure = co_await await_connected(transport->channel(), deadline);
        if (failure == UpstreamError::count_ && target.tls) {
            failure = co_await await_handshake(*transport, deadline);
        }
        if (failure == UpstreamError::count_) {
            co_return std::make_unique<Connection>(std::move(transport), target.id, cells);
        }
        if (failure == UpstreamError::connect_timeout) break;
    }
    co_return failure;
}

}  // namespace sluice::upstream
