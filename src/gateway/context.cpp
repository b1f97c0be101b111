// SPDX-License-Identifier: Apache-2.0
#include "gateway/context.hpp"

#include "gateway/snapshot.hpp"
#include "sluice/telemetry/access_record.hpp"

namespace sluice::gateway {
namespace {

std::string_view to_text(CacheStatus s) {
    switch (s) {
        case CacheStatus::hit:
            return "HIT";
        case CacheStatus::miss:
            return "MISS";
        case CacheStatus::bypass:
            return "BYPASS";
        case CacheStatus::none:
            break;
    }
    return {};
}

/// $context.path: the path as sent, stage or base path included (aws-semantics 15.3).
std::string_view path_as_sent(const Exchange& x) {
    const std::string_view form = x.request.head.origin_form;
    return form.substr(0, form.find('?'));
}

std::chrono::milliseconds to_ms(Duration d) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(d);
}

}  // namespace

void write_access_line(const Exchange& x, Duration latency) {
    const http::RequestHead& head = x.request.head;
    const Stage& stage = *x.stage;
    char source[IpAddress::kTextSize];
    telemetry::AccessRecord r;
    r.request_id = x.id.view();
    r.extended_request_id = x.extended_id.view();
    r.api_id = stage.api_id;
    r.stage = stage.name;
    r.resource_id = x.method->resource_id;
    r.resource_path = x.method->resource_path;
    r.http_method = head.method;
    r.path = path_as_sent(x);
    r.protocol = head.minor_version == 0 ? "HTTP/1.0" : "HTTP/1.1";
    r.domain_name = head.authority;
    r.source_ip = {source, x.source.write(source)};
    if (const auto* agent = head.fields.find(http::Field::user_agent)) r.user_agent = agent->value;
    if (x.plan_use != nullptr && stage.log_format->shows_api_key_id()) {
        r.api_key_id = x.plan_use->key_id();
    }
    if (x.method->needs_key) r.api_key = x.sent_key.value();
    if (x.reply_type != Reply::none) {
        const ReplyText& text = describe(x.reply_type, x.snapshot.compatibility);
        r.error_message = text.message;
        r.error_response_type = text.response_type;
    }
    r.integration_error = x.integration_error;
    r.cache_status = to_text(x.cache);
    if (x.refused_by) r.throttle_level = state::to_string(*x.refused_by);
    r.usage_plan_id = x.plan_id;
    r.base_path_matched = x.where.base_path;
    char root[telemetry::kRootSize];
    if (x.trace.id.is_set() && stage.log_format->shows_trace_id()) {
        telemetry::write_root(root, x.trace.id);
        r.trace_id = {root, sizeof root};
    }
    r.request_time = x.wall;
    r.status = x.client.response_started() ? x.client.status() : 499;
    r.response_length = x.client.response_body_bytes();
    r.response_latency = to_ms(latency);
    if (x.integration_status != 0) r.integration_status = x.integration_status;
    if (x.integration_latency) r.integration_latency = to_ms(*x.integration_latency);
    telemetry::AccessLogFile& file = *stage.log_file;
    stage.log_format->append(r, file.buffer(x.worker.index));
    file.filled(x.worker.index);
}

}  // namespace sluice::gateway
