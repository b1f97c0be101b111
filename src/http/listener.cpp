// SPDX-License-Identifier: Apache-2.0
#include "http/listener.hpp"

#include <netinet/in.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>

#include "net/open_socket.hpp"

namespace sluice::http {
namespace {

constexpr int kBacklog = 4096;       // performance-design 7: 128 drops SYNs in bursts
constexpr int kAcceptsPerTurn = 64;  // requests of others come in between
constexpr std::chrono::milliseconds kPause{50};

Error bind_error(const std::string& address, std::uint16_t port, const char* what) {
    return {.origin = Origin::internal,
            .code = "listen",
            .detail = address + ":" + std::to_string(port) + ": " + what + ": " +
                      std::generic_category().message(errno)};
}

IpAddress address_of(const sockaddr_storage& storage) {
    if (storage.ss_family == AF_INET) {
        std::array<std::uint8_t, 4> bytes{};
        const auto& v4 = reinterpret_cast<const sockaddr_in&>(storage);
        std::memcpy(bytes.data(), &v4.sin_addr, bytes.size());
        return IpAddress::v4(bytes);
    }
    IpAddress::Bytes bytes{};
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(storage);
    std::memcpy(bytes.data(), &v6.sin6_addr, bytes.size());
    return IpAddress::v6(bytes);
}

std::uint16_t port_of(int fd) {
    sockaddr_storage storage{};
    socklen_t size = sizeof storage;
    ::getsockname(fd, reinterpret_cast<sockaddr*>(&storage), &size);
    return storage.ss_family == AF_INET
               ? ntohs(reinterpret_cast<const sockaddr_in&>(storage).sin_port)
               : ntohs(reinterpret_cast<const sockaddr_in6&>(storage).sin6_port);
}

}  // namespace

// ------------------------------------------------------------------------------- ListenSocket

Result<ListenSocket> ListenSocket::bind(const std::string& address, std::uint16_t port) {
    return open(address, port, true);
}

Result<void> ListenSocket::probe(const std::string& address, std::uint16_t port) {
    auto alone = open(address, port, false);
    if (!alone) return alone.error();
    return {};
}

Result<ListenSocket> ListenSocket::open(const std::string& address, std::uint16_t port,
                                        bool share) {
    const auto endpoint = net::parse_literal(address, port);
    if (!endpoint) {
        errno = EADDRNOTAVAIL;
        return bind_error(address, port, "not an IP address");
    }
    const int fd = net::open_socket(*endpoint);
    if (fd < 0) return bind_error(address, port, "socket");
    ListenSocket socket{fd, port};
    const int on = 1;
    ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (share) ::setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
    if (::bind(fd, endpoint->data(), endpoint->size) != 0) {
        return bind_error(address, port, "bind");
    }
    if (!share) return socket;
    if (::listen(fd, kBacklog) != 0) return bind_error(address, port, "listen");
    socket.port_ = port_of(fd);
    return socket;
}

ListenSocket::~ListenSocket() { close(); }

void ListenSocket::close() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

// ---------------------------------------------------------------------------------- Admission

void Admission::set_limits(std::size_t total, std::size_t per_client) {
    total_ = total;
    per_client_ = per_client;
}

bool Admission::enter(const IpAddress& client) {
    const std::size_t share = per_client_.load(std::memory_order_relaxed);
    {
        const std::lock_guard lock{mutex_};
        std::size_t& mine = clients_[client];
        if (share != 0 && mine >= share) return false;
        ++mine;
    }
    ++open_;
    return true;
}

void Admission::leave(const IpAddress& client) {
    --open_;
    const std::lock_guard lock{mutex_};
    const auto it = clients_.find(client);
    if (it != clients_.end() && --it->second == 0) clients_.erase(it);
}

// ----------------------------------------------------------------------------------- Listener

Listener::Listener(net::Reactor& reactor, ListenSocket socket, Handler& handler, Sessions& sessions,
                   Admission& admission)
    : reactor_{reactor},
      socket_{std::move(socket)},
      handler_{handler},
      sessions_{sessions},
      admission_{admission} {
    watch_ = {.fd = socket_.fd(), .ready = [this] { accept_some(); }};
    resume();
}

Listener::~Listener() { stop(); }

void Listener::stop() {
    if (stopped_) return;
    // Whoever has connected already is served: closing the socket would reset them.
    while (accept_one()) {
    }
    stopped_ = true;
    pause_.disarm();
    if (watching_) reactor_.unwatch(watch_);
    watching_ = false;
    // Left open, it would take connections into its queue that nobody serves while we drain.
    socket_.close();
}

void Listener::resume() {
    if (stopped_ || watching_) return;
    reactor_.watch(watch_);
    watching_ = true;
}

void Listener::pause() {
    if (stopped_) return;
    if (watching_) reactor_.unwatch(watch_);
    watching_ = false;
    reactor_.timers().arm(pause_, reactor_.now() + kPause);
}

void Listener::accept_some() {
    for (int i = 0; i < kAcceptsPerTurn; ++i) {
        if (!admission_.has_room()) {
            // Whether another one waits is certain only when the socket has just said so.
            if (i > 0) return;
            // An idle connection makes room for one that may have a request.
            if (!sessions_.close_one_idle()) return pause();
        }
        if (!accept_one()) return;
    }
}

/// False: nothing more to accept now.
bool Listener::accept_one() {
    sockaddr_storage storage{};
    socklen_t size = sizeof storage;
    const int fd = ::accept4(socket_.fd(), reinterpret_cast<sockaddr*>(&storage), &size,
                             SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
        if (errno == EINTR || errno == ECONNABORTED) return true;
        const bool exhausted =
            errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS;
        // At the descriptor limit an idle connection makes room for one that has a request.
        if (!exhausted) return false;
        if (sessions_.close_one_idle()) return true;
        pause();
        return false;
    }
    const IpAddress client = address_of(storage);
    if (!admission_.enter(client)) {
        ::close(fd);
        return true;
    }
    std::unique_ptr<net::Transport> transport;
    if (tls_) {
        SSL* ssl = tls_->new_session();
        if (ssl == nullptr) {
            ::close(fd);
            admission_.leave(client);
            return true;
        }
        transport = net::make_tls(reactor_, fd, ssl);
    } else {
        transport = net::make_plain(reactor_, fd);
    }
    Session::start(std::move(transport), {.address = client, .listener_port = socket_.port()},
                   handler_, sessions_);
    return true;
}

}  // namespace sluice::http
