// SPDX-License-Identifier: Apache-2.0
#include "integrations/proxied_request.hpp"

#include <charconv>

#include "gateway/counting.hpp"
#include "gateway/response.hpp"
#include "gateway/snapshot.hpp"

namespace sluice::integrations {
namespace {

using config::Compatibility;
using gateway::Fate;
using http::Field;
using http::Framing;

bool wants_length_zero(std::string_view method) {
    return method == "POST" || method == "PUT" || method == "PATCH";  // RFC 9110 8.6
}

/// Root=1-<seconds>-<random>, unless the client brought a trace of its own.
void write_trace_id(ByteWriter& out, const Exchange& x) {
    const http::HeaderField* sent = x.request.head.fields.find("X-Amzn-Trace-Id");
    if (sent != nullptr && sent->value.starts_with("Root=") && sent->value.size() <= 256) {
        out.field("X-Amzn-Trace-Id", sent->value);
        return;
    }
    char text[] = "Root=1-00000000-000000000000000000000000";
    const auto seconds = std::chrono::floor<std::chrono::seconds>(x.wall).time_since_epoch();
    write_hex(text + 7, static_cast<std::uint64_t>(seconds.count()), 8);
    write_hex(text + 16, x.worker.random.next(), 12);
    write_hex(text + 28, x.worker.random.next(), 12);
    out.field("X-Amzn-Trace-Id", {text, sizeof text - 1});
}

}  // namespace

std::string_view ProxiedRequest::method() const {
    const std::string& fixed = proxy_.settings_.http_method;
    return fixed.empty() ? x_.request.head.method : std::string_view{fixed};
}

bool ProxiedRequest::write_request_head(ByteWriter& out, const upstream::Target& target,
                                        Framing framing, std::uint64_t length) {
    const http::RequestHead& head = x_.request.head;
    out.text(method()).text(" ");
    out.reserve(proxy_.uri_.bound(x_.params, x_.target.query));
    const char* end = proxy_.uri_.write(out.end(), x_.params, x_.target.has_query, x_.target.query);
    if (end == nullptr) return false;
    out.advance_to(end);
    out.text(" HTTP/1.1\r\n");
    const bool keep_host = proxy_.backend_->preserve_host && !head.authority.empty();
    out.field("Host", keep_host ? head.authority : std::string_view{target.authority});

    const gateway::RequestRules rules{.compatibility = x_.snapshot.compatibility,
                                      .pass_underscores = x_.snapshot.pass_underscores,
                                      .trusted_peer = x_.trusted_peer};
    bool has_agent = false;
    bool has_accept = false;
    for (const http::HeaderField& field : head.fields.all()) {
        if (gateway::towards_backend(field, rules, x_.connection) != Fate::pass) continue;
        if (field.id == Field::user_agent) has_agent = true;
        if (field.id == Field::accept) has_accept = true;
        out.field(field.name, field.value);
    }
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
    out.text(x_.request.peer.to_string()).text("\r\n");
    std::string_view proto = x_.request.secure ? "https" : "http";
    const http::HeaderField* sent = nullptr;
    if (x_.trusted_peer) sent = head.fields.find("X-Forwarded-Proto");
    if (sent != nullptr && (sent->value == "http" || sent->value == "https")) proto = sent->value;
    out.field("X-Forwarded-Proto", proto);
    out.text("X-Forwarded-Port: ").number(x_.request.listener_port).text("\r\n");
    if (x_.snapshot.compatibility == Compatibility::standard && !head.authority.empty()) {
        out.field("X-Forwarded-Host", head.authority);
    }
    write_trace_id(out, x_);
    out.field("X-Amzn-Apigateway-Api-Id", proxy_.settings_.api_id);
    out.field("x-amzn-RequestId", x_.id.view());
}

bool ProxiedRequest::on_response_head(const http::ResponseHead& head, Framing body,
                                      std::uint64_t length, ByteWriter& out) {
    const gateway::ConnectionTokens nominated = gateway::connection_tokens(head.fields);
    if (nominated.malformed) return false;
    http::Stream& client = x_.client;
    status_ = head.status;
    plan_storage(head);
    gateway::write_status_line(out, head.status, head.reason);
    write_fields_for_client(head, nominated, out);

    const bool empty = client.is_head() || head.status == 204 || head.status == 304;
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
    for (const http::HeaderField& field : head.fields.all()) {
        const Fate fate = gateway::towards_client(field, compatibility, nominated);
        if (fate == Fate::drop) continue;
        const std::size_t start = out.size();
        if (fate == Fate::remap) out.text(gateway::kRemapPrefix);
        out.field(field.name, field.value);
        if (field.id == Field::content_type) has_type = true;
        if (field.id == Field::date && fate == Fate::pass) has_date = true;
        if (storage_.store && gateway::is_stored_field(field)) {
            stored_fields_.append(out.view().substr(start));
        }
    }
    if (compatibility == Compatibility::aws) {
        if (!has_type) {
            out.text("Content-Type: application/json\r\n");
            if (storage_.store) stored_fields_.append("Content-Type: application/json\r\n");
        }
        if (!has_date) gateway::write_date(out, x_.wall);
    }
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
}

void ProxiedRequest::finish() {
    if (!x_.fill || !storage_.store) return;
    const TimePoint now = x_.worker.reactor.now();
    x_.fill.commit(status_, std::move(stored_fields_), now, now + storage_.fresh_for,
                   storage_.initial_age);
}

}  // namespace sluice::integrations
