// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <variant>
#include <vector>

#include "support/wire.hpp"

namespace test {

/// Holds somebody up until it is opened.
class Gate {
public:
    void open();
    bool wait(std::chrono::milliseconds patience = kPatience);

private:
    std::mutex mutex_{};
    std::condition_variable changed_{};
    bool open_ = false;
};

/// One request as the origin received it.
struct Received {
    std::string method{};
    std::string target{};
    std::string head{};  ///< verbatim
    Headers headers{};
    std::string body{};
    std::uint64_t body_length = 0;
    bool complete = false;  ///< the body was framed to its end
    Headers trailers{};
    int connection = 0;     ///< which connection, from 1
    int on_connection = 0;  ///< which request on it, from 1

    std::string header(std::string_view name) const { return headers.get(name).value_or(""); }
};

/// What the origin does with a request: a list of steps, in order. Without an ending the
/// connection stays open for the next request.
class Answer {
public:
    /// A whole response with Content-Length.
    static Answer of(int status, const std::string& body = {}, const Headers& headers = {}) {
        return raw(text_of(status, body, headers));
    }
    static std::string text_of(int status, const std::string& body = {}, const Headers& = {});
    /// Exactly these bytes.
    static Answer raw(std::string bytes) { return Answer{}.then(std::move(bytes)); }
    /// Method, target, headers and body of the request as JSON.
    static Answer echo(const Received&);
    static Answer nothing() { return {}; }

    Answer& then(std::string bytes);
    Answer& then_repeat(std::uint64_t bytes);  ///< so many letters x
    Answer& after(std::shared_ptr<Gate>);
    Answer& after(std::chrono::milliseconds);  ///< a slow origin
    Answer& close();
    Answer& reset();
    Answer& hang();  ///< keeps the connection open and silent until the peer leaves

private:
    friend class Origin;
    struct Close {};
    struct Reset {};
    struct Hang {};
    struct Repeat {
        std::uint64_t bytes;
    };
    using Step = std::variant<std::string, Repeat, std::shared_ptr<Gate>, std::chrono::milliseconds,
                              Close, Reset, Hang>;
    std::vector<Step> steps_{};
};

using Script = std::function<Answer(const Received&)>;

struct OriginOptions {
    std::uint16_t port = 0;
    bool keep = true;         ///< remember requests; off under load
    bool keep_bodies = true;  ///< off for large uploads
    /// Asked when the head is read; an answer here is sent before the body is read.
    std::function<std::optional<Answer>(const Received&)> on_head{};
    SSL_CTX* tls = nullptr;  ///< not owned
};

/// A scripted backend on 127.0.0.1, a thread per connection.
class Origin {
public:
    /// Answers "ok" to everything.
    Origin();
    explicit Origin(Script script, OriginOptions options = {});
    ~Origin();
    Origin(const Origin&) = delete;
    Origin& operator=(const Origin&) = delete;

    std::uint16_t port() const { return port_; }
    std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
    /// Requests so far, whole or not.
    int count() const { return count_; }
    int connections() const { return connections_; }
    int open_connections() const { return open_; }
    std::vector<Received> requests() const;
    Received last() const;
    void forget();
    /// A new script for requests from now on.
    void set(Script);
    bool wait_for(int requests);

private:
    struct Session {
        std::shared_ptr<Wire> wire{};
        std::thread thread{};
        std::atomic<bool> done{false};
    };
    void accept_all();
    void serve(Session&, Fd, int number);
    bool exchange(Wire&, Received&);
    bool play(Wire&, const Answer&);
    void read_body(Wire&, Received&);

    Fd listener_;
    std::uint16_t port_;
    OriginOptions options_;
    mutable std::mutex mutex_{};
    Script script_;
    std::vector<Received> received_{};
    std::list<Session> sessions_{};
    std::atomic<int> count_{0}, connections_{0}, open_{0};
    std::atomic<bool> stopping_{false};
    std::thread acceptor_{};
};

}  // namespace test
