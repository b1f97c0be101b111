// SPDX-License-Identifier: Apache-2.0
#include "support/socket.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <thread>

namespace test {

namespace {

[[noreturn]] void fail(const std::string& what) {
    throw std::system_error(errno, std::generic_category(), what);
}

sockaddr_in address_of(const std::string& host, std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    if (::inet_pton(AF_INET, host.c_str(), &address.sin_addr) != 1) fail("address " + host);
    return address;
}

Fd tcp_socket() {
    Fd fd{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    if (!fd) fail("socket");
    return fd;
}

void bind_to(const Fd& fd, const std::string& host, std::uint16_t port) {
    const sockaddr_in address = address_of(host, port);
    if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
        fail("bind " + host + ":" + std::to_string(port));
}

bool wait_for(int fd, short events, Clock::time_point deadline) {
    for (;;) {
        const auto left =
            std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now());
        pollfd entry{fd, events, 0};
        const int ready = ::poll(&entry, 1, static_cast<int>(std::max(left, 0ms).count()));
        if (ready > 0) return true;
        if (ready == 0) return false;
        if (errno != EINTR) fail("poll");
    }
}

}  // namespace

Fd::~Fd() { close(); }

void Fd::close() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

void Fd::reset() {
    const linger at_once{1, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close();
}

Fd listen_on(std::uint16_t port, const std::string& host, int backlog) {
    Fd fd = tcp_socket();
    const int on = 1;
    ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    bind_to(fd, host, port);
    if (::listen(fd.get(), backlog) != 0) fail("listen");
    return fd;
}

Fd connect_to(std::uint16_t port, const std::string& host, const std::string& source) {
    Fd fd = tcp_socket();
    if (!source.empty()) bind_to(fd, source, 0);
    const sockaddr_in address = address_of(host, port);
    if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
        fail("connect to port " + std::to_string(port));
    const int on = 1;
    ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return fd;
}

std::uint16_t local_port(const Fd& fd) {
    sockaddr_in address{};
    socklen_t size = sizeof address;
    if (::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0)
        fail("getsockname");
    return ntohs(address.sin_port);
}

std::uint16_t closed_port() {
    const Fd fd = listen_on();
    return local_port(fd);
}

bool wait_readable(int fd, Clock::time_point deadline) { return wait_for(fd, POLLIN, deadline); }
bool wait_writable(int fd, Clock::time_point deadline) { return wait_for(fd, POLLOUT, deadline); }

void pause_briefly() { std::this_thread::sleep_for(5ms); }

}  // namespace test
