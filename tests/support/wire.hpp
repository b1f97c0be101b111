// SPDX-License-Identifier: Apache-2.0
//
// HTTP/1.1 as the tests read it: an implementation of its own, so that a mistake of the gateway
// is not repeated by the code that checks it.
#pragma once

#include <openssl/ssl.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "support/socket.hpp"

namespace test {

struct Header {
    std::string name{};
    std::string value{};
};

class Headers : public std::vector<Header> {
public:
    using std::vector<Header>::vector;
    /// The first value of that name (any case), or nothing.
    std::optional<std::string> get(std::string_view name) const;
    /// Every value of that name, in order.
    std::vector<std::string> all(std::string_view name) const;
    bool has(std::string_view name) const { return get(name).has_value(); }
};

bool same_name(std::string_view a, std::string_view b);

struct Head {
    std::string raw{};         ///< every byte, the empty line included
    std::string start_line{};  ///< without CRLF
    Headers headers{};
};

/// Why a connection gives no more bytes.
enum class End { open, closed, reset, timeout };

/// Bytes of a body as they arrive.
using Sink = std::function<void(std::string_view)>;

struct Body {
    bool complete = false;  ///< framed to its end
    Headers trailers{};
};

/// A connection (clear or TLS) with a read buffer. Reading stops at `timeout` without a byte.
class Wire {
public:
    explicit Wire(Fd fd, SSL* ssl = nullptr);  ///< takes over the SSL object, handshake done
    Wire(Wire&&) = default;
    Wire& operator=(Wire&&) = default;

    void set_timeout(std::chrono::milliseconds t) { timeout_ = t; }
    /// Writes everything; false when the peer is gone or does not read.
    bool send(std::string_view bytes);
    /// Reads once more into the buffer; false when nothing came (see end()).
    bool fill();
    End end() const { return end_; }

    /// The next head; nothing when the connection ended before the head did.
    std::optional<Head> read_head();
    Body read_length(std::uint64_t length, const Sink&);
    Body read_chunked(const Sink&);
    Body read_to_end(const Sink&);
    /// What was read and not yet used.
    const std::string& pending() const { return buffer_; }

    Fd& socket() { return fd_; }
    SSL* ssl() { return ssl_.get(); }
    void finish_writing();  ///< FIN, or close_notify and FIN

private:
    std::optional<std::string> read_line();

    struct SslFree {
        void operator()(SSL* s) const { SSL_free(s); }
    };
    Fd fd_;
    std::unique_ptr<SSL, SslFree> ssl_;
    std::string buffer_{};
    std::chrono::milliseconds timeout_ = kPatience;
    End end_ = End::open;
};

/// Drives a TLS handshake on a socket that is set non-blocking; throws when it fails.
void handshake(const Fd&, SSL*, bool server);

}  // namespace test
