// SPDX-License-Identifier: Apache-2.0
#include "integrations/proxied_request.hpp"

#include "base/put.hpp"
#include "gateway/counting.hpp"
#include "gateway/field_run.hpp"
#include "gateway/observation.hpp"
#include "gateway/response.hpp"
#include "gateway/snapshot.hpp"

namespace sluice::integrations {
namespace {

using config::Compatibility;
using gateway::Fate;
using http::Field;
using http::Framing;

/// More than the gateway's own field lines take, without the texts of any length in them.
constexpr std::size_t kForwardingSize = 256;

bool wants_length_zero(std::string_view method) {
    return method == "POST" || method == "PUT" || method == "PATCH";  // RFC 9110 8.6
}

/// Written afresh when the stage traces.
bool is_trace_field(std::string_view name) {
    return http::iequals(name, "traceparent") || http::iequals(name, "tracestate");
}

}  // namespace

std::string_view ProxiedRequest::method() const {
    const std::string& fixed = proxy_.settings_.http_method;
    return fixed.empty() ? x_.request.head.method : std::string_view{fixed};
}

bool ProxiedRequest::write_target(ByteWriter& out) const {
    out.reserve(proxy_.uri_.bound(x_.params, x_.target.query));
    const char* end = proxy_.uri_.write(out.end(), x_.params, x_.target.has_query, x_.target.query);
    if (end == nullptr) return false;
    out.advance_to(end);
    return true;
}

bool ProxiedRequest::write_request_head(ByteWriter& out, const upstream::Target& target,
                                        Framing framing, std::uint64_t length) {
    const http::RequestHead& head = x_.request.head;
    out.text(method()).text(" ");
    if (!write_target(out)) return false;
    out.text(" HTTP/1.1\r\n");
    const bool keep_host = proxy_.backend_->preserve_host && !head.authority.empty();
    out.field("Host", keep_host ? head.authority : std::string_view{target.authority});

    const gateway::RequestRules rules{.compatibility = x_.snapshot.compatibility,
                                      .pass_underscores = x_.snapshot.pass_underscores,
                                      .trusted_peer = x_.trusted_peer};
    const bool traces = x_.trace.is_on;
    bool has_agent = false;
    bool has_accept = false;
    gateway::FieldRun lines{out};
    for (const http::HeaderField& field : head.fields.all()) {
        if (gateway::towards_backend(field, rules, x_.connection) != Fate::pass) continue;
        if (traces && is_trace_field(field.name)) continue;
        if (field.id == Field::user_agent) has_agent = true;
        if (field.id == Field::accept) has_accept = true;
        lines.add(field);
    }
    lines.flush();
    if (rules.compatibility == Compatibility::aws) {  // aws-semantics 7.4
        if (!has_accept) out.text("Accept: */*\r\n");
        if (!has_agent) {
            out.text("User-Agent: AmazonAPIGateway_").text(proxy_.settings_.api_id).text("\r\n");
        }
    }
    write_forwarding_fields(out);
    if (framing == Framing::length) out.text("Content-Length: ").number(length).text("\r\n");
    if (framing == Framing::chunked) out.text("Transfer-Encoding: chunked\r\n");
    if (framing == Framing::none && wants_length_zero(method())) {
        out.text("Content-Length: 0\r\n");
    }
    out.text("\r\n");
    if (x_.observation != nullptr) x_.observation->backend_request(out.view());
    return true;
}

void ProxiedRequest::write_forwarding_fields(ByteWriter& out) const {
    const http::RequestHead& head = x_.request.head;
    out.text("X-Forwarded-For: ");
    if (x_.trusted_peer) {
        for (const http::HeaderField& field : head.fields.all()) {
            if (!http::iequals(field.name, "X-Forwarded-For")) continue;
            out.text(field.value).text(", ");
        }
    }
    out.reserve(kForwardingSize + head.authority.size());
    char* at = x_.request.peer.write(out.end());
    at = put(at, "\r\nX-Forwarded-Proto: http");
    if (is_https()) *at++ = 's';
    at = put(at, "\r\nX-Forwarded-Port: ");
    at = put_number(at, x_.request.listener_port);
    if (x_.snapshot.compatibility == Compatibility::standard && !head.authority.empty()) {
        at = put(at, "\r\nX-Forwarded-Host: ");
        at = put(at, head.authority);
    }
    out.advance_to(put(at, "\r\n"));
    gateway::write_trace_fields(out, x_);
    write_ids(out);
}

/// As the client sees it: a proxy that we trust knows better.
bool ProxiedRequest::is_https() const {
    const http::HeaderField* sent = nullptr;
    if (x_.trusted_peer) sent = x_.request.head.fields.find("X-Forwarded-Proto");
    if (sent == nullptr || (sent->value != "http" && sent->value != "https")) {
        return x_.request.secure;
    }
    return sent->value == "https";
}

void ProxiedRequest::write_ids(ByteWriter& out) const {
    const std::string_view api_id = proxy_.settings_.api_id;
    out.reserve(kForwardingSize + api_id.size());
    char* at = put(out.end(), "X-Amzn-Apigateway-Api-Id: ");
    at = put(at, api_id);
    at = put(at, "\r\nx-amzn-RequestId: ");
    at = put(at, x_.id.view());
    out.advance_to(put(at, "\r\n"));
}

bool ProxiedRequest::on_response_head(const http::ResponseHead& head, Framing body,
                                      std::uint64_t length, ByteWriter& out) {
    const gateway::ConnectionTokens nominated = gateway::connection_tokens(head.fields);
    if (nominated.malformed) return false;
    http::Stream& client = x_.client;
    status_ = head.status;
    if (x_.observation != nullptr) x_.observation->backend_response(head);
    plan_storage(head);
    gateway::write_status_line(out, head.status, head.reason);
    write_fields_for_client(head, nominated, out);

    const bool empty = client.is_head() || !http::may_have_body(head.status);
    Framing framing = body;
    if (body == Framing::until_close || body == Framing::chunked) {
        framing = client.minor_version() == 0 ? Framing::until_close : Framing::chunked;
        if (framing == Framing::until_close && !empty) client.close_after();
    }
    client.start_response(head.status, empty ? Framing::none : framing);
    // A bodiless answer tells on the length the backend told, and never a coding.
    Framing written = framing;
    if (empty && framing != Framing::length) written = Framing::none;
    if (head.status == 204) written = Framing::none;
    if (x_.cache_warning) out.field("Warning", gateway::kIgnoredWarning);
    gateway::end_head(out, x_, written, length);
    gateway::count_response(x_, head.status);
    return true;
}

void ProxiedRequest::write_fields_for_client(const http::ResponseHead& head,
                                             const gateway::ConnectionTokens& nominated,
                                             ByteWriter& out) {
    const Compatibility compatibility = x_.snapshot.compatibility;
    bool has_type = false;
    bool has_date = false;
    gateway::FieldRun lines{out};
    for (const http::HeaderField& field : head.fields.all()) {
        const Fate fate = gateway::towards_client(field, compatibility, nominated);
        if (fate == Fate::drop) continue;
        if (fate == Fate::remap) {
            lines.flush();
            out.text(gateway::kRemapPrefix);
        }
        lines.add(field);
        if (field.id == Field::content_type) has_type = true;
        if (field.id == Field::date && fate == Fate::pass) has_date = true;
        if (storage_.store && gateway::is_stored_field(field)) store_field(field, fate);
    }
    lines.flush();
    if (compatibility == Compatibility::aws) {
        if (!has_type) {
            out.text("Content-Type: application/json\r\n");
            if (storage_.store) stored_fields_.append("Content-Type: application/json\r\n");
        }
        if (!has_date) gateway::write_date(out, x_.wall);
    }
}

void ProxiedRequest::store_field(const http::HeaderField& field, Fate fate) {
    if (fate == Fate::remap) stored_fields_.append(gateway::kRemapPrefix);
    stored_fields_.append(field.name).append(": ").append(field.value).append("\r\n");
}

void ProxiedRequest::plan_storage(const http::ResponseHead& head) {
    if (!x_.fill) return;
    storage_ = gateway::may_store(head, x_.caching->key(), x_.cache_use, x_.caching->ttl(), x_.wall,
                                  x_.snapshot.compatibility);
    if (!storage_.store) {
        x_.fill.abandon();
        return;
    }
    stored_fields_.clear();
    if (x_.client.is_head() && head.framing == Framing::length) {
        stored_fields_ = "Content-Length: " + std::to_string(head.content_length) + "\r\n";
    }
}

void ProxiedRequest::on_response_body(std::string_view piece) {
    if (x_.fill) x_.fill.append(piece);
    if (x_.observation != nullptr) x_.observation->response_body(piece);
}

void ProxiedRequest::finish() {
    if (!x_.fill || !storage_.store) return;
    const TimePoint now = x_.worker.reactor.now();
    x_.fill.commit(status_, std::move(stored_fields_), now, now + storage_.fresh_for,
                   storage_.initial_age);
}

}  // namespace sluice::integrations
