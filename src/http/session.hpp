// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "http/handler.hpp"

namespace sluice::http {

class Session;

/// Counts connections over all workers (http::Admission).
class ConnectionCount {
public:
    virtual void leave(const IpAddress&) = 0;

protected:
    ~ConnectionCount() = default;
};

/// Sessions of one worker: how many there are, and how to end them.
class Sessions {
public:
    explicit Sessions(ConnectionCount& count) : count_{count} {}
    Sessions(const Sessions&) = delete;
    Sessions& operator=(const Sessions&) = delete;

    std::size_t size() const { return size_; }
    bool is_draining() const { return draining_; }
    /// Ends every session after its response, or when none is asked for within a second.
    void drain();
    /// Ends every session now.
    void cancel_all();
    /// Makes room at a limit: ends the session that has waited longest, of those that never sent
    /// a request if there is one. False when none has waited long enough: a connection between
    /// two requests is in use.
    bool close_one_idle();

private:
    friend class Session;
    /// Idle sessions, the one that has waited longest first.
    struct IdleList {
        Session* first = nullptr;
        Session* last = nullptr;
        void add(Session&);
        void remove(Session&);
    };
    IdleList& idle_list_of(const Session&);

    ConnectionCount& count_;
    Session* first_ = nullptr;
    IdleList silent_{};  ///< never sent a request
    IdleList kept_{};    ///< may send another one
    std::size_t size_ = 0;
    bool draining_ = false;
};

/// One client connection from accept to close. Owns itself: it is gone when the connection is.
class Session {
public:
    struct Peer {
        IpAddress address{};
        std::uint16_t listener_port = 0;
    };

    /// Starts serving. Handler and sessions outlive every session.
    static void start(std::unique_ptr<net::Transport>, const Peer&, Handler&, Sessions&);
    ~Session();

private:
    friend class Sessions;
    Session(std::unique_ptr<net::Transport>, const Peer&, Handler&, Sessions&);

    static Detached run(std::unique_ptr<Session>);
    Task<void> serve_connection();
    Task<bool> handshake();
    Task<bool> serve_request();
    enum class HeadStep : std::uint8_t { complete, blocked, refused, closed };
    struct HeadReading;
    /// Reads what has come. The usual request is complete then, and no coroutine was needed.
    HeadStep read_head(Request&, HeadReading&);
    /// Waits for the rest of a head: never `blocked`.
    Task<HeadStep> await_head(Request&, HeadReading&);
    net::Io receive_more(bool& line_ended);
    void accept_head(Request&, std::size_t size);
    /// Answers what is not a request, and lets the connection end.
    Task<void> refuse(int status, std::string_view reason);
    /// Sends what is left of the answer; whether the client has taken all of it.
    bool sent_all() { return stream_.flush() && stream_.flushed(); }
    Task<void> finish_response();  ///< when sent_all() said no
    Task<bool> drop_rest_of_body();
    Task<void> linger();
    TimePoint now() const { return transport_->channel().reactor().now(); }

    std::unique_ptr<net::Transport> transport_;
    Stream stream_;
    Handler& handler_;
    Sessions& sessions_;
    Session* previous_ = nullptr;
    Session* next_ = nullptr;
    Session* idle_previous_ = nullptr;
    Session* idle_next_ = nullptr;
    TimePoint idle_since_{};
    Peer peer_;
    bool idle_ = false;
    bool linger_ = false;
    bool served_ = false;  ///< at least one request
};

}  // namespace sluice::http
