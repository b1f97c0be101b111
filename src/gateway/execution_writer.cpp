// SPDX-License-Identifier: Apache-2.0
#include "gateway/execution_writer.hpp"

#include <cstdio>

#include "gateway/execution_maps.hpp"
#include "telemetry/execution_lines.hpp"

namespace sluice::gateway {
namespace {

using telemetry::MapText;

std::string_view sent_key(const http::FieldList& fields) {
    const http::HeaderField* field = fields.find("x-api-key");
    return field == nullptr ? std::string_view{} : field->value;
}

/// "5.00", as AWS writes rates.
std::string rate_text(double rate) {
    char text[64];
    const int size = std::snprintf(text, sizeof text, "%.2f", rate);
    return {text, static_cast<std::size_t>(size)};
}

std::string_view period_text(state::Period period) {
    switch (period) {
        case state::Period::day:
            return "DAY";
        case state::Period::week:
            return "WEEK";
        case state::Period::month:
            return "MONTH";
    }
    return {};
}

std::string_view fault_text(KeyFault fault) {
    switch (fault) {
        case KeyFault::missing:
            return "the request has none";
        case KeyFault::repeated:
            return "the request has several";
        case KeyFault::unknown:
            return "no such key";
        case KeyFault::disabled:
            return "the key is disabled";
        case KeyFault::no_plan:
            return "none of its usage plans covers this API stage";
        case KeyFault::none:
            break;
    }
    return {};
}

/// Writes the lines of one request.
class Writer {
public:
    Writer(const ExecutionNotes& notes, const Watch& watch, const Exchange& x, std::string& out)
        : notes_{notes},
          watch_{watch},
          x_{x},
          out_{out, x.id.view(), watch.timestamps},
          key_{telemetry::masked(sent_key(x.request.head.fields))},
          api_stage_{x.stage->api_id + '/' + x.stage->name} {}

    void write() {
        const bool everything = says_everything(watch_);
        out_.at(x_.wall);
        if (everything) usage_plan();
        refusal();
        if (everything && is_admitted()) {
            request();
            cache();
            backend();
        }
        out_.at(wall_now());
        failure();
        if (everything) response();
        if (everything || has_failed(x_)) out_.line("Method completed with status: ", status());
    }

private:
    bool is_admitted() const {
        switch (x_.reply_type) {
            case Reply::invalid_api_key:
            case Reply::throttled:
            case Reply::quota_exceeded:
                return false;
            default:
                return x_.method->resource_path.size() != 0;
        }
    }
    int status() const { return x_.client.response_started() ? x_.client.status() : 499; }
    std::string method_name() const {
        return '\'' + x_.method->http_method + ' ' + x_.method->resource_path + '\'';
    }

    void usage_plan() {
        out_.line("Extended Request Id: ", x_.extended_id.view());
        if (x_.method->resource_path.empty()) return;
        out_.line("Verifying Usage Plan for request: ", x_.id.view(), ". API Key: ", key_,
                  " API Stage: ", api_stage_);
        if (!is_admitted()) return;
        if (!x_.method->needs_key) {
            out_.line("API Key ", key_, " authorized because method ", method_name(),
                      " does not require API Key. Request will not contribute to throttle or "
                      "quota limits");
        }
        out_.line("Usage Plan check succeeded for API Key ", key_, " and API Stage ", api_stage_);
    }

    void refusal() {
        switch (x_.reply_type) {
            case Reply::invalid_api_key:
                out_.line("API Key ", key_, " not authorized because method ", method_name(),
                          " requires API Key and API Key is not associated with a Usage Plan for "
                          "API Stage ",
                          api_stage_, ": No Usage Plan found for key and API Stage");
                out_.line("API Key check failed: ", fault_text(x_.key_fault));
                break;
            case Reply::throttled:
                throttle();
                break;
            case Reply::quota_exceeded:
                quota();
                break;
            default:
                break;
        }
    }

    /// "API Key ****abcdef", or for plans that meter addresses whose they are.
    std::string caller() const {
        if (x_.plan_use != nullptr || x_.plan_id.empty()) return "API Key " + key_;
        return "Source IP " + x_.source.to_string();
    }
    const Plan* plan() const {
        if (x_.plan_use != nullptr) return x_.plan_use->plan;
        const auto& plans = x_.stage->source_plans;
        return plans.size() == 1 ? plans.front() : nullptr;
    }

    /// aws-semantics 3.5
    void throttle() {
        const Plan* const by = plan();
        std::string where = ", RestApi " + x_.stage->api_id + ", Stage " + x_.stage->name +
                            ", Resource " + x_.method->resource_id + ", HttpMethod " +
                            x_.method->http_method + '.';
        const std::string of_plan = " for Usage Plan ID " + std::string{x_.plan_id} + where;
        const std::string of_stage = " for RestApi" + where.substr(9);
        switch (*x_.refused_by) {
            case state::Level::plan_method: {
                const auto* limit = by != nullptr ? by->limit_of(*x_.method) : nullptr;
                return throttle(of_plan, limit != nullptr ? &limit->shape : nullptr);
            }
            case state::Level::plan:
                return throttle(of_plan, by != nullptr && by->shape ? &*by->shape : nullptr);
            case state::Level::source_ip:
                return throttle(of_plan, by != nullptr && by->shape ? &*by->shape : nullptr);
            case state::Level::stage_method:
                return throttle(of_stage, watch_.stage_limit ? &*watch_.stage_limit : nullptr);
            case state::Level::account:
                return throttle(" for the account.",
                                x_.snapshot.account ? &x_.snapshot.account->shape : nullptr);
        }
    }
    void throttle(const std::string& of, const state::BucketShape* limit) {
        std::string numbers;
        if (limit != nullptr) {
            numbers =
                " Limit: " + rate_text(limit->rate()) + " Burst: " + std::to_string(limit->burst());
        }
        out_.line(caller(), " exceeded throttle limit for API Stage ", api_stage_,
                  ": Key throttle limit exceeded", of, numbers);
    }

    /// aws-semantics 4.3
    void quota() {
        const Plan* const by = plan();
        std::string numbers;
        if (by != nullptr) {
            numbers = ". Limit: " + std::to_string(by->quota.limit) + " Period: ";
            numbers += period_text(by->quota.period);
        }
        out_.line(caller(), " exceeded quota limit for API Stage ", api_stage_,
                  ": Key quota exhausted for Usage Plan ID ", x_.plan_id, numbers);
    }

    void request() {
        if (x_.trace.is_on) {
            char root[telemetry::kRootSize];
            telemetry::write_root(root, x_.trace.id);
            out_.line("X-ray Tracing ID : ", std::string_view{root, sizeof root});
        }
        out_.line("Starting execution for request: ", x_.id.view());
        const std::string_view path = x_.where.path.empty() ? "/" : x_.where.path;
        out_.line("HTTP Method: ", x_.request.head.method, ", Resource Path: ", path);
        MapText parameters;
        for (const PathParam& p : x_.params.all())
            parameters.add(p.name, percent_decoded(p.value, false));
        out_.map("Method request path: ", parameters.view());
        out_.map("Method request query string: ", query_map(x_.target.query));
        if (!watch_.data_trace) return;
        out_.map("Method request headers: ", fields_map(x_.request.head.fields));
        out_.line("Method request body before transformations: ", notes_.request_body);
    }
    void cache() {
        out_.at(notes_.filtered_at);
        char hash[16];
        write_hex(hash, x_.cache_key, 16);
        const std::string_view key{hash, sizeof hash};
        switch (x_.cache) {
            case CacheStatus::hit:
                return out_.line("Cache hit for key ", key);
            case CacheStatus::miss:
                return out_.line("Cache miss for key ", key);
            case CacheStatus::bypass:
                return out_.line("Cache bypassed");
            case CacheStatus::none:
                return;
        }
    }

    void backend() {
        for (const ExecutionNotes::Try& one : notes_.tries) {
            const bool last = &one == &notes_.tries.back();
            out_.at(one.at);
            out_.line("Endpoint request URI: ", one.url);
            if (last && watch_.data_trace) {
                out_.map("Endpoint request headers: ", head_map(notes_.request_head));
                out_.line("Endpoint request body after transformations: ", notes_.request_body);
            }
            out_.line("Sending request to ", one.url);
            if (!one.error.empty()) out_.line("Endpoint ", one.url, " failed: ", one.error);
        }
        if (x_.integration_status != 0) received();
    }
    void received() {
        out_.at(notes_.answered_at);
        const auto latency = x_.integration_latency.value_or(Duration{0});
        out_.line("Received response. Status: ", std::int64_t{x_.integration_status},
                  ", Integration latency: ",
                  std::chrono::duration_cast<std::chrono::milliseconds>(latency).count(), " ms");
        if (!watch_.data_trace) return;
        out_.map("Endpoint response headers: ", notes_.backend_fields);
        if (x_.reply_type != Reply::none) return;  // the body is another one
        out_.line("Endpoint response body before transformations: ", notes_.response_body);
    }

    /// aws-semantics 7.6; what the gateway answers in its own name.
    void failure() {
        if (x_.integration_status >= 500 && !says_everything(watch_)) received();
        if (x_.reply_type == Reply::none) {
            if (!x_.client.response_complete()) {
                out_.line(
                    "Execution failed due to a client error: the client left before the "
                    "response was complete");
            }
            return;
        }
        const ReplyText& text = describe(x_.reply_type, x_.snapshot.compatibility);
        switch (x_.reply_type) {
            case Reply::invalid_api_key:
            case Reply::throttled:
            case Reply::quota_exceeded:
                break;
            case Reply::integration_timeout:
                out_.line("Execution failed due to a timeout error");
                break;
            case Reply::integration_failure:
                out_.line("Execution failed due to a network error communicating with endpoint");
                break;
            case Reply::api_configuration_error:
            case Reply::service_unavailable:
                out_.line("Execution failed due to configuration error: Invalid endpoint address");
                break;
            case Reply::internal_error:
                out_.line("Execution failed due to an internal error");
                break;
            case Reply::missing_authentication_token:
                out_.line("Execution failed due to a request error: no method ",
                          x_.request.head.method, " ", x_.where.path.empty() ? "/" : x_.where.path);
                break;
            default:
                out_.line("Execution failed due to a request error: ", text.message);
        }
        if (!x_.integration_error.empty() && !says_everything(watch_)) {
            for (const ExecutionNotes::Try& one : notes_.tries) {
                if (!one.error.empty()) out_.line("Endpoint ", one.url, " failed: ", one.error);
            }
        }
        if (!text.response_type.empty()) {
            out_.line("Gateway response type: ", text.response_type,
                      " with status code: ", std::int64_t{text.status});
        }
    }

    void response() {
        if (watch_.data_trace) {
            out_.line("Method response body after transformations: ", notes_.response_body);
            out_.map("Method response headers: ", head_map(notes_.response_head));
        }
        if (x_.reply_type == Reply::none && x_.client.response_complete()) {
            out_.line("Successfully completed execution");
        }
    }

    const ExecutionNotes& notes_;
    const Watch& watch_;
    const Exchange& x_;
    telemetry::ExecutionLines out_;
    std::string key_;
    std::string api_stage_;
};

}  // namespace

bool has_failed(const Exchange& x) {
    return x.reply_type != Reply::none || !x.client.response_complete() ||
           x.integration_status >= 500;
}

void write_execution_lines(const ExecutionNotes& notes, const Watch& watch, const Exchange& x,
                           std::string& out) {
    Writer{notes, watch, x, out}.write();
}

}  // namespace sluice::gateway
