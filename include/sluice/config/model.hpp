// SPDX-License-Identifier: Apache-2.0
//
// The typed configuration: what the YAML files say after merging, substitution and defaults.
// Field names are those of the files in snake_case. Nothing here does work.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace sluice::config {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// Where in the files something was said; line and column count from 1, 0 = unknown.
struct Location {
    std::string file{};
    int line = 0;
    int column = 0;
};

enum class Compatibility { standard, aws };

// ---------------------------------------------------------------- listeners, server, state

struct Certificate {
    std::filesystem::path certificate_file{};
    std::filesystem::path private_key_file{};
    Location where{};
};

enum class TlsVersion { tls1_2, tls1_3 };

struct ListenerTls {
    std::vector<Certificate> certificates{};  ///< the first one answers names no other one covers
    TlsVersion min_version = TlsVersion::tls1_2;
};

struct Listener {
    std::string name{};
    std::string address = "0.0.0.0";
    std::uint16_t port = 0;  ///< 0: the kernel chooses, the log says which
    std::optional<ListenerTls> tls{};
    Location where{};
};

struct Admin {
    std::string address = "127.0.0.1";
    std::uint16_t port = 9901;
    std::string token{};  ///< content of tokenFile; empty = no authentication (loopback only)
    Location where{};
};

/// rate: requests per second; burst: bucket size. An absent half follows aws-semantics 3.3.
struct Throttle {
    std::optional<double> rate_limit{};
    std::optional<std::int64_t> burst_limit{};
    Location where{};
};

struct Limits {
    std::size_t header_bytes = 32'768;  ///< 10,240 in `aws` unless set
    std::size_t target_bytes = 10'240;
    std::size_t header_count = 100;
    std::uint64_t body_bytes = 10'485'760;
    std::size_t connections = 100'000;
    std::size_t connections_per_client = 0;  ///< 0 = no limit
};

struct Timeouts {
    seconds header{10};
    seconds body_idle{30};
    seconds keep_alive{60};
    seconds write_idle{30};
};

enum class LogLevel { trace, debug, info, warn, error, off };
enum class LogFormat { text, json };

struct Log {
    LogLevel level = LogLevel::info;
    LogFormat format = LogFormat::text;
    std::string file = "-";  ///< "-" = standard error
};

/// Where the execution logs of methodSettings.loggingLevel go (ours).
struct ExecutionLog {
    /// Holds API-Gateway-Execution-Logs_{rest-api-id}/{stage}; "-" = all of it to standard output.
    std::string directory = ".";
    bool timestamps = false;
};

/// Names as OTEL_TRACES_SAMPLER has them; xray: X-Ray's default rule.
enum class TraceSampler {
    xray,
    always_on,
    always_off,
    traceidratio,
    parentbased_xray,
    parentbased_always_on,
    parentbased_always_off,
    parentbased_traceidratio
};

/// Whose trace headers are continued.
enum class TraceTrust { all, trusted_proxies, none };

struct Tracing {
    bool disabled = false;
    std::string endpoint = "http://localhost:4318/v1/traces";    ///< complete
    std::vector<std::pair<std::string, std::string>> headers{};  ///< values are secrets
    milliseconds timeout{10'000};
    std::filesystem::path certificate_file{};  ///< empty = the system's store
    std::string service_name = "sluice";
    std::map<std::string, std::string> resource_attributes{};
    TraceSampler sampler = TraceSampler::parentbased_xray;
    std::optional<double> sampler_rate{};  ///< absent: 0.05 for xray, else 1
    std::uint32_t sampler_reservoir = 1;   ///< per stage and second, for xray
    TraceTrust trust = TraceTrust::all;
    std::size_t max_queue_size = 2048;
    std::size_t max_export_batch_size = 512;
    milliseconds schedule_delay{5'000};
    milliseconds export_timeout{30'000};
};

struct Metrics {
    std::size_t per_key_series = 0;            ///< keys with series of their own, all plans
    std::uint64_t history_bytes = 67'108'864;  ///< one-minute samples of a day; 0 = none
};

struct Server {
    unsigned workers = 0;  ///< 0 = one per CPU this process may use
    seconds shutdown_grace{30};
    std::vector<std::string> trusted_proxies{};  ///< networks, validated
    std::optional<Throttle> account_throttle{};
    Limits limits{};
    Timeouts timeouts{};
    Log log{};
    ExecutionLog execution_log{};
    Tracing tracing{};
    Metrics metrics{};
    bool pass_headers_with_underscores = false;  ///< headersWithUnderscores: pass
    bool health_paths = true;                    ///< aws-semantics 1.1
};

enum class StoreKind { memory, sqlite, redis };
enum class RedisFailure { local, closed, open };

struct Redis {
    std::string url = "redis://127.0.0.1:6379/0";  ///< may hold a password: a secret
    RedisFailure on_failure = RedisFailure::local;
    milliseconds lease{100};
    std::string key_prefix = "sluice";
    std::filesystem::path ca_file{};  ///< empty = the system's store
    Location where{};
};

struct State {
    StoreKind store = StoreKind::sqlite;
    std::filesystem::path path = "sluice-state.db";
    Redis redis{};
    Location where{};
};

// ---------------------------------------------------------------- APIs

enum class IntegrationType { http_proxy, mock };

struct Integration {
    IntegrationType type = IntegrationType::http_proxy;
    std::string uri{};              ///< HTTP_PROXY
    std::string http_method{};      ///< empty or ANY = the client's
    milliseconds timeout{29'000};   ///< timeoutInMillis, 50 to 900,000
    std::string cache_namespace{};  ///< empty = this resource
    std::vector<std::string> cache_key_parameters{};
    std::map<std::string, std::string> request_parameters{};  ///< integration.request.path.x etc.
    int status_code = 200;                                    ///< MOCK (ours)
    std::vector<std::pair<std::string, std::string>> headers{};  ///< MOCK (ours)
    std::string body{};                                          ///< MOCK (ours)
    Location where{};
};

struct Method {
    std::string http_method{};  ///< GET ... or ANY
    bool api_key_required = false;
    std::map<std::string, bool> request_parameters{};  ///< name -> required
    Integration integration{};
    Location where{};
};

struct Resource {
    std::string path{};  ///< "/pets/{petId}"
    std::vector<Method> methods{};
    Location where{};
};

struct RestApi {
    std::string id{};
    std::string name{};  ///< the id when absent
    std::string description{};
    std::string created_date{};  ///< ISO 8601 as given, or empty
    std::vector<Resource> resources{};
    Location where{};
};

// ---------------------------------------------------------------- stages

enum class UnauthorizedCacheControl {
    fail_with_403,
    succeed_with_response_header,
    succeed_without_response_header
};

enum class LoggingLevel { off, error, info };

/// One entry of methodSettings; an unset property inherits from "*/*", then from the built-in.
struct MethodSettings {
    std::optional<double> throttling_rate_limit{};         ///< -1 = no limit
    std::optional<std::int64_t> throttling_burst_limit{};  ///< -1 = no limit
    std::optional<bool> caching_enabled{};
    std::optional<seconds> cache_ttl{};
    std::optional<bool> require_authorization_for_cache_control{};
    std::optional<UnauthorizedCacheControl> unauthorized_cache_control{};
    std::optional<bool> metrics_enabled{};
    std::optional<LoggingLevel> logging_level{};  ///< the execution log
    std::optional<bool> data_trace{};             ///< with headers and bodies
    Location where{};
};

struct AccessLog {
    std::string format = "CLF";     ///< CLF | JSON | XML | CSV | template
    std::string destination = "-";  ///< path (absolute after loading) or "-"
    Location where{};
};

struct Stage {
    std::string rest_api_id{};
    std::string stage_name{};
    std::string description{};
    std::map<std::string, std::string> variables{};
    bool cache_cluster_enabled = false;
    std::uint64_t cache_bytes = 536'870'912;  ///< cacheClusterSize, default 0.5 GB
    /// Normalised key: "*/*", or path without leading slash + "/" + method ("pets/{petId}/GET",
    /// root "/GET").
    std::map<std::string, MethodSettings> method_settings{};
    std::optional<AccessLog> access_log{};
    bool tracing_enabled = false;
    Location where{};
};

// ---------------------------------------------------------------- plans, keys

struct PlanStage {
    std::string api_id{};
    std::string stage{};
    /// Normalised like Stage::method_settings ("pets/GET").
    std::map<std::string, Throttle> throttle{};
    Location where{};
};

enum class Period { day, week, month };

struct Quota {
    std::int64_t limit = 0;
    Period period = Period::day;
    int offset = 0;
    bool exact = false;  ///< with redis: asked for request by request
    Location where{};
};

enum class MeterBy { api_key, source_ip };

struct UsagePlan {
    std::string id{};
    std::string name{};
    std::string description{};
    std::vector<PlanStage> api_stages{};
    std::optional<Throttle> throttle{};
    std::optional<Quota> quota{};
    MeterBy meter_by = MeterBy::api_key;
    int source_ip_prefix_v4 = 32;
    int source_ip_prefix_v6 = 64;
    Location where{};
};

struct ApiKey {
    std::string id{};
    std::string name{};
    std::string description{};
    std::string value{};  ///< a secret: never printed, dropped once the snapshot holds its hash
    bool enabled = true;
    std::vector<std::string> usage_plan_ids{};
    Location where{};
};

// ---------------------------------------------------------------- domains, backends

struct BasePathMapping {
    std::string base_path{};  ///< no slashes at the ends; empty = catch-all
    std::string rest_api_id{};
    std::string stage{};
    Location where{};
};

struct DomainName {
    std::string domain_name{};  ///< lower case; "*" = every host no other entry names
    std::vector<BasePathMapping> mappings{};
    Location where{};
};

struct Target {
    std::string url{};  ///< http://host[:port] or https://host[:port], no path
    Location where{};
};

struct BackendTls {
    std::filesystem::path ca_file{};  ///< empty = the system's store
    std::string server_name{};        ///< SNI and verified name; empty = the target's host
    bool insecure_skip_verification = false;
};

struct Backend {
    std::string name{};
    std::vector<Target> targets{};
    milliseconds connect_timeout{3'000};
    std::size_t max_idle_connections = 256;
    bool preserve_host = false;
    BackendTls tls{};
    Location where{};
};

// ---------------------------------------------------------------- all of it

struct Config {
    Compatibility compatibility = Compatibility::standard;
    std::vector<Listener> listeners{};
    std::optional<Admin> admin{};  ///< absent in the files = the defaults of Admin
    Server server{};
    State state{};
    std::vector<RestApi> rest_apis{};
    std::vector<Stage> stages{};
    std::vector<UsagePlan> usage_plans{};
    std::vector<ApiKey> api_keys{};  ///< those of the files and of apiKeyFiles
    std::vector<DomainName> domain_names{};
    std::vector<Backend> backends{};
};

}  // namespace sluice::config
