// SPDX-License-Identifier: Apache-2.0
//
// One request to one backend: target choice, attempts, and bodies streamed both ways at once.
#pragma once

#include "http/stream.hpp"
#include "sluice/base/byte_writer.hpp"
#include "sluice/base/task.hpp"
#include "upstream/connect.hpp"
#include "upstream/pool.hpp"

namespace sluice::upstream {

/// What the forwarder asks of the integration that uses it.
class Forwarded {
public:
    /// Writes the request head for this target. `framing` says how the body will be sent. False:
    /// it cannot be written without changing what the client asked for.
    virtual bool write_request_head(ByteWriter&, const Target&, http::Framing framing,
                                    std::uint64_t length) = 0;
    /// The final response head has come: starts the client's response and writes its head. False:
    /// the head is not acceptable, and nothing was started.
    virtual bool on_response_head(const http::ResponseHead&, http::Framing body,
                                  std::uint64_t length, ByteWriter& client_head) = 0;
    virtual void on_response_body(std::string_view) {}

protected:
    ~Forwarded() = default;
};

struct Forwarding;

/// Hears how the backend was asked; for logs and traces. On the worker's thread.
class TryObserver {
public:
    /// One connection to one target is about to be used or made.
    virtual void try_began(const Target&) = 0;
    virtual void try_ended(const Forwarding&) = 0;
    /// A piece of the request's body, on its way to the backend.
    virtual void request_body(std::string_view) = 0;

protected:
    ~TryObserver() = default;
};

struct ForwardRequest {
    const Backend& backend;
    http::Framing framing = http::Framing::none;
    std::uint64_t content_length = 0;
    bool is_head = false;
    /// GET, HEAD, OPTIONS without a body: may be tried again on a stale pooled connection.
    bool may_repeat = false;
    std::chrono::milliseconds timeout{29'000};
    TryObserver* observer = nullptr;  ///< null: nobody listens
};

struct Forwarding {
    enum class End : std::uint8_t {
        complete,  ///< the whole response was handed to the stream
        failed,    ///< `error` says why; the stream is aborted when it had started
        client_gone,
        client_timeout,  ///< the client stopped sending its body
        body_malformed,
        body_too_large,
    };
    End end = End::complete;
    telemetry::UpstreamError error = telemetry::UpstreamError::count_;
    int status = 0;  ///< of the backend's response, 0 = none
    TimePoint ended{};
    Duration latency{0};
};

/// The forwarding half of one worker.
class Forwarder {
public:
    Forwarder(net::Reactor& reactor, Pool& pool, unsigned worker)
        : reactor_{reactor}, pool_{pool}, worker_{worker} {}

    /// `client_patience`: how long the client may pause while its body is read or the response
    /// written. What the client takes does not count against `timeout` (contract 10).
    Task<Forwarding> forward(const ForwardRequest&, Forwarded&, http::Stream&,
                             std::chrono::seconds body_idle, std::chrono::seconds write_idle);

    net::Reactor& reactor() { return reactor_; }
    unsigned worker() const { return worker_; }

private:
    struct Attempt;
    const Target* choose(const Backend&, std::size_t turn, std::uint64_t tried) const;

    net::Reactor& reactor_;
    Pool& pool_;
    unsigned worker_;
};

}  // namespace sluice::upstream
