// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "upstream/forwarder.hpp"

namespace sluice::upstream {

/// Time the backend has left. Only waiting for the backend is charged.
class BackendBudget {
public:
    explicit BackendBudget(Duration total) : left_{total} {}
    Duration left() const { return left_; }
    void charge(Duration spent) { left_ -= spent; }
    bool is_spent() const { return left_ <= Duration::zero(); }

private:
    Duration left_;
};

/// Moves one request and its response over one connection: whatever can move in either direction
/// moves, then it sleeps until something changes.
class ExchangePump {
public:
    ExchangePump(const ForwardRequest& request, Forwarded& job, http::Stream& client,
                 Connection& connection, BackendBudget& budget)
        : request_{request},
          job_{job},
          client_{client},
          connection_{connection},
          budget_{budget},
          upload_done_{request.framing == http::Framing::none} {}

    struct Patience {
        std::chrono::seconds body{30};
        std::chrono::seconds write{30};
    };
    Task<Forwarding> run(const Target&, Patience);

    /// The connection may serve another request.
    bool is_clean() const { return clean_; }
    /// Not a byte of a response came: the request may be repeated if it is repeatable.
    bool heard_nothing() const { return !heard_; }

private:
    enum class Step : std::uint8_t { moved, stuck, finished };

    bool send_head(const Target&);
    Step upload();
    Step download();
    bool send_body_piece(std::string_view head, std::string_view piece, bool end);
    Step read_response(char* bytes, std::size_t size);
    Step use_head(const http::ResponseHead&);
    Step body(char* bytes, std::size_t size, std::string_view head);
    Step end_of_stream(bool orderly);
    Step fail(telemetry::UpstreamError);
    Step stop(Forwarding::End);
    bool waiting_for_client() const;
    bool is_crawling() const;
    /// A wait for client or backend: until when, and what it means when it ends.
    struct Nap {
        TimePoint begun, due, deadline;
        bool on_client;
    };
    Nap plan_nap(Patience);
    bool woke(const Nap&, net::Wake);  ///< false: it is over

    const ForwardRequest& request_;
    Forwarded& job_;
    http::Stream& client_;
    Connection& connection_;
    BackendBudget& budget_;
    Forwarding result_{};
    http::BodyFraming response_{};
    std::string_view client_head_{};
    bool upload_done_;
    bool upload_failed_ = false;
    bool heard_ = false;
    bool head_done_ = false;
    bool clean_ = false;
    bool keep_alive_ = false;
    int interim_ = 0;
    Duration client_time_{0};  ///< spent waiting for the client
    TimePoint client_left_{TimePoint::max()};
};

}  // namespace sluice::upstream
