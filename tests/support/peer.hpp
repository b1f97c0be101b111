// SPDX-License-Identifier: Apache-2.0
//
// The other end of a connection under test: a blocking socket, read and written by the test.
#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace test {

/// How long anything in a unit test may take before it counts as failed.
inline constexpr std::chrono::seconds kLongEnough{20};

class Peer {
public:
    explicit Peer(int fd) : fd_{fd} {
        const timeval limit{.tv_sec = kLongEnough.count(), .tv_usec = 0};
        ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
        ::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    }
    Peer(Peer&& o) noexcept
        : fd_{std::exchange(o.fd_, -1)}, end_{o.end_}, buffer_{std::move(o.buffer_)} {}
    Peer& operator=(Peer&&) = delete;
    ~Peer() { close(); }

    int fd() const { return fd_; }
    /// Gives the descriptor away.
    int take() { return std::exchange(fd_, -1); }

    /// False when the other side is gone.
    bool send(std::string_view bytes) {
        while (!bytes.empty()) {
            const ssize_t n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (n <= 0) return false;
            bytes.remove_prefix(static_cast<std::size_t>(n));
        }
        return true;
    }
    /// Exactly `n` bytes; fewer when the connection ends first.
    std::string read(std::size_t n) {
        while (buffer_.size() < n && fill()) {
        }
        return cut(n);
    }
    /// Everything up to and including `end`; what there is when the connection ends first.
    std::string read_until(std::string_view end) {
        std::size_t at = std::string::npos;
        while ((at = buffer_.find(end)) == std::string::npos && fill()) {
        }
        return cut(at == std::string::npos ? buffer_.size() : at + end.size());
    }
    /// A message: its head and as many bytes as its Content-Length says.
    std::string read_message() {
        std::string message = read_until("\r\n\r\n");
        const std::size_t at = message.find("Content-Length: ");
        if (at == std::string::npos) return message;
        std::size_t length = 0;
        std::from_chars(message.data() + at + 16, message.data() + message.size(), length);
        return message + read(length);
    }
    /// Everything until the connection ends.
    std::string read_all() {
        while (fill()) {
        }
        return cut(buffer_.size());
    }
    enum class End { open, fin, reset, timeout };
    /// How the connection ended, as far as it was read.
    End end() const { return end_; }

    void finish_writing() { ::shutdown(fd_, SHUT_WR); }
    void close() {
        if (fd_ >= 0) ::close(std::exchange(fd_, -1));
    }
    void reset() {
        const linger now{.l_onoff = 1, .l_linger = 0};
        ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
        close();
    }

private:
    bool fill() {
        std::array<char, 65'536> block;
        const ssize_t n = ::recv(fd_, block.data(), block.size(), 0);
        if (n > 0) {
            buffer_.append(block.data(), static_cast<std::size_t>(n));
            return true;
        }
        end_ = n == 0 ? End::fin : errno == ECONNRESET ? End::reset : End::timeout;
        return false;
    }
    std::string cut(std::size_t n) {
        n = std::min(n, buffer_.size());
        std::string bytes = buffer_.substr(0, n);
        buffer_.erase(0, n);
        return bytes;
    }

    int fd_;
    End end_ = End::open;
    std::string buffer_{};
};

/// A listening socket on 127.0.0.1, at a port the kernel chose.
class Port {
public:
    Port() : fd_{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)} {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        const timeval limit{.tv_sec = kLongEnough.count(), .tv_usec = 0};
        ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
        if (::bind(fd_, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
            ::listen(fd_, 64) != 0 ||
            ::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
            throw std::runtime_error("no listening socket");
        }
        number_ = ntohs(address.sin_port);
    }
    Port(const Port&) = delete;
    Port& operator=(const Port&) = delete;
    ~Port() { close(); }

    std::uint16_t number() const { return number_; }
    /// The next connection.
    Peer accept() const {
        const int fd = ::accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC);
        if (fd < 0) throw std::runtime_error("nobody connects");
        return Peer{fd};
    }
    /// From now on connections are refused.
    void close() {
        if (fd_ >= 0) ::close(std::exchange(fd_, -1));
    }

private:
    int fd_;
    std::uint16_t number_ = 0;
};

inline Peer dial(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    Peer peer{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    if (::connect(peer.fd(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
        throw std::runtime_error("cannot connect");
    }
    return peer;
}

/// A TCP connection with itself: `near` is non-blocking, for what is tested; `far` is the test's.
struct Pair {
    int near = -1;
    Peer far{-1};

    static Pair make() {
        const Port port;
        Peer far = dial(port.number());
        const int near = port.accept().take();
        ::fcntl(near, F_SETFL, ::fcntl(near, F_GETFL) | O_NONBLOCK);
        return {near, std::move(far)};
    }
};

}  // namespace test
