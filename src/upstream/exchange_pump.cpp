// SPDX-License-Identifier: Apache-2.0
#include "upstream/exchange_pump.hpp"

#include <cstring>

#include "http/crawling.hpp"
#include "http/message_parts.hpp"
#include "net/scratch.hpp"

namespace sluice::upstream {
namespace {

using http::Framing;
using telemetry::UpstreamError;
using End = Forwarding::End;

constexpr http::HeadLimits kResponseLimits{.head_bytes = 65'536, .target_bytes = 0, .fields = 200};
constexpr int kMostInterim = 16;  // robustness 2
// A client that closed its sending side may only have half-closed: give the answer this long.
constexpr std::chrono::milliseconds kHalfCloseGrace{500};

// Kept free in front of what is read, so that the head for the client finds room there.
constexpr std::size_t kHeadRoom = 1024;

/// Moves the head right in front of the data, over what was read before it: both then are one
/// piece. Stays where it is when there is no room.
std::string_view move_in_front(std::string_view head, char* data) {
    const char* const begin = net::Scratch::of_thread().read.get();
    if (head.size() > static_cast<std::size_t>(data - begin)) return head;
    return {static_cast<char*>(std::memcpy(data - head.size(), head.data(), head.size())),
            head.size()};
}

}  // namespace

Task<Forwarding> ExchangePump::run(const Target& target, Patience patience) {
    if (!send_head(target)) {
        fail(UpstreamError::write_failed);
        co_return result_;
    }
    for (;;) {
        const Step up = upload();
        if (up == Step::finished) break;
        const Step down = download();
        if (down == Step::finished) break;
        if (up == Step::moved || down == Step::moved) continue;
        if (client_.channel().is_broken) {
            stop(End::client_gone);
            break;
        }
        const Nap nap = plan_nap(patience);
        const net::Wake wake =
            co_await net::wait_either(client_.channel(), connection_.channel(), nap.deadline);
        if (!woke(nap, wake)) break;
    }
    co_return result_;
}

bool ExchangePump::send_head(const Target& target) {
    ByteWriter& out = net::Scratch::of_thread().head;
    out.clear();
    if (!job_.write_request_head(out, target, request_.framing, request_.content_length)) {
        stop(End::body_malformed);
        return true;  // seen again by upload()
    }
    // Small bodies that are here already go out with the head.
    if (!upload_done_ && !client_.input.empty()) {
        const http::Stream::BodyPiece piece = client_.read_body();
        if (piece.state == http::Stream::Body::data) {
            const bool end = client_.body_finished();
            upload_done_ = end;
            return send_body_piece(out.view(), piece.data, end);
        }
        if (piece.state == http::Stream::Body::too_large) stop(End::body_too_large);
        if (piece.state == http::Stream::Body::broken) stop(End::body_malformed);
        if (result_.end != End::complete) return true;  // seen again by upload()
    }
    return connection_.outbox().write(out.view());
}

bool ExchangePump::send_body_piece(std::string_view head, std::string_view piece, bool end) {
    if (request_.observer != nullptr) request_.observer->request_body(piece);
    const http::MessageParts parts{request_.framing, head, piece, end};
    return parts.empty() || connection_.outbox().write(parts.all());
}

ExchangePump::Step ExchangePump::upload() {
    if (result_.end != End::complete) return Step::finished;
    net::Outbox& out = connection_.outbox();
    if (upload_failed_) return Step::stuck;
    if (!out.is_empty()) {
        if (!out.flush()) upload_failed_ = true;  // an answer may still be on its way
        if (upload_failed_ || !out.is_empty()) return Step::stuck;
    }
    if (upload_done_) return Step::stuck;
    const http::Stream::BodyPiece piece = client_.read_body();
    switch (piece.state) {
        case http::Stream::Body::blocked:
            return Step::stuck;
        case http::Stream::Body::broken:
            return stop(client_.channel().peer_closed ? End::client_gone : End::body_malformed);
        case http::Stream::Body::too_large:
            return stop(End::body_too_large);
        case http::Stream::Body::data:
        case http::Stream::Body::end:
            break;
    }
    upload_done_ = client_.body_finished();
    if (!send_body_piece({}, piece.data, upload_done_)) upload_failed_ = true;
    return Step::moved;
}

ExchangePump::Step ExchangePump::download() {
    if (!client_.flush()) return stop(End::client_gone);
    if (!client_.flushed()) return Step::stuck;  // back-pressure: do not read what cannot go on
    char* scratch = net::Scratch::of_thread().read.get() + kHeadRoom;
    const std::size_t room = net::Scratch::kReadSize - kHeadRoom - connection_.input.size();
    const net::IoResult r = connection_.transport().read(scratch, room);
    if (r.state == net::Io::would_block) return Step::stuck;
    if (r.state != net::Io::done) return end_of_stream(r.state == net::Io::eof);
    heard_ = true;
    return head_done_ ? body(scratch, r.bytes, {}) : read_response(scratch, r.bytes);
}

/// Reads heads until the final one, then hands what follows it to body().
ExchangePump::Step ExchangePump::read_response(char* bytes, std::size_t size) {
    Buffer& kept = connection_.input;
    if (!kept.empty()) {
        kept.append({bytes, size});
        size = kept.size();
        std::memcpy(bytes, kept.view().data(), size);
        kept.clear();
    }
    for (;;) {
        http::ResponseHead head;
        const http::HeadResult r = http::read_response_head({bytes, size}, kResponseLimits, head);
        if (r.state == http::HeadResult::State::refused) {
            const bool large = r.status == 431 || r.reason == "head_too_large";
            return fail(large ? UpstreamError::head_too_large : UpstreamError::malformed);
        }
        if (r.state == http::HeadResult::State::incomplete) {
            if (size > kResponseLimits.head_bytes) return fail(UpstreamError::head_too_large);
            kept.append({bytes, size});
            return Step::moved;
        }
        if (head.status == 101) return fail(UpstreamError::malformed);
        if (head.status >= 200) {
            const Step step = use_head(head);
            if (step == Step::finished) return step;
            return body(bytes + r.consumed, size - r.consumed, client_head_);
        }
        if (++interim_ > kMostInterim) return fail(UpstreamError::malformed);
        bytes += r.consumed;
        size -= r.consumed;
        if (size == 0) return Step::moved;
    }
}

ExchangePump::Step ExchangePump::use_head(const http::ResponseHead& head) {
    result_.status = head.status;
    keep_alive_ = head.keep_alive;
    const Framing framing = head.framing;
    const std::uint64_t length = head.content_length;
    if (request_.is_head || !http::may_have_body(head.status)) {
        // The length is told on, but no byte of it follows (RFC 9110 8.6).
        response_ = http::BodyFraming{Framing::none, 0};
    } else {
        response_ = http::BodyFraming{framing, length};
        if (framing == Framing::until_close) keep_alive_ = false;
    }
    ByteWriter& out = net::Scratch::of_thread().head;
    out.clear();
    if (!job_.on_response_head(head, framing, length, out)) return fail(UpstreamError::malformed);
    head_done_ = true;
    client_head_ = out.view();
    return Step::moved;
}

ExchangePump::Step ExchangePump::body(char* bytes, std::size_t size, std::string_view head) {
    const http::BodyFraming::Piece piece = response_.take(bytes, size);
    const std::string_view data{bytes, piece.data};
    if (piece.malformed) {
        if (!head.empty()) {
            // Nothing has gone out yet: the client can still be told what happened.
            client_.take_back_response();
            head_done_ = false;
        }
        return fail(UpstreamError::malformed);
    }
    const bool end = response_.finished();
    if (!data.empty()) job_.on_response_body(data);
    if (!head.empty() && !data.empty()) head = move_in_front(head, bytes);
    if ((!head.empty() || !data.empty() || end) && !client_.send(head, data, end)) {
        return stop(End::client_gone);
    }
    if (!end) return Step::moved;
    const bool extra = piece.consumed < size;
    clean_ =
        keep_alive_ && !extra && upload_done_ && !upload_failed_ && connection_.outbox().is_empty();
    return Step::finished;
}

ExchangePump::Step ExchangePump::end_of_stream(bool orderly) {
    if (!head_done_) {
        const bool half = heard_ && !connection_.input.empty();
        return fail(half ? UpstreamError::closed_early : UpstreamError::reset);
    }
    if (!orderly || !response_.complete_at_eof()) return fail(UpstreamError::closed_early);
    if (!client_.send({}, {}, true)) return stop(End::client_gone);
    return Step::finished;
}

ExchangePump::Step ExchangePump::fail(UpstreamError error) {
    result_.end = End::failed;
    result_.error = error;
    if (head_done_) client_.abort();
    return Step::finished;
}

ExchangePump::Step ExchangePump::stop(End end) {
    result_.end = end;
    if (head_done_) client_.abort();
    return Step::finished;
}

bool ExchangePump::waiting_for_client() const {
    if (!client_.flushed()) return true;
    return !upload_done_ && !upload_failed_ && connection_.outbox().is_empty();
}

bool ExchangePump::is_crawling() const {
    return http::is_crawling(client_.sent_bytes() + client_.body_bytes(), client_time_);
}

ExchangePump::Nap ExchangePump::plan_nap(Patience patience) {
    const TimePoint now = connection_.channel().reactor().now();
    const bool on_client = waiting_for_client();
    TimePoint due = now + budget_.left();
    if (on_client) due = now + (client_.flushed() ? patience.body : patience.write);
    const bool may_have_left = client_.channel().peer_closed && upload_done_;
    if (may_have_left && client_left_ == TimePoint::max()) client_left_ = now + kHalfCloseGrace;
    return {now, due, std::min(due, client_left_), on_client};
}

bool ExchangePump::woke(const Nap& nap, net::Wake wake) {
    const TimePoint later = connection_.channel().reactor().now();
    if (nap.on_client) {
        client_time_ += later - nap.begun;
    } else {
        budget_.charge(later - nap.begun);
    }
    const bool reset = client_.channel().is_broken;
    if (wake == net::Wake::event && !reset && !is_crawling()) return true;
    if (wake == net::Wake::cancelled || reset || (client_left_ <= later && nap.due > later)) {
        stop(End::client_gone);
    } else if (nap.on_client) {
        stop(client_.flushed() ? End::client_timeout : End::client_gone);
    } else {
        fail(heard_ ? UpstreamError::timeout : UpstreamError::first_byte_timeout);
    }
    return false;
}

}  // namespace sluice::upstream
