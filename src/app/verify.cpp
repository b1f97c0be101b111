// SPDX-License-Identifier: Apache-2.0
#include "app/verify.hpp"

#include <algorithm>

#include "app/redis_settings.hpp"
#include "gateway/cache_key.hpp"
#include "gateway/compile.hpp"
#include "gateway/uri_template.hpp"
#include "net/tls_client.hpp"
#include "net/tls_context.hpp"
#include "sluice/telemetry/access_log.hpp"

namespace sluice::app {
namespace {

bool covers(const config::UsagePlan& plan, const config::Stage& stage) {
    return std::any_of(plan.api_stages.begin(), plan.api_stages.end(), [&](const auto& s) {
        return s.api_id == stage.rest_api_id && s.stage == stage.stage_name;
    });
}

class Verifier {
public:
    explicit Verifier(config::Loaded& loaded) : config_{loaded.config}, loaded_{loaded} {}

    void run() {
        for (const config::Listener& listener : config_.listeners)
            tls(listener);
        for (const config::Backend& backend : config_.backends)
            tls(backend);
        for (const config::Stage& stage : config_.stages)
            verify(stage);
        if (config_.state.store != config::StoreKind::redis) return;
        const auto redis = redis_settings(config_.state.redis);
        if (!redis) error(config_.state.redis.where, redis.error().detail);
    }

private:
    void problem(config::Severity severity, const config::Location& where, std::string message) {
        loaded_.problems.push_back(
            {.severity = severity, .where = where, .message = std::move(message)});
    }
    void error(const config::Location& where, std::string message) {
        problem(config::Severity::error, where, std::move(message));
    }

    void tls(const config::Listener& listener) {
        if (!listener.tls) return;
        auto made = net::ServerTls::make(*listener.tls);
        if (!made) return error(listener.where, "tls: " + made.error().detail);
        for (const std::string& warning : (*made)->warnings()) {
            problem(config::Severity::warning, listener.where, "tls: " + warning);
        }
    }
    void tls(const config::Backend& backend) {
        const bool secure = std::any_of(backend.targets.begin(), backend.targets.end(),
                                        [](const auto& t) { return t.url.starts_with("https"); });
        if (!secure) return;
        auto made = net::ClientTls::make(backend.tls);
        if (!made) error(backend.where, "tls: " + made.error().detail);
    }

    void verify(const config::Stage& stage) {
        std::string why;
        if (stage.access_log &&
            !telemetry::AccessLogFormat::compile(stage.access_log->format, why)) {
            error(stage.access_log->where, "accessLogSettings.format: " + why);
        }
        const auto meters = std::count_if(
            config_.usage_plans.begin(), config_.usage_plans.end(), [&](const auto& plan) {
                return plan.meter_by == config::MeterBy::source_ip && covers(plan, stage);
            });
        if (static_cast<std::size_t>(meters) > gateway::kMaxSourcePlans) {
            error(stage.where, "at most " + std::to_string(gateway::kMaxSourcePlans) +
                                   " usage plans with meterBy sourceIp may cover one stage");
        }
        const auto api = std::find_if(config_.rest_apis.begin(), config_.rest_apis.end(),
                                      [&](const auto& a) { return a.id == stage.rest_api_id; });
        if (api == config_.rest_apis.end()) return;
        for (const config::Resource& resource : api->resources) {
            for (const config::Method& method : resource.methods)
                verify(stage, resource, method);
        }
    }
    void verify(const config::Stage& stage, const config::Resource& resource,
                const config::Method& method) {
        const config::Integration& c = method.integration;
        const std::string in_stage = " (in stage " + stage.stage_name + ")";
        if (c.type == config::IntegrationType::http_proxy) {
            const auto uri =
                gateway::UriTemplate::compile(c.uri, {.resource_path = resource.path,
                                                      .stage_variables = &stage.variables,
                                                      .request_parameters = &c.request_parameters});
            if (!uri) error(c.where, "uri: " + uri.error().detail + in_stage);
        }
        if (!gateway::effective_settings(stage, resource, method).caching) return;
        const auto key =
            gateway::CacheKey::compile({}, c.cache_key_parameters, c.request_parameters,
                                       stage.variables, config_.compatibility);
        if (!key) error(c.where, "cacheKeyParameters: " + key.error().detail + in_stage);
    }

    const config::Config& config_;
    config::Loaded& loaded_;
};

}  // namespace

config::Loaded load_and_verify(const std::filesystem::path& path) {
    config::Loaded loaded = config::load(path);
    if (loaded.ok()) Verifier{loaded}.run();
    return loaded;
}

}  // namespace sluice::app
