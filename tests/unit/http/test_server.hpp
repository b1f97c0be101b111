// SPDX-License-Identifier: Apache-2.0
//
// Sessions on a real reactor, answered by a handler that the test writes.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>

#include "http/listener.hpp"
#include "http/session.hpp"
#include "support/reactor_thread.hpp"

namespace sluice::http {

inline void answer(Stream& s, int status, const std::string& text) {
    std::string head = "HTTP/1.1 " + std::to_string(status) +
                       " X\r\nContent-Length: " + std::to_string(text.size()) + "\r\n";
    if (!s.keep_alive()) head += "Connection: close\r\n";
    s.start_response(status, s.is_head() ? Framing::none : Framing::length);
    s.send(head + "\r\n", text, true);
}

/// What `answer` sends for a status and a text on a connection that stays open.
inline std::string answered(int status, const std::string& text, bool keep_alive = true) {
    return "HTTP/1.1 " + std::to_string(status) +
           " X\r\nContent-Length: " + std::to_string(text.size()) +
           (keep_alive ? "" : "\r\nConnection: close") + "\r\n\r\n" + text;
}

/// Answers with method, target and body.
inline Task<void> echo(Request& request, Stream& s) {
    std::string text = std::string{request.head.method} + ' ' + std::string{request.head.target};
    std::string body;
    for (;;) {
        const Stream::BodyPiece piece = s.read_body();
        if (piece.state == Stream::Body::end) break;
        if (piece.state == Stream::Body::data) {
            body += piece.data;
            continue;
        }
        if (piece.state != Stream::Body::blocked) {
            s.close_after();
            answer(s, piece.state == Stream::Body::too_large ? 413 : 400, "");
            co_return;
        }
        const TimePoint deadline = std::chrono::steady_clock::now() + ::test::kLongEnough;
        const net::Wake wake = co_await net::wait(s.channel(), deadline);
        if (wake == net::Wake::event) continue;
        s.abort();
        co_return;
    }
    if (!body.empty()) text += ' ' + body;
    answer(s, 200, text);
}

class TestHandler final : public Handler {
public:
    const SessionSettings& settings() const override { return session; }
    Task<void> serve(Request& request, Stream& s) override {
        ++requests;
        last_peer = request.peer;
        secure = request.secure;
        co_await script(request, s);
    }
    void refuse(int status, std::string_view reason, Stream& s) override {
        answer(s, status, std::string{reason});
    }
    telemetry::WorkerCells& cells() override { return counted; }

    SessionSettings session{};
    std::function<Task<void>(Request&, Stream&)> script = echo;
    telemetry::WorkerCells counted{};
    int requests = 0;
    IpAddress last_peer{};
    bool secure = false;
};

struct TestServer {
    TestServer() = default;
    ~TestServer() {
        thread.run([&] { sessions.cancel_all(); });
        EXPECT_TRUE(ends());
    }
    TestServer(const TestServer&) = delete;
    TestServer& operator=(const TestServer&) = delete;

    /// A connection whose first bytes are there before its session starts.
    ::test::Peer connect(std::string_view bytes = {}) {
        ::test::Pair pair = ::test::Pair::make();
        pair.far.send(bytes);
        thread.run([&] {
            const IpAddress address = *IpAddress::parse("192.0.2.7");
            admission.enter(address);
            Session::start(net::make_plain(thread.reactor(), pair.near),
                           {.address = address, .listener_port = 80}, handler, sessions);
        });
        return std::move(pair.far);
    }
    /// Every session is gone.
    bool ends() {
        return thread.until([&] { return sessions.size() == 0; });
    }

    ::test::ReactorThread thread;
    TestHandler handler{};
    Admission admission{};
    Sessions sessions{admission};
};

}  // namespace sluice::http
