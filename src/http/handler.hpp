// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "http/stream.hpp"
#include "sluice/base/ip_address.hpp"
#include "sluice/base/task.hpp"
#include "sluice/config/model.hpp"
#include "sluice/http/head.hpp"
#include "sluice/telemetry/metrics.hpp"

namespace sluice::http {

/// A request whose head has been read and found unambiguous.
struct Request {
    RequestHead head{};
    Buffer bytes{};  ///< what the views of `head` point into
    IpAddress peer{};
    std::uint16_t listener_port = 0;
    bool secure = false;
    TimePoint received{};  ///< when the head was complete
};

/// What a session may take from the configuration; read anew for every request.
struct SessionSettings {
    HeadLimits head{};
    std::uint64_t body_bytes = 10'485'760;
    config::Timeouts timeouts{};
};

/// What a server calls: the gateway implements it, tests may too.
class Handler {
public:
    /// Valid until the caller suspends: a reload may replace them.
    virtual const SessionSettings& settings() const = 0;
    /// Answers one request through the stream: completely, or stream.abort().
    virtual Task<void> serve(Request&, Stream&) = 0;
    /// Answers bytes that are not a request (robustness 1.1); the session closes afterwards.
    virtual void refuse(int status, std::string_view reason, Stream&) = 0;
    virtual telemetry::WorkerCells& cells() = 0;

protected:
    ~Handler() = default;
};

}  // namespace sluice::http
