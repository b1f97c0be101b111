// SPDX-License-Identifier: Apache-2.0
#include "net/open_socket.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <unistd.h>

#include <array>
#include <string>

namespace sluice::net {
namespace {

/// Closed when it goes.
struct Socket {
    explicit Socket(int opened) : fd{opened} {}
    ~Socket() { ::close(fd); }
    Socket(const Socket&) = delete;
    Socket& operator=(const Socket&) = delete;
    int fd;
};

Endpoint endpoint(const std::string& address) { return parse_literal(address, 0).value(); }

std::string congestion_control(int fd) {
    std::array<char, 16> name{};
    socklen_t size = name.size();
    EXPECT_EQ(::getsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name.data(), &size), 0);
    return name.data();
}

int no_delay(int fd) {
    int on = 0;
    socklen_t size = sizeof on;
    EXPECT_EQ(::getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, &size), 0);
    return on;
}

TEST(OpenSocket, SendsAtOnceAndNeitherBlocksNorOutlivesExec) {
    const Socket socket{open_socket(endpoint("192.0.2.1"))};
    EXPECT_EQ(no_delay(socket.fd), 1);
    EXPECT_TRUE(::fcntl(socket.fd, F_GETFL) & O_NONBLOCK);
    EXPECT_TRUE(::fcntl(socket.fd, F_GETFD) & FD_CLOEXEC);
}

TEST(OpenSocket, UsesThePlainestCongestionControlOnLoopback) {
    for (const char* address : {"127.0.0.1", "127.9.9.9", "::1"}) {
        const Socket socket{open_socket(endpoint(address))};
        EXPECT_EQ(congestion_control(socket.fd), "reno") << address;
    }
}

TEST(OpenSocket, LeavesTheSystemsCongestionControlElsewhere) {
    const Socket untouched{::socket(AF_INET, SOCK_STREAM, 0)};
    const std::string usual = congestion_control(untouched.fd);
    for (const char* address : {"0.0.0.0", "192.0.2.1", "128.0.0.1", "::", "2001:db8::1"}) {
        const Socket socket{open_socket(endpoint(address))};
        EXPECT_EQ(congestion_control(socket.fd), usual) << address;
    }
}

TEST(OpenSocket, WhatItAcceptsInheritsTheOptions) {
    const Endpoint any_port = endpoint("127.0.0.1");
    const Socket listening{open_socket(any_port)};
    ASSERT_EQ(::bind(listening.fd, any_port.data(), any_port.size), 0);
    ASSERT_EQ(::listen(listening.fd, 1), 0);
    sockaddr_in bound{};
    socklen_t size = sizeof bound;
    ::getsockname(listening.fd, reinterpret_cast<sockaddr*>(&bound), &size);
    const Socket client{::socket(AF_INET, SOCK_STREAM, 0)};
    ASSERT_EQ(::connect(client.fd, reinterpret_cast<sockaddr*>(&bound), size), 0);
    const Socket accepted{::accept(listening.fd, nullptr, nullptr)};
    ASSERT_GE(accepted.fd, 0) << "a connection over loopback is there when connect() returns";
    EXPECT_EQ(no_delay(accepted.fd), 1);
    EXPECT_EQ(congestion_control(accepted.fd), "reno");
}

}  // namespace
}  // namespace sluice::net
