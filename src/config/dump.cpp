// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <nlohmann/json.hpp>

#include "config/names.hpp"
#include "config/paths.hpp"
#include "config/yaml_writer.hpp"
#include "sluice/config/load.hpp"

namespace sluice::config {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kMasked = "********";

template <class T, class F>
Json list(const std::vector<T>& items, F to_json) {
    Json out = Json::array();
    for (const T& item : items)
        out.push_back(to_json(item));
    return out;
}

template <class T>
void put(Json& out, const char* key, const std::optional<T>& value) {
    if (value) out[key] = *value;
}

void put_text(Json& out, const char* key, const std::string& text) {
    if (!text.empty()) out[key] = text;
}

Json to_json(const Throttle& t) {
    Json out = Json::object();
    put(out, "rateLimit", t.rate_limit);
    put(out, "burstLimit", t.burst_limit);
    return out;
}

Json to_json(const Listener& l) {
    Json out{{"name", l.name}, {"address", l.address}, {"port", l.port}};
    if (!l.tls) return out;
    out["tls"]["certificates"] = list(l.tls->certificates, [](const Certificate& c) {
        return Json{{"certificateFile", c.certificate_file.string()},
                    {"privateKeyFile", c.private_key_file.string()}};
    });
    out["tls"]["minVersion"] = name_of(kTlsVersions, l.tls->min_version);
    return out;
}

Json to_json(const Limits& l) {
    return {{"headerBytes", l.header_bytes}, {"targetBytes", l.target_bytes},
            {"headerCount", l.header_count}, {"bodyBytes", l.body_bytes},
            {"connections", l.connections},  {"connectionsPerClient", l.connections_per_client}};
}

Json to_json(const Tracing& t) {
    Json out{{"disabled", t.disabled}, {"tracesEndpoint", t.endpoint}};
    for (const auto& [name, value] : t.headers)
        out["headers"][name] = kMasked;
    out["timeoutMillis"] = t.timeout.count();
    if (!t.certificate_file.empty()) out["certificateFile"] = t.certificate_file.string();
    out["serviceName"] = t.service_name;
    if (!t.resource_attributes.empty()) out["resourceAttributes"] = t.resource_attributes;
    out["sampler"] = name_of(kTraceSamplers, t.sampler);
    put(out, "samplerRate", t.sampler_rate);
    out["samplerReservoir"] = t.sampler_reservoir;
    out["trustCallers"] = name_of(kTraceTrusts, t.trust);
    out["maxQueueSize"] = t.max_queue_size;
    out["maxExportBatchSize"] = t.max_export_batch_size;
    out["scheduleDelayMillis"] = t.schedule_delay.count();
    out["exportTimeoutMillis"] = t.export_timeout.count();
    return out;
}

Json to_json(const Server& s) {
    Json out{{"workers", s.workers}, {"shutdownGraceSeconds", s.shutdown_grace.count()}};
    out["trustedProxies"] = s.trusted_proxies;
    if (s.account_throttle) out["accountThrottle"] = to_json(*s.account_throttle);
    out["limits"] = to_json(s.limits);
    out["timeouts"] = {{"headerSeconds", s.timeouts.header.count()},
                       {"bodyIdleSeconds", s.timeouts.body_idle.count()},
                       {"keepAliveSeconds", s.timeouts.keep_alive.count()},
                       {"writeIdleSeconds", s.timeouts.write_idle.count()}};
    out["log"] = {{"level", name_of(kLogLevels, s.log.level)},
                  {"format", name_of(kLogFormats, s.log.format)},
                  {"file", s.log.file}};
    out["executionLog"] = {{"directory", s.execution_log.directory},
                           {"timestamps", s.execution_log.timestamps}};
    out["tracing"] = to_json(s.tracing);
    out["metrics"] = {{"perKeySeries", s.metrics.per_key_series},
                      {"historyBytes", s.metrics.history_bytes}};
    out["headersWithUnderscores"] = name_of(kUnderscores, s.pass_headers_with_underscores);
    out["healthPaths"] = s.health_paths;
    return out;
}

/// A password stands before the last "@" of the authority.
std::string without_password(const std::string& url) {
    const auto start = url.find("://");
    const auto at = url.rfind('@');
    if (start == std::string::npos || at == std::string::npos || at < start) return url;
    return url.substr(0, start + 3) + kMasked + url.substr(at);
}

Json to_json(const State& s) {
    Json out{{"store", name_of(kStores, s.store)}, {"path", s.path.string()}};
    if (s.store != StoreKind::redis) return out;
    out["redis"] = {{"url", without_password(s.redis.url)},
                    {"onFailure", name_of(kRedisFailures, s.redis.on_failure)},
                    {"leaseMillis", s.redis.lease.count()},
                    {"keyPrefix", s.redis.key_prefix}};
    if (!s.redis.ca_file.empty()) out["redis"]["caFile"] = s.redis.ca_file.string();
    return out;
}

Json to_json(const Integration& i) {
    if (i.type == IntegrationType::mock) {
        Json out{{"type", "MOCK"}, {"statusCode", i.status_code}};
        for (const auto& [name, value] : i.headers)
            out["headers"][name] = value;
        put_text(out, "body", i.body);
        return out;
    }
    Json out{{"type", "HTTP_PROXY"}, {"uri", i.uri}};
    put_text(out, "httpMethod", i.http_method);
    out["timeoutInMillis"] = i.timeout.count();
    put_text(out, "cacheNamespace", i.cache_namespace);
    if (!i.cache_key_parameters.empty()) out["cacheKeyParameters"] = i.cache_key_parameters;
    if (!i.request_parameters.empty()) out["requestParameters"] = i.request_parameters;
    return out;
}

Json to_json(const Method& m) {
    Json out{{"apiKeyRequired", m.api_key_required}};
    if (!m.request_parameters.empty()) out["requestParameters"] = m.request_parameters;
    out["integration"] = to_json(m.integration);
    return out;
}

Json to_json(const RestApi& api) {
    Json out{{"id", api.id}, {"name", api.name}};
    put_text(out, "description", api.description);
    put_text(out, "createdDate", api.created_date);
    out["resources"] = Json::object();
    for (const Resource& resource : api.resources) {
        Json& methods = out["resources"][resource.path] = Json::object();
        for (const Method& method : resource.methods)
            methods[method.http_method] = to_json(method);
    }
    return out;
}

Json to_json(const MethodSettings& m) {
    Json out = Json::object();
    put(out, "throttlingRateLimit", m.throttling_rate_limit);
    put(out, "throttlingBurstLimit", m.throttling_burst_limit);
    put(out, "cachingEnabled", m.caching_enabled);
    if (m.cache_ttl) out["cacheTtlInSeconds"] = m.cache_ttl->count();
    put(out, "requireAuthorizationForCacheControl", m.require_authorization_for_cache_control);
    if (m.unauthorized_cache_control) {
        out["unauthorizedCacheControlHeaderStrategy"] =
            name_of(kCacheControlStrategies, *m.unauthorized_cache_control);
    }
    put(out, "metricsEnabled", m.metrics_enabled);
    if (m.logging_level) out["loggingLevel"] = name_of(kLoggingLevels, *m.logging_level);
    put(out, "dataTraceEnabled", m.data_trace);
    return out;
}

Json to_json(const Stage& s) {
    Json out{{"restApiId", s.rest_api_id}, {"stageName", s.stage_name}};
    put_text(out, "description", s.description);
    if (!s.variables.empty()) out["variables"] = s.variables;
    out["cacheClusterEnabled"] = s.cache_cluster_enabled;
    out["cacheClusterSize"] = std::to_string(s.cache_bytes) + "B";
    for (const auto& [key, settings] : s.method_settings) {
        out["methodSettings"][key] = to_json(settings);
    }
    out["tracingEnabled"] = s.tracing_enabled;
    if (s.access_log) {
        out["accessLogSettings"] = {{"format", s.access_log->format},
                                    {"destination", s.access_log->destination}};
    }
    return out;
}

Json to_json(const PlanStage& p) {
    Json out{{"apiId", p.api_id}, {"stage", p.stage}};
    // As AWS prints it, with a leading slash; the root's key has two.
    for (const auto& [key, throttle] : p.throttle)
        out["throttle"]["/" + key] = to_json(throttle);
    return out;
}

Json to_json(const UsagePlan& p) {
    Json out{{"id", p.id}, {"name", p.name}};
    put_text(out, "description", p.description);
    out["apiStages"] = list(p.api_stages, [](const PlanStage& s) { return to_json(s); });
    if (p.throttle) out["throttle"] = to_json(*p.throttle);
    if (p.quota) {
        out["quota"] = {{"limit", p.quota->limit},
                        {"period", name_of(kPeriods, p.quota->period)},
                        {"offset", p.quota->offset}};
        if (p.quota->exact) out["quota"]["exact"] = true;
    }
    out["meterBy"] = name_of(kMeterBys, p.meter_by);
    if (p.meter_by == MeterBy::source_ip) {
        out["sourceIpPrefix"] = {{"v4", p.source_ip_prefix_v4}, {"v6", p.source_ip_prefix_v6}};
    }
    return out;
}

Json to_json(const ApiKey& k) {
    Json out{{"id", k.id}};
    put_text(out, "name", k.name);
    put_text(out, "description", k.description);
    out["value"] = kMasked;
    out["enabled"] = k.enabled;
    out["usagePlanIds"] = k.usage_plan_ids;
    return out;
}

Json to_json(const DomainName& d) {
    Json out{{"domainName", d.domain_name}};
    out["basePathMappings"] = list(d.mappings, [](const BasePathMapping& m) {
        return Json{{"basePath", m.base_path}, {"restApiId", m.rest_api_id}, {"stage", m.stage}};
    });
    return out;
}

Json to_json(const Backend& b) {
    Json out{{"name", b.name}};
    out["targets"] = list(b.targets, [](const Target& t) { return Json{{"url", t.url}}; });
    out["connectTimeoutMillis"] = b.connect_timeout.count();
    out["maxIdleConnections"] = b.max_idle_connections;
    out["preserveHost"] = b.preserve_host;
    const auto https = [](const Target& t) { return t.url.starts_with("https:"); };
    if (std::none_of(b.targets.begin(), b.targets.end(), https)) return out;
    if (!b.tls.ca_file.empty()) out["tls"]["caFile"] = b.tls.ca_file.string();
    put_text(out["tls"], "serverName", b.tls.server_name);
    out["tls"]["insecureSkipVerification"] = b.tls.insecure_skip_verification;
    return out;
}

Json to_json(const Config& c) {
    const auto each = [](const auto& item) { return to_json(item); };
    const Admin admin = c.admin.value_or(Admin{});
    Json out{{"compatibility", name_of(kCompatibilities, c.compatibility)}};
    out["listeners"] = list(c.listeners, each);
    out["admin"] = {{"address", admin.address}, {"port", admin.port}};
    if (!admin.token.empty()) out["admin"]["tokenFile"] = kMasked;
    out["server"] = to_json(c.server);
    out["state"] = to_json(c.state);
    out["restApis"] = list(c.rest_apis, each);
    out["stages"] = list(c.stages, each);
    out["usagePlans"] = list(c.usage_plans, each);
    out["apiKeys"] = list(c.api_keys, each);
    out["domainNames"] = list(c.domain_names, each);
    out["backends"] = list(c.backends, each);
    return out;
}

}  // namespace

std::string dump(const Config& config) { return write_yaml(to_json(config)); }

std::string dump_json(const Config& config) {
    return to_json(config).dump(2, ' ', false, Json::error_handler_t::replace);
}

}  // namespace sluice::config
