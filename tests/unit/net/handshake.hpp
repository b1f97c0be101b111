// SPDX-License-Identifier: Apache-2.0
//
// Two ends of TLS on a socket pair, driven in turns by one thread.
#pragma once

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>

namespace sluice::net::test {

struct SslFree {
    void operator()(SSL* ssl) const { SSL_free(ssl); }
};
using SslPtr = std::unique_ptr<SSL, SslFree>;

class TlsPair {
public:
    using MakeSession = std::function<SSL*(int fd)>;

    TlsPair(const MakeSession& make_server, const MakeSession& make_client) {
        if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds_.data()) != 0) {
            throw std::runtime_error("socketpair");
        }
        server.reset(make_server(fds_[0]));
        client.reset(make_client(fds_[1]));
        if (!server || !client) throw std::runtime_error("no TLS session");
    }
    ~TlsPair() {
        server.reset();
        client.reset();
        ::close(fds_[0]);
        ::close(fds_[1]);
    }
    TlsPair(const TlsPair&) = delete;
    TlsPair& operator=(const TlsPair&) = delete;

    /// Both ends are through. The reason of the first failure stays in `error`.
    bool shake_hands() {
        bool client_done = false;
        bool server_done = false;
        for (int turn = 0; turn < 100 && !(client_done && server_done); ++turn) {
            if (!step(client.get(), client_done) || !step(server.get(), server_done)) return false;
        }
        return client_done && server_done;
    }

    /// A byte each way, which also brings a TLS 1.3 client its ticket. The session must be ended
    /// properly to be resumed later.
    bool exchange_and_close() {
        char byte = 'x';
        if (SSL_write(server.get(), &byte, 1) != 1 || SSL_read(client.get(), &byte, 1) != 1 ||
            SSL_write(client.get(), &byte, 1) != 1 || SSL_read(server.get(), &byte, 1) != 1) {
            return false;
        }
        SSL_shutdown(client.get());
        SSL_shutdown(server.get());
        return true;
    }

    SslPtr server{};
    SslPtr client{};
    std::string error{};

private:
    bool step(SSL* ssl, bool& done) {
        if (done) return true;
        ERR_clear_error();
        const int n = SSL_do_handshake(ssl);
        if (n == 1) {
            done = true;
            return true;
        }
        const int why = SSL_get_error(ssl, n);
        if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE) return true;
        const char* const reason = ERR_reason_error_string(ERR_get_error());
        error = reason == nullptr ? "closed" : reason;
        return false;
    }

    std::array<int, 2> fds_{-1, -1};
};

}  // namespace sluice::net::test
