// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "http/session.hpp"
#include "net/tls_context.hpp"
#include "sluice/base/result.hpp"

namespace sluice::http {

/// A bound, listening, non-blocking socket; closed with its owner.
class ListenSocket {
public:
    /// With SO_REUSEPORT, so that every worker has one of its own for the same address.
    static Result<ListenSocket> bind(const std::string& address, std::uint16_t port);
    /// Whether nobody else listens there. Asked once before the workers bind: SO_REUSEPORT would
    /// let a second gateway share the port without a word.
    static Result<void> probe(const std::string& address, std::uint16_t port);
    ListenSocket(ListenSocket&& o) noexcept : fd_{std::exchange(o.fd_, -1)}, port_{o.port_} {}
    ListenSocket& operator=(ListenSocket&&) = delete;
    ~ListenSocket();
    void close();
    int fd() const { return fd_; }
    std::uint16_t port() const { return port_; }  ///< also when the kernel chose it

private:
    static Result<ListenSocket> open(const std::string& address, std::uint16_t port, bool share);
    ListenSocket(int fd, std::uint16_t port) : fd_{fd}, port_{port} {}
    int fd_;
    std::uint16_t port_;
};

/// How many connections there are, over all workers; touched once per connection.
class Admission final : public ConnectionCount {
public:
    void set_limits(std::size_t total, std::size_t per_client);
    /// False: accepting has to wait until a connection ends.
    bool has_room() const { return open_.load(std::memory_order_relaxed) < total_; }
    std::size_t open() const { return open_.load(std::memory_order_relaxed); }
    /// False: this client has its share already.
    bool enter(const IpAddress&);
    void leave(const IpAddress&) override;

private:
    std::atomic<std::size_t> open_{0};
    std::atomic<std::size_t> total_{100'000};
    std::atomic<std::size_t> per_client_{0};
    std::mutex mutex_;  // only when per_client_ is set
    std::map<IpAddress, std::size_t> clients_;
};

/// Accepts for one worker from one socket.
class Listener {
public:
    Listener(net::Reactor&, ListenSocket, Handler&, Sessions&, Admission&);
    ~Listener();

    /// New connections present these certificates; null: plain.
    void set_tls(std::shared_ptr<const net::ServerTls> tls) { tls_ = std::move(tls); }
    void stop();

private:
    class Pause final : public net::Timer {
    public:
        explicit Pause(Listener& listener) : listener_{listener} {}

    private:
        void expired() override { listener_.resume(); }
        Listener& listener_;
    };
    void accept_some();
    bool accept_one();
    void pause();
    void resume();

    net::Reactor& reactor_;
    ListenSocket socket_;
    Handler& handler_;
    Sessions& sessions_;
    Admission& admission_;
    net::Reactor::Watch watch_{};
    Pause pause_{*this};
    bool watching_ = false;
    bool stopped_ = false;
    std::shared_ptr<const net::ServerTls> tls_{};
};

}  // namespace sluice::http
