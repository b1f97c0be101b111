// SPDX-License-Identifier: Apache-2.0
//
// The client's side of one exchange: request body in, response out. Everything is non-blocking;
// whoever drives the exchange waits on channel() when nothing moves.
#pragma once

#include <string_view>

#include "http/body_framing.hpp"
#include "net/outbox.hpp"
#include "sluice/base/buffer.hpp"
#include "sluice/http/head.hpp"

namespace sluice::http {

class Stream {
public:
    enum class Body : std::uint8_t { data, blocked, end, broken, too_large };
    struct BodyPiece {
        Body state = Body::end;
        std::string_view data{};  ///< in the thread's read scratch: use before the next read
    };

    /// `draining`: the server is stopping, so no response promises to keep the connection.
    Stream(net::Transport& transport, const bool& draining)
        : transport_{transport}, draining_{draining}, outbox_{transport} {}

    net::Channel& channel() { return transport_.channel(); }
    bool is_secure() const { return transport_.is_secure(); }

    // ---- request body -------------------------------------------------------------------

    /// Prepares for a request whose head has been read; bytes behind the head stay in `input`.
    void begin(const RequestHead&, std::uint64_t body_limit);
    bool has_body() const { return !body_.finished() || body_bytes_ > 0; }
    bool body_finished() const { return body_.finished(); }
    /// Content-Length is beyond the limit: refuse before a backend hears of it.
    bool declares_too_much() const { return length_too_large_; }
    /// The next piece of the decoded body. Asks the client to go on (100) when it waits for that.
    BodyPiece read_body();
    std::uint64_t body_bytes() const { return body_bytes_; }

    // ---- response ----------------------------------------------------------------------

    /// How the body that follows is framed. HEAD, 204 and 304: none.
    void start_response(int status, Framing framing);
    bool response_started() const { return status_ != 0; }
    /// Undoes start_response() while nothing has been sent.
    void take_back_response() { status_ = 0; }
    int status() const { return status_; }
    /// Sends head and body bytes in one go; what is not taken is kept. `end`: the body is
    /// complete. False: the client is gone.
    bool send(std::string_view head, std::string_view body, bool end);
    bool response_complete() const { return response_complete_; }
    /// Nothing is waiting to be taken by the client.
    bool flushed() const { return outbox_.is_empty(); }
    /// Tries to send what is waiting. False: the client is gone.
    bool flush();
    bool client_gone() const { return broken_; }
    std::uint64_t sent_bytes() const { return outbox_.sent(); }  ///< on the wire, of this response
    std::uint64_t response_body_bytes() const { return response_body_; }

    /// The connection ends after this response.
    void close_after() { keep_alive_ = false; }
    bool keep_alive() const { return keep_alive_ && !draining_; }
    /// The response cannot be completed: the client must see that something is missing.
    void abort() {
        broken_ = true;
        keep_alive_ = false;
        transport_.reset_on_close();
    }

    int minor_version() const { return minor_version_; }
    bool is_head() const { return head_request_; }

    /// Bytes received and not yet used: the next request, or the start of the body.
    Buffer input;

private:
    friend class Session;
    BodyPiece use(char* bytes, std::size_t size, bool from_input);
    bool write_parts(std::span<const iovec> parts);

    net::Transport& transport_;
    const bool& draining_;
    BodyFraming body_{};
    net::Outbox outbox_;
    std::uint64_t body_limit_ = 0;
    std::uint64_t body_bytes_ = 0;
    std::uint64_t received_ = 0;
    std::uint64_t response_body_ = 0;
    int status_ = 0;
    int minor_version_ = 1;
    Framing response_framing_ = Framing::none;
    bool head_request_ = false;
    bool keep_alive_ = true;
    bool expect_continue_ = false;
    bool response_complete_ = false;
    bool broken_ = false;
    bool length_too_large_ = false;
    bool body_broken_ = false;
};

}  // namespace sluice::http
