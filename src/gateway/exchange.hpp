// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "gateway/cache_rules.hpp"
#include "gateway/domains.hpp"
#include "gateway/header_rules.hpp"
#include "gateway/reply.hpp"
#include "gateway/router.hpp"
#include "gateway/sent_key.hpp"
#include "gateway/worker_context.hpp"
#include "http/handler.hpp"
#include "sluice/http/target.hpp"
#include "sluice/state/cache_store.hpp"
#include "sluice/state/limits.hpp"
#include "telemetry/trace_context.hpp"

namespace sluice {

namespace gateway {
struct Method;
class Observation;
struct PlanUse;
struct Snapshot;
struct Stage;
class StoragePolicy;
}  // namespace gateway

/// What a filter decided about a request.
enum class Verdict : std::uint8_t {
    pass,   ///< go on with the next filter
    reply,  ///< the answer is in the Exchange: skip the other filters and the integration
    wait,   ///< undecidable without I/O: ask again through `on_request_async`
};

enum class CacheStatus : std::uint8_t { none, hit, miss, bypass };

/// The trace that a request belongs to. Without `is_on` only `id` means something, once a backend
/// has been told it.
struct TraceContext {
    telemetry::TraceId id{};
    std::uint64_t span = 0;           ///< what the next one down sees as its parent
    std::uint64_t remote_parent = 0;  ///< of the caller; 0: none
    std::string_view state{};         ///< the caller's tracestate
    std::string_view amzn_rest{};     ///< further fields of the caller's X-Amzn-Trace-Id
    bool is_on = false;               ///< the stage traces
    bool sampled = false;             ///< this request is recorded
};

/// All that is known about one request and its response. Each field is written by one step and
/// read by later ones; it lives on the frame of Pipeline::serve.
struct Exchange {
    // An aggregate of this size would be zeroed as a whole, lists of parameters included.
    Exchange(http::Request& r, http::Stream& c, const gateway::Snapshot& s,
             gateway::WorkerContext& w, TimePoint start, WallTime day)
        : request{r}, client{c}, snapshot{s}, worker{w}, started{start}, wall{day} {}

    http::Request& request;
    http::Stream& client;
    const gateway::Snapshot& snapshot;
    gateway::WorkerContext& worker;

    TimePoint started;
    WallTime wall;
    Uuid id{};
    ExtendedId extended_id{};
    IpAddress source{};  ///< the client, behind proxies we trust
    bool trusted_peer = false;

    // routing
    http::NormalTarget target{};
    std::string target_scratch{};
    std::string host_scratch{};
    gateway::DomainTable::Found where{};
    gateway::PathParams params{};
    const gateway::Stage* stage = nullptr;
    const gateway::Method* method = nullptr;
    gateway::ConnectionTokens connection{};
    gateway::SentKey sent_key{};

    // api_key
    KeyFault key_fault = KeyFault::none;
    const gateway::PlanUse* plan_use = nullptr;  ///< of the caller's key
    std::string_view plan_id{};                  ///< of the plan that metered this request

    // limits
    std::optional<state::Level> refused_by{};
    std::chrono::nanoseconds retry_after{0};

    // cache
    CacheStatus cache = CacheStatus::none;
    std::uint64_t cache_key = 0;  ///< hash of the key that was looked up
    gateway::CacheUse cache_use = gateway::CacheUse::normal;
    bool cache_warning = false;  ///< the client's Cache-Control was ignored: say so (5.5)
    state::CachedPtr cached{};   ///< the answer, when it comes from the cache
    const gateway::StoragePolicy* caching = nullptr;  ///< set: the cache takes part
    Duration waited{};        ///< for the answer that another request got from the backend
    state::CacheFill fill{};  ///< set: this request's response may be stored

    // integration
    int integration_status = 0;
    std::optional<Duration> integration_latency{};
    std::string_view integration_error{};

    // answer
    TimePoint answered{};  ///< when it was handed over, where somebody looked at the clock then
    Reply reply_type = Reply::none;
    int counted_status = 0;  ///< what the counters say about this request so far
    std::uint8_t filters_run = 0;

    TraceContext trace{};
    /// Set when this request is written down, in the execution log or as a trace.
    gateway::Observation* observation = nullptr;

    Verdict reply(Reply type) {
        reply_type = type;
        return Verdict::reply;
    }
};

}  // namespace sluice
