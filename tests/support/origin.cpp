// SPDX-License-Identifier: Apache-2.0
#include "support/origin.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <nlohmann/json.hpp>
#include <stdexcept>

namespace test {

void Gate::open() {
    const std::lock_guard lock{mutex_};
    open_ = true;
    changed_.notify_all();
}

bool Gate::wait(std::chrono::milliseconds patience) {
    std::unique_lock lock{mutex_};
    return changed_.wait_for(lock, patience, [this] { return open_; });
}

std::string Answer::text_of(int status, const std::string& body, const Headers& headers) {
    std::string text = "HTTP/1.1 " + std::to_string(status) + " Scripted\r\n";
    for (const Header& h : headers)
        text += h.name + ": " + h.value + "\r\n";
    if (status != 204 && status != 304)
        text += "Content-Length: " + std::to_string(body.size()) + "\r\n";
    return text + "\r\n" + body;
}

Answer Answer::echo(const Received& r) {
    nlohmann::json headers = nlohmann::json::array();
    for (const Header& h : r.headers)
        headers.push_back({h.name, h.value});
    const nlohmann::json body{
        {"method", r.method}, {"target", r.target}, {"headers", headers}, {"body", r.body}};
    return of(200, body.dump(), {{"Content-Type", "application/json"}});
}

Answer& Answer::then(std::string bytes) {
    steps_.emplace_back(std::move(bytes));
    return *this;
}

Answer& Answer::then_repeat(std::uint64_t bytes) {
    steps_.emplace_back(Repeat{bytes});
    return *this;
}

Answer& Answer::after(std::shared_ptr<Gate> gate) {
    steps_.emplace_back(std::move(gate));
    return *this;
}

Answer& Answer::after(std::chrono::milliseconds delay) {
    steps_.emplace_back(delay);
    return *this;
}

Answer& Answer::close() {
    steps_.emplace_back(Close{});
    return *this;
}

Answer& Answer::reset() {
    steps_.emplace_back(Reset{});
    return *this;
}

Answer& Answer::hang() {
    steps_.emplace_back(Hang{});
    return *this;
}

Origin::Origin() : Origin{[](const Received&) { return Answer::of(200, "ok"); }} {}

Origin::Origin(Script script, OriginOptions options)
    : listener_{listen_on(options.port)},
      port_{local_port(listener_)},
      options_{std::move(options)},
      script_{std::move(script)},
      acceptor_{[this] { accept_all(); }} {}

Origin::~Origin() {
    stopping_ = true;
    ::shutdown(listener_.get(), SHUT_RDWR);  // wakes accept
    acceptor_.join();
    {
        const std::lock_guard lock{mutex_};
        for (Session& s : sessions_)
            if (s.wire) ::shutdown(s.wire->socket().get(), SHUT_RDWR);
    }
    for (Session& s : sessions_)
        s.thread.join();
}

void Origin::accept_all() {
    for (;;) {
        Fd fd{::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC)};
        if (stopping_) return;
        if (!fd) continue;
        const int on = 1;
        ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        const int number = ++connections_;
        ++open_;
        const std::lock_guard lock{mutex_};
        std::erase_if(sessions_, [](Session& s) {
            if (s.done) s.thread.join();
            return s.done.load();
        });
        Session& session = sessions_.emplace_back();
        session.thread = std::thread{[this, &session, number, held = std::move(fd)]() mutable {
            serve(session, std::move(held), number);
        }};
    }
}

void Origin::serve(Session& session, Fd fd, int number) {
    try {
        std::unique_ptr<SSL, decltype(&SSL_free)> ssl{nullptr, &SSL_free};
        if (options_.tls != nullptr) {
            ssl.reset(SSL_new(options_.tls));
            handshake(fd, ssl.get(), true);
        }
        auto wire = std::make_shared<Wire>(std::move(fd), ssl.release());
        wire->set_timeout(120s);
        {
            const std::lock_guard lock{mutex_};
            session.wire = wire;
        }
        Received request{.connection = number};
        while (!stopping_ && exchange(*wire, request))
            request = {.connection = number, .on_connection = request.on_connection};
        wire->finish_writing();
    } catch (const std::exception&) {
        // What the gateway sent was no HTTP: the test sees a missing request.
    }
    {
        const std::lock_guard lock{mutex_};
        session.wire.reset();
    }
    --open_;
    session.done = true;
}

void Origin::read_body(Wire& wire, Received& r) {
    const Sink sink = [&](std::string_view part) {
        r.body_length += part.size();
        if (options_.keep_bodies) r.body += part;
    };
    Body body{.complete = true};
    if (same_name(r.header("Transfer-Encoding"), "chunked"))
        body = wire.read_chunked(sink);
    else if (const auto length = r.headers.get("Content-Length"))
        body = wire.read_length(std::stoull(*length), sink);
    r.complete = body.complete;
    r.trailers = std::move(body.trailers);
}

bool Origin::exchange(Wire& wire, Received& r) {
    std::optional<Head> head = wire.read_head();
    if (!head) return false;
    const std::size_t first = head->start_line.find(' ');
    const std::size_t second = head->start_line.rfind(' ');
    r.method = head->start_line.substr(0, first);
    r.target = head->start_line.substr(first + 1, second - first - 1);
    r.head = std::move(head->raw);
    r.headers = std::move(head->headers);
    ++r.on_connection;

    std::optional<Answer> early;
    if (options_.on_head) early = options_.on_head(r);
    if (early) ++count_;
    if (early && !play(wire, *early)) return false;
    read_body(wire, r);
    Script script;
    {
        const std::lock_guard lock{mutex_};
        if (options_.keep) received_.push_back(r);
        script = script_;
    }
    if (!early) ++count_;
    if (!r.complete) return false;
    return early || play(wire, script(r));
}

/// Plays the steps; false when the connection must not be used again.
bool Origin::play(Wire& wire, const Answer& answer) {
    const std::string block(65536, 'x');
    for (const Answer::Step& step : answer.steps_) {
        if (const auto* bytes = std::get_if<std::string>(&step)) {
            if (!wire.send(*bytes)) return false;
        } else if (const auto* repeat = std::get_if<Answer::Repeat>(&step)) {
            for (std::uint64_t left = repeat->bytes; left > 0;) {
                const std::uint64_t part = std::min<std::uint64_t>(left, block.size());
                if (!wire.send(std::string_view{block}.substr(0, part))) return false;
                left -= part;
            }
        } else if (const auto* gate = std::get_if<std::shared_ptr<Gate>>(&step)) {
            (*gate)->wait();
        } else if (const auto* delay = std::get_if<std::chrono::milliseconds>(&step)) {
            std::this_thread::sleep_for(*delay);
        } else if (std::holds_alternative<Answer::Reset>(step)) {
            wire.socket().reset();
            return false;
        } else if (std::holds_alternative<Answer::Close>(step)) {
            return false;
        } else {
            while (!stopping_ && wire.fill()) {
            }
            return false;
        }
    }
    return true;
}

std::vector<Received> Origin::requests() const {
    const std::lock_guard lock{mutex_};
    return received_;
}

Received Origin::last() const {
    const std::lock_guard lock{mutex_};
    if (received_.empty()) throw std::runtime_error("the backend received nothing");
    return received_.back();
}

void Origin::forget() {
    const std::lock_guard lock{mutex_};
    received_.clear();
    count_ = 0;
}

void Origin::set(Script script) {
    const std::lock_guard lock{mutex_};
    script_ = std::move(script);
}

bool Origin::wait_for(int requests) {
    return eventually([&] { return count_ >= requests; });
}

}  // namespace test
