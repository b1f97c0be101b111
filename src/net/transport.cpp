// SPDX-License-Identifier: Apache-2.0
#include "net/transport.hpp"

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "net/raw_io.hpp"

namespace sluice::net {
namespace {

// glibc's recv and send are cancellation points: in a program with threads each call is wrapped in
// two atomic exchanges for pthread_cancel, which nobody calls here. The bare calls do the same.
// Sanitizers must see the calls, to check the buffers and to know what was said over a socket.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
ssize_t bare_recv(int fd, void* into, std::size_t size, int flags = 0) {
    return ::recv(fd, into, size, flags);
}
ssize_t bare_send(int fd, const void* from, std::size_t size) {
    return ::send(fd, from, size, MSG_NOSIGNAL);
}
ssize_t bare_sendmsg(int fd, const msghdr& message) {
    return ::sendmsg(fd, &message, MSG_NOSIGNAL);
}
#else
ssize_t bare_recv(int fd, void* into, std::size_t size, int flags = 0) {
    return ::syscall(SYS_recvfrom, fd, into, size, flags, nullptr, nullptr);
}
ssize_t bare_send(int fd, const void* from, std::size_t size) {
    return ::syscall(SYS_sendto, fd, from, size, MSG_NOSIGNAL, nullptr, 0);
}
ssize_t bare_sendmsg(int fd, const msghdr& message) {
    return ::syscall(SYS_sendmsg, fd, &message, MSG_NOSIGNAL);
}
#endif

}  // namespace

IoResult raw_read(Channel& c, char* into, std::size_t size) {
    if (!c.readable) return {Io::would_block};
    const ssize_t n = bare_recv(c.fd(), into, size);
    if (n > 0) {
        // A short read empties the socket (epoll(7)); after a FIN one more read must see it.
        if (static_cast<std::size_t>(n) < size && !c.peer_closed) c.readable = false;
        return {Io::done, static_cast<std::size_t>(n)};
    }
    if (n == 0) return {Io::eof};
    if (errno == EAGAIN || errno == EINTR) {
        c.readable = false;
        return {Io::would_block};
    }
    return {Io::error};
}

bool raw_is_silent(const Channel& c) {
    char byte = 0;
    const ssize_t n = bare_recv(c.fd(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return n < 0 && (errno == EAGAIN || errno == EINTR);
}

IoResult raw_write(Channel& c, std::span<const iovec> parts) {
    if (!c.writable) return {Io::would_block};
    std::size_t wanted = 0;
    for (const iovec& part : parts)
        wanted += part.iov_len;
    ssize_t n = 0;
    if (parts.size() == 1) {
        n = bare_send(c.fd(), parts[0].iov_base, parts[0].iov_len);
    } else {
        msghdr message{};
        message.msg_iov = const_cast<iovec*>(parts.data());
        message.msg_iovlen = parts.size();
        n = bare_sendmsg(c.fd(), message);
    }
    if (n >= 0) {
        if (static_cast<std::size_t>(n) < wanted) c.writable = false;
        return {Io::done, static_cast<std::size_t>(n)};
    }
    if (errno == EAGAIN || errno == EINTR) {
        c.writable = false;
        return {Io::would_block};
    }
    return {Io::error};
}

void Transport::reset_on_close() {
    const linger now{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(channel_.fd(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

namespace {

class PlainTransport final : public Transport {
public:
    using Transport::Transport;
    IoResult read(char* into, std::size_t size) override { return raw_read(channel_, into, size); }
    IoResult write(std::span<const iovec> parts) override { return raw_write(channel_, parts); }
    void shutdown_write() override { ::shutdown(channel_.fd(), SHUT_WR); }
};

}  // namespace

std::unique_ptr<Transport> make_plain(Reactor& reactor, int fd) {
    return std::make_unique<PlainTransport>(reactor, fd);
}

}  // namespace sluice::net
