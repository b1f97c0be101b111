// SPDX-License-Identifier: Apache-2.0
#include "net/open_socket.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <string_view>

namespace sluice::net {
namespace {

/// Built into every kernel and allowed to every process.
constexpr std::string_view kPlainest = "reno";

}  // namespace

int open_socket(const Endpoint& address) {
    const int fd = ::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return -1;
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    // Before there is a connection: one that BBR has begun stays paced after it is switched.
    if (is_loopback(address)) {
        ::setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, kPlainest.data(), kPlainest.size());
    }
    return fd;
}

}  // namespace sluice::net
