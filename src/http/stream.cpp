// SPDX-License-Identifier: Apache-2.0
#include "http/stream.hpp"

#include "http/message_parts.hpp"
#include "net/scratch.hpp"

namespace sluice::http {

void Stream::begin(const RequestHead& head, std::uint64_t body_limit) {
    body_ = BodyFraming{head.framing, head.content_length};
    body_limit_ = body_limit;
    length_too_large_ = head.framing == Framing::length && head.content_length > body_limit;
    body_bytes_ = received_ = response_body_ = 0;
    outbox_.reset_count();
    status_ = 0;
    minor_version_ = head.minor_version;
    head_request_ = head.verb == Verb::head;
    keep_alive_ = head.keep_alive;
    expect_continue_ = head.expect_continue && !body_.finished();
    response_complete_ = false;
    body_broken_ = false;
}

Stream::BodyPiece Stream::read_body() {
    if (length_too_large_) return {Body::too_large};
    if (body_broken_) return {Body::broken};
    if (body_.finished()) return {Body::end};
    if (expect_continue_ && input.empty()) {
        // The client holds the body back until it is asked (RFC 9110 10.1.1).
        expect_continue_ = false;
        static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
        const iovec part{const_cast<char*>(kContinue.data()), kContinue.size()};
        if (!write_parts({&part, 1})) return {Body::broken};
    }
    expect_continue_ = false;
    char* scratch = net::Scratch::of_thread().read.get();
    if (!input.empty()) {
        const std::size_t n = std::min(input.size(), net::Scratch::kReadSize);
        std::memcpy(scratch, input.view().data(), n);
        input.consume(n);
        if (input.empty()) input.release();
        return use(scratch, n, true);
    }
    const net::IoResult r = transport_.read(scratch, net::Scratch::kReadSize);
    if (r.state == net::Io::would_block) return {Body::blocked};
    if (r.state != net::Io::done) {
        body_broken_ = true;
        return {Body::broken};
    }
    received_ += r.bytes;
    return use(scratch, r.bytes, false);
}

Stream::BodyPiece Stream::use(char* bytes, std::size_t size, bool from_input) {
    const BodyFraming::Piece piece = body_.take(bytes, size);
    if (piece.malformed) {
        body_broken_ = true;
        return {Body::broken};
    }
    if (piece.consumed < size) {
        // The next request, sent ahead; goes before whatever else the input still holds.
        const std::string_view rest{bytes + piece.consumed, size - piece.consumed};
        if (from_input && !input.empty()) {
            Buffer merged;
            merged.append(rest);
            merged.append(input.view());
            input = std::move(merged);
        } else {
            input.append(rest);
        }
    }
    body_bytes_ += piece.data;
    if (body_bytes_ + body_.announced() > body_limit_) return {Body::too_large};
    return {piece.data == 0 && body_.finished() ? Body::end : Body::data, {bytes, piece.data}};
}

void Stream::start_response(int status, Framing framing) {
    status_ = status;
    response_framing_ = framing;
}

bool Stream::send(std::string_view head, std::string_view body, bool end) {
    if (broken_) return false;
    if (response_framing_ != Framing::none) response_body_ += body.size();
    if (end) response_complete_ = true;
    const MessageParts parts{response_framing_, head, body, end};
    return parts.empty() || write_parts(parts.all());
}

bool Stream::write_parts(std::span<const iovec> parts) {
    if (!outbox_.write(parts)) broken_ = true;
    return !broken_;
}

bool Stream::flush() {
    if (!broken_ && !outbox_.flush()) broken_ = true;
    return !broken_;
}

}  // namespace sluice::http
