// SPDX-License-Identifier: Apache-2.0
#include "gateway/execution_log.hpp"

#include <cstdio>

#include "telemetry/execution_lines.hpp"

namespace sluice::gateway {
namespace {

using config::LoggingLevel;
using telemetry::MapText;

/// More of a head or a body is never shown.
constexpr std::size_t kMostKept = 2 * telemetry::kLongestExecutionText;
constexpr std::size_t kMostTries = 16;  // of the targets tried, so many are named

void keep(std::string& kept, std::string_view piece) {
    if (kept.size() < kMostKept) kept.append(piece.substr(0, kMostKept - kept.size()));
}

/// Fields whose values are shown like keys: only their ends, even with data trace.
bool is_secret(std::string_view name) {
    return http::iequals(name, "x-api-key") || http::iequals(name, "authorization") ||
           http::iequals(name, "proxy-authorization");
}

void add_field(MapText& map, std::string_view name, std::string_view value) {
    if (is_secret(name)) {
        map.add(name, telemetry::masked(value));
    } else {
        map.add(name, value);
    }
}

std::string fields_map(const http::FieldList& fields) {
    MapText map;
    for (const http::HeaderField& field : fields.all())
        add_field(map, field.name, field.value);
    return std::string{map.view()};
}

/// The fields of a head that has been written: what stands behind its first line.
std::string head_map(std::string_view head) {
    MapText map;
    for (auto end = head.find("\r\n"); end != head.npos; end = head.find("\r\n")) {
        head.remove_prefix(end + 2);
        const std::string_view line = head.substr(0, head.find("\r\n"));
        const auto colon = line.find(": ");
        if (colon == line.npos) continue;
        add_field(map, line.substr(0, colon), line.substr(colon + 2));
    }
    return std::string{map.view()};
}

int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    const char lower = static_cast<char>(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/// "%41+b" is "A b"; what is no escape stays.
std::string decoded(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size() && out.size() < kMostKept; ++i) {
        const int high = text[i] == '%' && i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
        const int low = high >= 0 ? hex_digit(text[i + 2]) : -1;
        if (low >= 0) {
            out += static_cast<char>(high << 4 | low);
            i += 2;
        } else {
            out += text[i] == '+' ? ' ' : text[i];
        }
    }
    return out;
}

std::string query_map(std::string_view query) {
    MapText map;
    while (!query.empty() && !map.is_full()) {
        const std::string_view pair = query.substr(0, query.find('&'));
        query.remove_prefix(std::min(query.size(), pair.size() + 1));
        if (pair.empty()) continue;
        const auto equals = std::min(pair.find('='), pair.size());
        map.add(decoded(pair.substr(0, equals)),
                decoded(pair.substr(std::min(pair.size(), equals + 1))));
    }
    return std::string{map.view()};
}

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

}  // namespace

void ExecutionLog::filtered() { filtered_at_ = wall_now(); }

void ExecutionLog::backend_called(std::string_view path) { keep(path_, path); }

void ExecutionLog::try_began(const upstream::Target& target) {
    ++tries_made_;
    if (tries_.size() == kMostTries) tries_.pop_back();
    Try& one = tries_.emplace_back();
    one.url = (target.tls ? "https://" : "http://") + target.authority + path_;
    one.at = wall_now();
    request_head_.clear();
    request_body_.clear();
}

void ExecutionLog::backend_request(std::string_view head) {
    if (watch_.data_trace) keep(request_head_, head);
}

void ExecutionLog::request_body(std::string_view piece) {
    if (watch_.data_trace) keep(request_body_, piece);
}

void ExecutionLog::backend_response(const http::ResponseHead& head) {
    if (watch_.data_trace) backend_fields_ = fields_map(head.fields);
    response_body_.clear();
    answered_at_ = wall_now();
}

void ExecutionLog::try_ended(const upstream::Forwarding& result) {
    if (result.end == upstream::Forwarding::End::failed) {
        tries_.back().error = telemetry::to_string(result.error);
    }
}

void ExecutionLog::response_head(std::string_view head) {
    if (!watch_.data_trace) return;
    response_head_.clear();
    keep(response_head_, head);
    response_body_.clear();
}

void ExecutionLog::response_body(std::string_view piece) {
    if (watch_.data_trace) keep(response_body_, piece);
}

/// Writes the lines of one request.
class ExecutionLog::Writer {
public:
    Writer(const ExecutionLog& log, const Exchange& x, std::string& out)
        : log_{log},
          watch_{log.watch_},
          x_{x},
          out_{out, x.id.view(), log.watch_.timestamps},
          key_{telemetry::masked(sent_key(x.request.head.fields))},
          api_stage_{x.stage->api_id + '/' + x.stage->name} {}

    void write() {
        const bool everything = log_.says_everything();
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
        if (everything || has_failed()) out_.line("Method completed with status: ", status());
    }

    /// The gateway refused it or failed to answer, or the backend did not do its work.
    bool has_failed() const {
        return x_.reply_type != Reply::none || !x_.client.response_complete() ||
               x_.integration_status >= 500;
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
        if (x_.key != nullptr || x_.plan_id.empty()) return "API Key " + key_;
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
            parameters.add(p.name, decoded_path(p.value));
        out_.map("Method request path: ", parameters.view());
        out_.map("Method request query string: ", query_map(x_.target.query));
        if (!watch_.data_trace) return;
        out_.map("Method request headers: ", fields_map(x_.request.head.fields));
        out_.line("Method request body before transformations: ", log_.request_body_);
    }
    /// Plus signs mean themselves in a path.
    static std::string decoded_path(std::string_view value) {
        std::string out;
        for (auto plus = value.find('+'); plus != value.npos; plus = value.find('+')) {
            out += decoded(value.substr(0, plus)) + '+';
            value.remove_prefix(plus + 1);
        }
        return out + decoded(value);
    }

    void cache() {
        out_.at(log_.filtered_at_);
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
        for (const Try& one : log_.tries_) {
            const bool last = &one == &log_.tries_.back();
            out_.at(one.at);
            out_.line("Endpoint request URI: ", one.url);
            if (last && watch_.data_trace) {
                out_.map("Endpoint request headers: ", head_map(log_.request_head_));
                out_.line("Endpoint request body after transformations: ", log_.request_body_);
            }
            out_.line("Sending request to ", one.url);
            if (!one.error.empty()) out_.line("Endpoint ", one.url, " failed: ", one.error);
        }
        if (x_.integration_status != 0) received();
    }
    void received() {
        out_.at(log_.answered_at_);
        const auto latency = x_.integration_latency.value_or(Duration{0});
        out_.line("Received response. Status: ", std::int64_t{x_.integration_status},
                  ", Integration latency: ",
                  std::chrono::duration_cast<std::chrono::milliseconds>(latency).count(), " ms");
        if (!watch_.data_trace) return;
        out_.map("Endpoint response headers: ", log_.backend_fields_);
        if (x_.reply_type != Reply::none) return;  // the body is another one
        out_.line("Endpoint response body before transformations: ", log_.response_body_);
    }

    /// aws-semantics 7.6; what the gateway answers in its own name.
    void failure() {
        if (x_.integration_status >= 500 && !log_.says_everything()) received();
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
        if (!x_.integration_error.empty() && !log_.says_everything()) {
            for (const Try& one : log_.tries_) {
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
            out_.line("Method response body after transformations: ", log_.response_body_);
            out_.map("Method response headers: ", head_map(log_.response_head_));
        }
        if (x_.reply_type == Reply::none && x_.client.response_complete()) {
            out_.line("Successfully completed execution");
        }
    }

    const ExecutionLog& log_;
    const Watch& watch_;
    const Exchange& x_;
    telemetry::ExecutionLines out_;
    std::string key_;
    std::string api_stage_;
};

void ExecutionLog::finished(const Exchange& x) {
    telemetry::AccessLogFile& file = *watch_.log_file;
    Writer writer{*this, x, file.buffer(x.worker.index)};
    if (!says_everything() && !writer.has_failed()) return;
    writer.write();
    file.filled(x.worker.index);
}

}  // namespace sluice::gateway
