// SPDX-License-Identifier: Apache-2.0
//
// The seam between HTTP and sockets: non-blocking reads and writes on a plain descriptor or
// through OpenSSL. Nothing above knows which.
#pragma once

#include <sys/uio.h>

#include <memory>
#include <span>
#include <string_view>

#include "net/reactor.hpp"

typedef struct ssl_st SSL;

namespace sluice::net {

enum class Io : std::uint8_t { done, would_block, eof, error };

struct IoResult {
    Io state = Io::done;
    std::size_t bytes = 0;
};

struct TlsSession {
    bool is_1_3 = false;
    bool resumed = false;  ///< by a ticket of an earlier connection
};

class Transport {
public:
    explicit Transport(Reactor& reactor, int fd) : channel_{reactor, fd} {}
    virtual ~Transport() = default;

    Channel& channel() { return channel_; }
    /// Reads what is there. `eof` only for an orderly end (FIN; with TLS a close_notify too).
    virtual IoResult read(char* into, std::size_t size) = 0;
    /// Writes as much as is taken now; `bytes` may be less than asked.
    virtual IoResult write(std::span<const iovec> parts) = 0;
    /// TLS: goes on with the handshake; `done` when finished. Plain: `done`.
    virtual IoResult handshake() { return {}; }
    /// Says that nothing more will be written; reading goes on (lingering close).
    virtual void shutdown_write() = 0;
    /// Closing will reset the connection: the peer must see that something is missing.
    void reset_on_close();
    virtual bool is_secure() const { return false; }
    /// What the handshake agreed on; means nothing on a plain connection.
    virtual TlsSession tls_session() const { return {}; }
    /// Nothing buffered and nothing readable: an idle connection may be used again.
    virtual bool is_quiet() const { return !channel_.readable && !channel_.peer_closed; }

protected:
    Channel channel_;
};

std::unique_ptr<Transport> make_plain(Reactor&, int fd);
/// Takes ownership of `ssl`, which is in accept or connect state and has no descriptor yet.
std::unique_ptr<Transport> make_tls(Reactor&, int fd, SSL* ssl);

}  // namespace sluice::net
