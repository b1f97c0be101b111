// SPDX-License-Identifier: Apache-2.0
#include "gateway/request_trace.hpp"

#include <algorithm>

namespace sluice::gateway {
namespace {

using telemetry::Span;
using telemetry::TraceId;

constexpr std::size_t kMostTries = 16;  // spans of one request; resend_count tells of more

std::int64_t nanoseconds_now() {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
}

std::uint64_t new_span_id(Random& random) {
    for (;;) {
        if (const std::uint64_t id = random.next(); id != 0) return id;
    }
}

/// X-Ray wants the time in an id's first four bytes (aws-semantics 15.5).
TraceId new_trace_id(Exchange& x) {
    const auto seconds = static_cast<std::uint64_t>(
        std::chrono::floor<std::chrono::seconds>(x.wall).time_since_epoch().count());
    Random& random = x.worker.random;
    return {seconds << 32 | (random.next() & 0xffffffff), random.next() | 1};
}

bool trusts(const Exchange& x, config::TraceTrust trust) {
    switch (trust) {
        case config::TraceTrust::all:
            return true;
        case config::TraceTrust::trusted_proxies:
            return x.trusted_peer;
        case config::TraceTrust::none:
            break;
    }
    return false;
}

/// Low in number, as the conventions want methods to be.
std::string_view known_method(std::string_view method) {
    constexpr std::string_view kKnown[] = {"GET",     "HEAD",    "POST",  "PUT",  "DELETE",
                                           "CONNECT", "OPTIONS", "TRACE", "PATCH"};
    return std::find(std::begin(kKnown), std::end(kKnown), method) != std::end(kKnown) ? method
                                                                                       : "_OTHER";
}

void add_method(Span& span, std::string_view method) {
    span.add("http.request.method", known_method(method));
    if (known_method(method) != method) span.add("http.request.method_original", method);
}

/// server.address and server.port of "host:port", "[::1]:port" or "host".
void add_server(Span& span, std::string_view authority, std::uint16_t port) {
    const auto colon = authority.rfind(':');
    const bool has_port = colon != authority.npos && authority.find(']', colon) == authority.npos &&
                          (authority.starts_with('[') || authority.find(':') == colon);
    std::string_view host = authority.substr(0, has_port ? colon : authority.npos);
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    span.add("server.address", host);
    span.add("server.port", std::int64_t{port});
}

std::string_view cache_text(CacheStatus s) {
    switch (s) {
        case CacheStatus::hit:
            return "hit";
        case CacheStatus::miss:
            return "miss";
        case CacheStatus::bypass:
            return "bypass";
        case CacheStatus::none:
            break;
    }
    return {};
}

}  // namespace

bool join_trace(Exchange& x, const Tracing& tracing) {
    TraceContext& trace = x.trace;
    trace.is_on = true;
    std::optional<bool> caller;
    if (trusts(x, tracing.trust)) {
        const http::FieldList& fields = x.request.head.fields;
        std::optional<telemetry::RemoteContext> remote;
        if (const auto* sent = fields.find("traceparent")) {
            remote = telemetry::read_traceparent(sent->value);
            const auto* state = fields.find("tracestate");
            if (remote && state != nullptr && telemetry::is_tracestate(state->value)) {
                trace.state = state->value;
            }
        }
        if (const auto* sent = fields.find("X-Amzn-Trace-Id")) {
            if (const auto amzn = telemetry::read_amzn_trace(sent->value)) {
                trace.amzn_rest = amzn->rest;
                if (!remote && amzn->context.id.is_set()) remote = amzn->context;
            }
        }
        if (remote) {
            trace.id = remote->id;
            trace.remote_parent = remote->parent;
            caller = remote->sampled;
        }
    }
    if (!trace.id.is_set()) trace.id = new_trace_id(x);
    trace.sampled = tracing.sampler.decide(trace.id, caller, x.wall);
    trace.span = new_span_id(x.worker.random);
    return trace.sampled;
}

void write_trace_fields(ByteWriter& out, Exchange& x) {
    TraceContext& trace = x.trace;
    if (trace.is_on) {
        telemetry::write_traceparent(out, trace.id, trace.span, trace.sampled);
        if (!trace.state.empty()) out.field("tracestate", trace.state);
        telemetry::write_amzn_trace(out, trace.id, trace.span, trace.sampled, trace.amzn_rest);
        return;
    }
    // Not traced here: the caller's identity goes on; what is missing of AWS's is made up.
    const http::HeaderField* sent = x.request.head.fields.find("X-Amzn-Trace-Id");
    std::optional<telemetry::AmznTrace> amzn;
    if (sent != nullptr) amzn = telemetry::read_amzn_trace(sent->value);
    if (amzn && amzn->context.id.is_set()) trace.id = amzn->context.id;
    if (!trace.id.is_set()) trace.id = new_trace_id(x);
    if (amzn && amzn->is_complete) {
        out.field("X-Amzn-Trace-Id", sent->value);
        return;
    }
    if (trace.span == 0) trace.span = new_span_id(x.worker.random);
    const std::uint64_t named = amzn ? amzn->context.parent : 0;
    const bool sampled = amzn ? amzn->context.sampled.value_or(named != 0) : false;
    telemetry::write_amzn_trace(out, trace.id, named != 0 ? named : trace.span, sampled,
                                amzn ? amzn->rest : std::string_view{});
}

RequestTrace::RequestTrace(const Exchange& x, const Tracing& tracing) : tracing_{tracing} {
    server_.trace = x.trace.id;
    server_.id = x.trace.span;
    server_.parent = x.trace.remote_parent;
    server_.parent_is_remote = x.trace.remote_parent != 0;
    server_.kind = Span::Kind::server;
    server_.trace_state = x.trace.state;
    const auto passed = std::chrono::steady_clock::now() - x.started;
    server_.start =
        nanoseconds_now() - std::chrono::duration_cast<std::chrono::nanoseconds>(passed).count();
}

void RequestTrace::backend_called(std::string_view method, std::string_view path) {
    method_ = method;
    path_ = path.substr(0, path.find('?'));  // queries may hold secrets
}

void RequestTrace::try_began(Exchange& x, const upstream::Target& target) {
    if (tries_.size() == kMostTries) tries_.pop_back();
    Span& span = tries_.emplace_back();
    span.trace = server_.trace;
    span.id = new_span_id(x.worker.random);
    span.parent = server_.id;
    span.kind = Span::Kind::client;
    span.trace_state = server_.trace_state;
    span.name = known_method(method_) == method_ ? method_ : "HTTP";
    span.start = nanoseconds_now();
    add_method(span, method_);
    add_server(span, target.host, target.port);
    span.add("url.full", (target.tls ? "https://" : "http://") + target.authority + path_);
    span.add("network.protocol.version", "1.1");
    if (tries_made_ > 0) {
        span.add("http.request.resend_count", static_cast<std::int64_t>(tries_made_));
    }
    ++tries_made_;
    x.trace.span = span.id;
}

void RequestTrace::try_ended(Exchange& x, const upstream::Forwarding& result) {
    Span& span = tries_.back();
    span.end = nanoseconds_now();
    if (result.status != 0) span.add("http.response.status_code", std::int64_t{result.status});
    if (result.end == upstream::Forwarding::End::failed) {
        span.failed = true;
        span.add("error.type", telemetry::to_string(result.error));
    } else if (result.status >= 400) {
        span.failed = true;
        span.add("error.type", std::to_string(result.status));
    } else if (result.end == upstream::Forwarding::End::client_gone) {
        span.add("error.type", "client_gone");
        span.failed = true;
    }
    x.trace.span = server_.id;
}

void RequestTrace::finished(const Exchange& x) {
    server_.end = nanoseconds_now();
    add_identity(x);
    add_decisions(x);
    telemetry::SpanQueue& queue = tracing_.queue;
    const unsigned worker = x.worker.index;
    for (Span& span : tries_) {
        if (span.end == 0) span.end = server_.end;
        queue.add(worker, std::move(span));
    }
    queue.add(worker, std::move(server_));
}

/// What was asked, by whom.
void RequestTrace::add_identity(const Exchange& x) {
    const http::RequestHead& head = x.request.head;
    const std::string& route = x.method->resource_path;
    const std::string_view method = known_method(head.method);
    server_.name = method == "_OTHER" ? "HTTP" : method;
    if (!route.empty()) server_.name.append(" ").append(route);
    add_method(server_, head.method);
    server_.add("http.route", route);
    server_.add("url.path", head.origin_form.substr(0, head.origin_form.find('?')));
    server_.add("url.scheme", x.request.secure ? "https" : "http");
    add_server(server_, head.authority, x.request.listener_port);
    server_.add("client.address", x.source.to_string());
    server_.add("network.peer.address", x.request.peer.to_string());
    server_.add("network.protocol.version", head.minor_version == 0 ? "1.0" : "1.1");
    if (const auto* agent = head.fields.find(http::Field::user_agent)) {
        server_.add("user_agent.original", agent->value);
    }
    server_.add("aws.api_id", x.stage->api_id);
    server_.add("aws.api_stage", x.stage->name);
    server_.add("aws.request_id", x.id.view());
    server_.add("aws.extended_request_id", x.extended_id.view());
}

/// What became of it, and why.
void RequestTrace::add_decisions(const Exchange& x) {
    if (x.plan_use != nullptr) server_.add("sluice.api_key.id", x.plan_use->key_id());
    server_.add("sluice.usage_plan.id", x.plan_id);
    server_.add("sluice.cache.status", cache_text(x.cache));
    if (x.refused_by) server_.add("sluice.throttle.level", state::to_string(*x.refused_by));
    if (x.reply_type != Reply::none) {
        server_.add("sluice.reply", describe(x.reply_type, x.snapshot.compatibility).response_type);
    }
    const bool answered = x.client.response_started();
    const int status = answered ? x.client.status() : 499;
    if (answered) server_.add("http.response.status_code", std::int64_t{status});
    const bool broken_off = answered && !x.client.response_complete();
    server_.failed = status >= 500 || (broken_off && !x.integration_error.empty());
    if (!x.integration_error.empty()) {
        server_.add("error.type", x.integration_error);
    } else if (status >= 500) {
        server_.add("error.type", std::to_string(status));
    } else if (!x.client.response_complete()) {
        server_.add("error.type", "client_gone");
    }
}

}  // namespace sluice::gateway
