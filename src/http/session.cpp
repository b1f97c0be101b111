// SPDX-License-Identifier: Apache-2.0
#include "http/session.hpp"

#include <algorithm>
#include <exception>
#include <utility>

#include "http/crawling.hpp"
#include "net/scratch.hpp"
#include "sluice/telemetry/log.hpp"

namespace sluice::http {
namespace {

using std::chrono::seconds;

constexpr std::size_t kFirstRead = 4096;  // most heads fit
constexpr seconds kHandshakeTime{10};     // robustness 2
// Stopping: a request that is on its way to an idle connection is still answered.
constexpr seconds kDrainPatience{1};
// At the connection limit: idle for less than this is not idle.
constexpr std::chrono::milliseconds kSilentGrace{100};
constexpr std::chrono::milliseconds kKeptGrace{1000};
constexpr std::size_t kDropLimit = 64 * 1024;         // robustness 1.6
constexpr std::chrono::milliseconds kDropTime{1000};  // robustness 1.6

struct InFlight {
    explicit InFlight(telemetry::Counter& c) : counter{c} { counter.add(); }
    InFlight(const InFlight&) = delete;
    InFlight& operator=(const InFlight&) = delete;
    ~InFlight() { counter.sub(); }
    telemetry::Counter& counter;
};

}  // namespace

// ----------------------------------------------------------------------------------- Sessions

void Sessions::drain() {
    draining_ = true;
    for (Session* s = first_; s != nullptr;) {
        Session* next = s->next_;  // a session may end when it is woken
        if (s->idle_) s->transport_->channel().kick();
        s = next;
    }
}

bool Sessions::close_one_idle() {
    const auto waited = [](const Session* s, Duration least) {
        return s != nullptr && s->now() - s->idle_since_ >= least;
    };
    Session* victim = nullptr;
    if (waited(silent_.first, kSilentGrace)) {
        victim = silent_.first;
    } else if (waited(kept_.first, kKeptGrace)) {
        victim = kept_.first;
    }
    if (victim == nullptr) return false;
    victim->transport_->channel().cancel();  // the session is gone when this returns
    return true;
}

Sessions::IdleList& Sessions::idle_list_of(const Session& s) { return s.served_ ? kept_ : silent_; }

void Sessions::IdleList::add(Session& s) {
    s.idle_ = true;
    s.idle_since_ = s.now();
    s.idle_previous_ = std::exchange(last, &s);
    s.idle_next_ = nullptr;
    (s.idle_previous_ != nullptr ? s.idle_previous_->idle_next_ : first) = &s;
}

void Sessions::IdleList::remove(Session& s) {
    s.idle_ = false;
    (s.idle_previous_ != nullptr ? s.idle_previous_->idle_next_ : first) = s.idle_next_;
    (s.idle_next_ != nullptr ? s.idle_next_->idle_previous_ : last) = s.idle_previous_;
}

void Sessions::cancel_all() {
    draining_ = true;
    // A cancelled session may take others with it, or stay for a moment: start over each time.
    for (bool again = true; again;) {
        again = false;
        for (Session* s = first_; s != nullptr; s = s->next_) {
            if (s->transport_->channel().is_cancelled()) continue;
            s->transport_->channel().cancel();
            again = true;
            break;
        }
    }
}

// ------------------------------------------------------------------------------------ Session

Session::Session(std::unique_ptr<net::Transport> transport, const Peer& peer, Handler& handler,
                 Sessions& sessions)
    : transport_{std::move(transport)},
      stream_{*transport_, sessions.draining_},
      handler_{handler},
      sessions_{sessions},
      next_{sessions.first_},
      peer_{peer} {
    if (next_ != nullptr) next_->previous_ = this;
    sessions_.first_ = this;
    ++sessions_.size_;
    handler_.cells().connections.add();
}

Session::~Session() {
    if (next_ != nullptr) next_->previous_ = previous_;
    (previous_ != nullptr ? previous_->next_ : sessions_.first_) = next_;
    --sessions_.size_;
    sessions_.count_.leave(peer_.address);
    handler_.cells().connections.sub();
}

void Session::start(std::unique_ptr<net::Transport> transport, const Peer& peer, Handler& handler,
                    Sessions& sessions) {
    run(std::unique_ptr<Session>{new Session{std::move(transport), peer, handler, sessions}});
}

Detached Session::run(std::unique_ptr<Session> self) {
    try {
        co_await self->serve_connection();
    } catch (const std::exception& e) {
        log::error("connection ended by an internal error: {}", e.what());
        self->transport_->reset_on_close();
    }
}

Task<void> Session::serve_connection() {
    if (transport_->is_secure()) {
        const bool agreed = co_await handshake();
        if (!agreed) co_return;
    }
    for (;;) {
        // Waiting for a request happens here, where a connection owns next to nothing.
        while (stream_.input.empty() && transport_->is_quiet()) {
            const auto& timeouts = handler_.settings().timeouts;
            auto patience = served_ ? timeouts.keep_alive : timeouts.header;
            if (sessions_.is_draining()) patience = std::min(patience, kDrainPatience);
            sessions_.idle_list_of(*this).add(*this);
            const net::Wake wake = co_await net::wait(transport_->channel(), now() + patience);
            sessions_.idle_list_of(*this).remove(*this);
            if (wake != net::Wake::event) co_return;
        }
        const bool go_on = co_await serve_request();
        if (!go_on) break;
    }
    if (linger_) co_await linger();
}

Task<bool> Session::handshake() {
    const TimePoint deadline = std::chrono::steady_clock::now() + kHandshakeTime;
    for (;;) {
        const net::IoResult r = transport_->handshake();
        if (r.state == net::Io::done) break;
        net::Wake wake = net::Wake::timeout;
        if (r.state == net::Io::would_block) {
            wake = co_await net::wait(transport_->channel(), deadline);
        }
        if (wake == net::Wake::event) continue;
        handler_.cells().tls_handshake_failures.add();
        co_return false;
    }
    const net::TlsSession agreed = transport_->tls_session();
    handler_.cells().tls_handshakes[telemetry::tls_kind(agreed.is_1_3, agreed.resumed)].add();
    co_return true;
}

struct Session::HeadReading {
    bool line_ended;  ///< since the last try
    int status = 0;   ///< after HeadStep::refused
    std::string_view reason{};
};

Task<bool> Session::serve_request() {
    Request request;
    HeadReading reading{.line_ended = !stream_.input.empty()};
    HeadStep step = read_head(request, reading);
    if (step == HeadStep::blocked) step = co_await await_head(request, reading);
    if (step == HeadStep::refused) co_await refuse(reading.status, reading.reason);
    if (step != HeadStep::complete) co_return false;

    stream_.begin(request.head, handler_.settings().body_bytes);
    auto& cells = handler_.cells();
    {
        const InFlight counted{cells.requests_in_flight};
        co_await handler_.serve(request, stream_);
    }

    if (!sent_all()) co_await finish_response();
    cells.sent_bytes.add(stream_.sent_bytes());
    cells.received_bytes.add(request.bytes.size() + stream_.received_);
    if (stream_.client_gone()) co_return false;
    if (!stream_.body_finished()) {
        const bool dropped = co_await drop_rest_of_body();
        if (!dropped) stream_.close_after();
    }
    linger_ = !stream_.keep_alive();
    co_return stream_.keep_alive();
}

/// Reads once into the input.
net::Io Session::receive_more(bool& line_ended) {
    Buffer& in = stream_.input;
    in.reserve(in.empty() ? kFirstRead : kFirstRead / 8);
    const net::IoResult r = transport_->read(in.back(), in.room());
    if (r.state != net::Io::done) return r.state;
    const std::string_view came{in.back(), r.bytes};
    line_ended = line_ended || came.back() == '\n' || came.find('\n') != std::string::npos;
    in.commit(r.bytes);
    return net::Io::done;
}

Session::HeadStep Session::read_head(Request& request, HeadReading& reading) {
    Buffer& in = stream_.input;
    const HeadLimits& limits = handler_.settings().head;
    for (;;) {
        // Reading a head costs its length: do it when a line ended, not for every byte.
        if (!in.empty() && (reading.line_ended || in.size() > limits.target_bytes)) {
            const HeadResult r = read_request_head(in.view(), limits, request.head);
            if (r.state == HeadResult::State::complete) {
                accept_head(request, r.consumed);
                return HeadStep::complete;
            }
            const bool refused = r.state == HeadResult::State::refused;
            if (refused || in.size() > limits.head_bytes + limits.target_bytes) {
                reading.status = refused ? r.status : 431;
                reading.reason = refused ? r.reason : "head_too_large";
                return HeadStep::refused;
            }
            reading.line_ended = false;
        }
        const net::Io received = receive_more(reading.line_ended);
        if (received == net::Io::would_block) return HeadStep::blocked;
        if (received != net::Io::done) return HeadStep::closed;
    }
}

void Session::accept_head(Request& request, std::size_t size) {
    Buffer& in = stream_.input;
    const std::string_view rest = in.view().substr(size);
    request.bytes = std::move(in);
    in = Buffer{};
    in.append(rest);
    served_ = true;
    request.peer = peer_.address;
    request.listener_port = peer_.listener_port;
    request.secure = transport_->is_secure();
    request.received = std::chrono::steady_clock::now();
}

Task<Session::HeadStep> Session::await_head(Request& request, HeadReading& reading) {
    const TimePoint deadline = now() + handler_.settings().timeouts.header;
    for (;;) {
        const net::Wake wake = co_await net::wait(transport_->channel(), deadline);
        if (wake == net::Wake::event) {
            const HeadStep step = read_head(request, reading);
            if (step != HeadStep::blocked) co_return step;
            continue;
        }
        if (wake != net::Wake::timeout || stream_.input.empty()) co_return HeadStep::closed;
        reading.status = 408;
        reading.reason = "head_timeout";
        co_return HeadStep::refused;
    }
}

Task<void> Session::refuse(int status, std::string_view reason) {
    const RequestHead nothing;
    stream_.begin(nothing, 0);
    stream_.close_after();
    handler_.refuse(status, reason, stream_);
    if (!sent_all()) co_await finish_response();
    linger_ = true;
}

/// Waits until the client has taken everything; slow readers end with a reset.
Task<void> Session::finish_response() {
    const auto patience = handler_.settings().timeouts.write_idle;
    const TimePoint started = now();
    const std::uint64_t sent_before = stream_.sent_bytes();
    while (!stream_.client_gone() && !stream_.flushed()) {
        const std::uint64_t sent = stream_.sent_bytes();
        const net::Wake wake = co_await net::wait(transport_->channel(), now() + patience);
        if (wake == net::Wake::event) stream_.flush();
        const bool stuck = wake == net::Wake::timeout && sent == stream_.sent_bytes();
        const bool crawling = is_crawling(stream_.sent_bytes() - sent_before, now() - started);
        if (wake == net::Wake::cancelled || stuck || crawling) stream_.abort();
    }
}

/// A body nobody wanted must not be read as the next request (robustness 1.6).
Task<bool> Session::drop_rest_of_body() {
    // Never asked for, or not worth waiting for: it may never come.
    if (stream_.expect_continue_ || stream_.length_too_large_) co_return false;
    const TimePoint deadline = now() + kDropTime;
    const std::uint64_t limit = stream_.body_bytes() + kDropLimit;
    for (;;) {
        const Stream::BodyPiece piece = stream_.read_body();
        if (piece.state == Stream::Body::end || stream_.body_finished()) co_return true;
        if (piece.state == Stream::Body::broken || piece.state == Stream::Body::too_large) break;
        if (stream_.body_bytes() > limit) break;
        if (piece.state == Stream::Body::data) continue;
        const net::Wake wake = co_await net::wait(transport_->channel(), deadline);
        if (wake != net::Wake::event) break;
    }
    co_return false;
}

/// Lets the client read the last answer before the connection goes: closing with unread input
/// would reset it (RFC 9112 9.6).
Task<void> Session::linger() {
    if (stream_.client_gone()) co_return;
    transport_->shutdown_write();
    stream_.input.release();
    const TimePoint deadline = now() + kDropTime;
    char* scratch = net::Scratch::of_thread().read.get();
    std::size_t dropped = 0;
    while (dropped < 16 * kDropLimit) {
        const net::IoResult r = transport_->read(scratch, net::Scratch::kReadSize);
        if (r.state == net::Io::done) {
            dropped += r.bytes;
            continue;
        }
        if (r.state != net::Io::would_block) co_return;
        const net::Wake wake = co_await net::wait(transport_->channel(), deadline);
        if (wake != net::Wake::event) co_return;
        scratch = net::Scratch::of_thread().read.get();
    }
}

}  // namespace sluice::http
