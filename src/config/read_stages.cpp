// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "config/names.hpp"
#include "config/paths.hpp"
#include "config/read.hpp"
#include "config/text.hpp"

namespace sluice::config {
namespace {

// aws-semantics 8
constexpr std::size_t kMaxStageVariables = 100;
constexpr std::size_t kMaxVariableName = 64;

bool is_variable_name_char(char c) { return is_alnum(c) || c == '_'; }

bool is_variable_value_char(char c) {
    constexpr std::string_view kMarks = "-._~:/?#&=,";
    return is_alnum(c) || kMarks.find(c) != std::string_view::npos;
}

void read_variable(Reader& entry, const std::string& name, Stage& s) {
    std::string value;
    if (!entry.value(value, Text{1, 512, is_variable_value_char, "^[A-Za-z0-9._~:/?#&=,-]+$",
                                 "letters, digits and any of - . _ ~ : / ? # & = ,"}))
        return;
    const bool named = std::all_of(name.begin(), name.end(), is_variable_name_char);
    if (!named || name.empty() || name.size() > kMaxVariableName) {
        return entry.key_problem("a name has 1 to 64 letters, digits and \"_\"");
    }
    s.variables.emplace(name, value);
}

/// "0.5" is gigabytes as AWS writes them; anything with a unit is that.
std::optional<std::uint64_t> cache_bytes(const std::string& text) {
    constexpr double kGigabyte = 1'073'741'824;  // as the model's default: 0.5 = 536,870,912
    if (const auto gigabytes = parse_number(text)) {
        if (!(*gigabytes > 0) || *gigabytes > 1'000'000) return {};
        return static_cast<std::uint64_t>(std::llround(*gigabytes * kGigabyte));
    }
    const auto bytes = parse_size(text);
    if (!bytes || *bytes == 0) return {};
    return bytes;
}

void read_cache(Reader& r, Stage& s) {
    r.optional("cacheClusterEnabled", s.cache_cluster_enabled,
               "Switches the stage's response cache on.");
    std::string size = r.describing() ? "0.5" : "";
    if (r.optional("cacheClusterSize", size,
                   "Memory of the cache in GB, any positive number; or with a unit, such as 64MiB.",
                   Text{1, 32})) {
        if (const auto bytes = cache_bytes(size)) {
            s.cache_bytes = *bytes;
        } else {
            r.problem("cacheClusterSize",
                      "must be a positive number of GB or a size such as 64MiB");
        }
    }
}

void read_settings(Reader& entry, const std::string& key, Stage& s) {
    MethodSettings settings;
    if (!entry.value(settings)) return;
    const auto normal = normal_method_key(key);
    if (!normal)
        return entry.key_problem("must be \"*/*\" or a path and a method, such as \"pets/GET\"");
    const auto [other, added] = s.method_settings.emplace(*normal, settings);
    if (added) return;
    entry.key_problem("the same method has settings at line " +
                      std::to_string(other->second.where.line) + " already");
}

}  // namespace

void read(Reader& r, MethodSettings& m) {
    r.object("MethodSettings",
             "Settings of one method; what is not set comes from `*/*`, then from the default.");
    r.optional("throttlingRateLimit", m.throttling_rate_limit,
               "Requests per second; -1 = no limit.", Number{0, 1e9, true});
    r.optional("throttlingBurstLimit", m.throttling_burst_limit,
               "Requests that may come at once; -1 = no limit.", Range{0, 1'000'000'000, true});
    r.optional("cachingEnabled", m.caching_enabled, "Cache answers. `*/*` speaks for GET only.");
    r.optional(
        "cacheTtlInSeconds", m.cache_ttl,
        "Age at which a cached answer is asked for again (300 when not set); 0 = no caching.",
        Range{0, 3600});
    r.optional("requireAuthorizationForCacheControl", m.require_authorization_for_cache_control,
               "A client's `Cache-Control: max-age=0` needs permission (true when not set).");
    r.optional("unauthorizedCacheControlHeaderStrategy", m.unauthorized_cache_control,
               "What happens without that permission (SUCCEED_WITH_RESPONSE_HEADER when not set).",
               kCacheControlStrategies);
    r.optional("metricsEnabled", m.metrics_enabled,
               "Metrics with the labels `resource` and `method`.");
    r.optional("loggingLevel", m.logging_level,
               "Execution log: `ERROR` says why requests failed, `INFO` every step (OFF when not "
               "set). Where it goes: `server.executionLog`.",
               kLoggingLevels);
    r.optional("dataTraceEnabled", m.data_trace,
               "The execution log also has headers and the start of bodies, of every request.");
    r.later("cacheDataEncrypted", "Encryption of cached answers.");
}

void read(Reader& r, AccessLog& a) {
    constexpr std::size_t kMaxFormat = 8192;  // aws-semantics 8
    r.object("AccessLogSettings", "One line per request.");
    if (r.optional("format", a.format,
                   "CLF, JSON, XML, CSV, or a template of $context variables with "
                   "$context.requestId in it.",
                   Text{1, kMaxFormat})) {
        static constexpr std::string_view kNamed[] = {"CLF", "JSON", "XML", "CSV"};
        const bool named =
            std::find(std::begin(kNamed), std::end(kNamed), a.format) != std::end(kNamed);
        const bool has_id = a.format.find("$context.requestId") != std::string::npos ||
                            a.format.find("$context.extendedRequestId") != std::string::npos;
        if (!named && !has_id)
            r.problem("format",
                      "must be CLF, JSON, XML, CSV or a template with $context.requestId or "
                      "$context.extendedRequestId");
        if (trimmed(a.format).find('\n') != std::string_view::npos)
            r.problem("format", "must be a single line");
    }
    constexpr Text kPath{1, 4096};
    const bool own = r.optional("destination", a.destination,
                                "Path of the file, or `-` for standard output.", kPath);
    std::string arn;
    const bool alias = r.optional("destinationArn", arn, "AWS's name for `destination`.", kPath);
    if (own && alias)
        return r.problem("destinationArn", "is the same as destination; give one of them");
    if (alias && arn.starts_with("arn:"))
        return r.problem("destinationArn",
                         "AWS log groups are not supported yet; give a path or \"-\"");
    if (alias) a.destination = arn.starts_with("file:") ? arn.substr(5) : arn;
    if (a.destination != "-") a.destination = r.resolved(a.destination).string();
}

void read(Reader& r, Stage& s) {
    r.object("Stage", "A published API with its settings.");
    r.required("restApiId", s.rest_api_id, "The API's id.", kApiId);
    r.required("stageName", s.stage_name, "Stands in URLs.", kWord);
    r.optional("description", s.description, "Free text.", kDescription);
    r.entries("variables", "name",
              "Stage variables, for `${stageVariables.name}` in integration URIs.",
              [&](Reader& entry, const std::string& name) { read_variable(entry, name, s); });
    if (s.variables.size() > kMaxStageVariables) r.problem("variables", "at most 100 variables");
    read_cache(r, s);
    r.entries("methodSettings", "*/* or PATH/METHOD",
              "Settings of all methods (`*/*`) or of one (`pets/{petId}/GET`, `pets/ANY`; a "
              "leading `/` and `~1` for `/` are understood).",
              [&](Reader& entry, const std::string& key) { read_settings(entry, key, s); });
    r.optional("accessLogSettings", s.access_log, "The stage's access log; absent = none.");
    r.later("canarySettings", "Canary releases.");
    r.optional("tracingEnabled", s.tracing_enabled,
               "Traces of requests, as `server.tracing` says.");
    r.later("clientCertificateId", "Client certificate towards backends.");
    r.later("webAclArn", "Web ACLs.");
    for (const auto key : {"deploymentId", "cacheClusterStatus", "documentationVersion", "tags",
                           "createdDate", "lastUpdatedDate"})
        r.ignored(key);
}

}  // namespace sluice::config
