// SPDX-License-Identifier: Apache-2.0
#include "gateway/compile.hpp"

#include <algorithm>
#include <set>

namespace sluice::gateway {
namespace {

constexpr std::uint64_t kMaxCachedResponse = 1'048'576;  // aws-semantics 8

using MethodNames = std::map<std::string, const Method*>;  // "api|stage|pets/GET"

std::string full_name(const std::string& api, const std::string& stage, const std::string& key) {
    return api + '|' + stage + '|' + key;
}

/// Answers what no resource serves.
class NoMethod final : public Integration {
public:
    Task<void> call(Exchange& x) const override {
        x.reply(Reply::missing_authentication_token);
        co_return;
    }
};

/// A stable id for a resource: AWS makes them up, ours come from the path.
std::string resource_id(const std::string& path) {
    std::string id;
    std::uint64_t h = 1469598103934665603ULL;  // FNV-1a
    for (const char c : path)
        h = (h ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
    for (int i = 0; i < 6; ++i, h /= 36)
        id += "0123456789abcdefghijklmnopqrstuvwxyz"[h % 36];
    return id;
}

class Compiler {
public:
    Compiler(const config::Config& config, Services& services)
        : config_{config}, services_{services}, snapshot_{std::make_shared<Snapshot>()} {}

    Result<std::shared_ptr<Snapshot>> run() {
        general();
        stages();
        plans();
        keys();
        for (const config::Stage& stage : config_.stages) {
            auto done = methods(stage);
            if (!done) return done.error();
        }
        domains();
        return snapshot_;
    }

private:
    void general();
    void stages();
    void plans();
    void plan_by_key(Plan&, const config::UsagePlan&);
    void plan_by_source(Plan&, const config::UsagePlan&);
    void keys();
    void domains();
    void place_methods(const config::RestApi&, Stage&);
    Result<void> methods(const config::Stage&);
    Result<void> method(const config::RestApi&, const config::Stage&, const config::Resource&,
                        const config::Method&, Stage&, Method&);
    Result<void> access_log(const config::Stage&, Stage&);
    Result<void> execution_log(Stage&);
    Result<void> watch(const EffectiveSettings&, Stage&, Method&);
    const config::RestApi& api_of(const config::Stage&) const;
    Stage* stage_named(const std::string& api, const std::string& name) const;
    std::vector<state::MethodLimit> method_limits(const config::UsagePlan&) const;
    state::BucketShape kept(const state::BucketShape& shape) const {
        return services_.shared == nullptr ? shape : shape.leased();
    }
    std::optional<state::QuotaRule> quota_rule(const config::UsagePlan&) const;

    const config::Config& config_;
    Services& services_;
    std::shared_ptr<Snapshot> snapshot_;
    MethodNames method_names_{};
};

void Compiler::general() {
    const config::Server& server = config_.server;
    snapshot_->compatibility = config_.compatibility;
    snapshot_->shared = services_.shared;
    snapshot_->session = {.head = {.head_bytes = server.limits.header_bytes,
                                   .target_bytes = server.limits.target_bytes,
                                   .fields = server.limits.header_count},
                          .body_bytes = server.limits.body_bytes,
                          .timeouts = server.timeouts};
    if (auto set = IpSet::parse(server.trusted_proxies)) snapshot_->trusted_proxies = *set;
    snapshot_->pass_underscores = server.pass_headers_with_underscores;
    snapshot_->health_paths = server.health_paths;
    if (!server.account_throttle) return;
    const auto shape =
        bucket_shape(server.account_throttle->rate_limit, server.account_throttle->burst_limit);
    if (!shape) return;
    snapshot_->account =
        SharedBucket{kept(*shape), services_.limits.bucket("account", kept(*shape)), "account"};
}

const config::RestApi& Compiler::api_of(const config::Stage& stage) const {
    return *std::find_if(config_.rest_apis.begin(), config_.rest_apis.end(),
                         [&](const config::RestApi& a) { return a.id == stage.rest_api_id; });
}

Stage* Compiler::stage_named(const std::string& api, const std::string& name) const {
    for (const auto& stage : snapshot_->stages) {
        if (stage->api_id == api && stage->name == name) return stage.get();
    }
    return nullptr;
}

/// Stages and their methods get their places first: plans refer to them.
void Compiler::stages() {
    for (const config::Stage& c : config_.stages) {
        const config::RestApi& api = api_of(c);
        auto stage = std::make_unique<Stage>();
        stage->index = static_cast<std::uint32_t>(snapshot_->stages.size());
        stage->api_id = api.id;
        stage->api_name = api.name.empty() ? api.id : api.name;
        stage->name = c.stage_name;
        if (c.cache_cluster_enabled) {
            stage->cache = services_.caches.of(api, c.stage_name, c.cache_bytes);
        }
        place_methods(api, *stage);
        stage->unmatched.integration = std::make_unique<NoMethod>();
        stage->unmatched.series = &services_.metrics.series({stage->api_name, stage->name, "", ""});
        snapshot_->stages.push_back(std::move(stage));
    }
}

void Compiler::place_methods(const config::RestApi& api, Stage& stage) {
    std::size_t count = 0;
    for (const config::Resource& resource : api.resources)
        count += resource.methods.size();
    stage.methods.reserve(count);
    for (const config::Resource& resource : api.resources) {
        for (const config::Method& m : resource.methods) {
            const auto index = static_cast<std::uint32_t>(stage.methods.size());
            Method& method = stage.methods.emplace_back();
            method.resource_id = resource_id(resource.path);
            method.resource_path = resource.path;
            method.http_method = m.http_method;
            method.needs_key = m.api_key_required;
            stage.tree.add(resource.path, m.http_method, index);
            method_names_[full_name(api.id, stage.name, method_key(resource.path, m.http_method))] =
                &method;
        }
    }
}

std::vector<state::MethodLimit> Compiler::method_limits(const config::UsagePlan& c) const {
    std::vector<state::MethodLimit> limits;
    for (const config::PlanStage& s : c.api_stages) {
        for (const auto& [key, throttle] : s.throttle) {
            const auto shape = bucket_shape(throttle.rate_limit, throttle.burst_limit);
            if (shape) limits.push_back({full_name(s.api_id, s.stage, key), kept(*shape)});
        }
    }
    return limits;
}

void Compiler::plans() {
    for (const config::UsagePlan& c : config_.usage_plans) {
        auto plan = std::make_unique<Plan>();
        plan->id = c.id;
        if (c.throttle) plan->shape = bucket_shape(c.throttle->rate_limit, c.throttle->burst_limit);
        if (plan->shape) plan->shape = kept(*plan->shape);
        if (c.meter_by == config::MeterBy::api_key) {
            plan_by_key(*plan, c);
        } else {
            plan_by_source(*plan, c);
        }
        for (const config::PlanStage& s : c.api_stages) {
            Stage* stage = stage_named(s.api_id, s.stage);
            plan->stages.push_back(stage->index);
            if (plan->meter) stage->source_plans.push_back(plan.get());
        }
        std::sort(plan->stages.begin(), plan->stages.end());
        std::sort(plan->method_limits.begin(), plan->method_limits.end(),
                  [](const Plan::MethodLimit& a, const Plan::MethodLimit& b) {
                      return std::less<>{}(a.method, b.method);
                  });
        snapshot_->plans.push_back(std::move(plan));
    }
}

std::optional<state::QuotaRule> Compiler::quota_rule(const config::UsagePlan& c) const {
    if (!c.quota) return std::nullopt;
    return state::QuotaRule{.limit = c.quota->limit,
                            .period = static_cast<state::Period>(c.quota->period),
                            .offset = c.quota->offset,
                            .leased = services_.shared != nullptr,
                            .exact = c.quota->exact};
}

void Compiler::plan_by_key(Plan& plan, const config::UsagePlan& c) {
    state::PlanUse::Limits limits{.quota = quota_rule(c), .methods = method_limits(c)};
    if (plan.shape) limits.throttle = *plan.shape;
    plan.use = services_.limits.plan(c.id, limits);
    plan.quota = plan.use->rule();
    for (const state::MethodLimit& limit : limits.methods) {
        const Method* method = method_names_.at(limit.identity);
        plan.method_limits.push_back(
            {method, *plan.use->slot(limit.identity), limit.shape, limit.identity});
    }
}

void Compiler::plan_by_source(Plan& plan, const config::UsagePlan& c) {
    state::SourceLimits limits{.v4_bits = c.source_ip_prefix_v4,
                               .v6_bits = c.source_ip_prefix_v6,
                               .quota = quota_rule(c),
                               .methods = method_limits(c)};
    if (plan.shape) limits.throttle = *plan.shape;
    plan.meter = services_.limits.source_meter(c.id, limits);
    plan.quota = limits.quota.value_or(state::QuotaRule{.limit = state::QuotaRule::kUnlimited});
    for (const state::MethodLimit& limit : limits.methods) {
        const Method* method = method_names_.at(limit.identity);
        plan.method_limits.push_back(
            {method, *plan.meter->slot(limit.identity), limit.shape, limit.identity});
    }
}

void Compiler::keys() {
    state::KeyTable<KeyRecord>::Builder builder;
    std::map<std::string, const Plan*> by_id;
    for (const auto& plan : snapshot_->plans)
        by_id[plan->id] = plan.get();
    for (const config::ApiKey& c : config_.api_keys) {
        std::vector<PlanUse> uses;
        for (const std::string& id : c.usage_plan_ids) {
            const auto plan = by_id.find(id);
            if (plan == by_id.end() || !plan->second->use) continue;
            uses.push_back({plan->second, services_.limits.key_use(id, c.id)});
        }
        builder.add(c.value, KeyRecord::of(c.enabled, std::move(uses)));
    }
    snapshot_->keys = std::move(builder).build();
}

Result<void> Compiler::access_log(const config::Stage& c, Stage& stage) {
    if (!c.access_log) return {};
    std::string error;
    stage.log_format = telemetry::AccessLogFormat::compile(c.access_log->format, error);
    if (stage.log_format) stage.log_file = services_.logs.open(c.access_log->destination, error);
    if (stage.log_file) return {};
    return Error{.origin = Origin::internal,
                 .code = "access_log",
                 .detail = "stage " + c.rest_api_id + "/" + c.stage_name + ": " + error};
}

/// One file per API and stage, named as AWS names the log group (aws-semantics 15.1).
Result<void> Compiler::execution_log(Stage& stage) {
    if (stage.execution_log) return {};
    std::filesystem::path path = config_.server.execution_log.directory;
    std::string error;
    if (path != "-") {
        path = path / ("API-Gateway-Execution-Logs_" + stage.api_id) / stage.name;
        std::error_code failed;
        std::filesystem::create_directories(path.parent_path(), failed);
        if (failed) error = path.parent_path().string() + ": " + failed.message();
    }
    if (error.empty()) stage.execution_log = services_.execution_logs.open(path, error);
    if (stage.execution_log) return {};
    return Error{.origin = Origin::internal,
                 .code = "execution_log",
                 .detail = "server.executionLog.directory: " + error};
}

Result<void> Compiler::watch(const EffectiveSettings& settings, Stage& stage, Method& method) {
    const bool logs = settings.log_level != config::LoggingLevel::off;
    if (!logs && !stage.tracing) return {};
    if (logs) {
        auto opened = execution_log(stage);
        if (!opened) return opened;
    }
    method.watch =
        std::make_unique<const Watch>(Watch{.log_level = settings.log_level,
                                            .data_trace = settings.data_trace,
                                            .timestamps = config_.server.execution_log.timestamps,
                                            .log_file = stage.execution_log,
                                            .tracing = stage.tracing,
                                            .stage_limit = settings.throttle});
    return {};
}

Result<void> Compiler::methods(const config::Stage& c) {
    const config::RestApi& api = api_of(c);
    Stage& stage = *stage_named(api.id, c.stage_name);
    auto logging = access_log(c, stage);
    if (!logging) return logging;
    if (c.tracing_enabled && !config_.server.tracing.disabled) {
        stage.tracing = std::make_shared<const Tracing>(config_.server.tracing, services_.spans);
    }
    // What matches no method has the settings of "*/*".
    auto watched =
        watch(effective_settings(c, config::Resource{.path = "/"}, {}), stage, stage.unmatched);
    if (!watched) return watched;
    std::size_t next = 0;
    for (const config::Resource& resource : api.resources) {
        for (const config::Method& m : resource.methods) {
            auto made = method(api, c, resource, m, stage, stage.methods[next++]);
            if (!made) return made;
        }
    }
    return {};
}

Result<void> Compiler::method(const config::RestApi& api, const config::Stage& c,
                              const config::Resource& resource, const config::Method& m,
                              Stage& stage, Method& method) {
    const EffectiveSettings settings = effective_settings(c, resource, m);
    telemetry::SeriesLabels labels{stage.api_name, stage.name, "", ""};
    if (settings.metrics) {
        labels.resource = resource.path;
        labels.method = m.http_method;
    }
    method.series = &services_.metrics.series(labels);
    auto watched = watch(settings, stage, method);
    if (!watched) return watched;
    MethodBuild build{.config = config_,
                      .api = api,
                      .stage_config = c,
                      .resource = resource,
                      .method_config = m,
                      .settings = settings,
                      .snapshot = *snapshot_,
                      .stage = stage,
                      .method = method};
    if (settings.throttle) {
        const state::BucketShape shape = kept(*settings.throttle);
        const std::string name =
            "stage|" + full_name(api.id, c.stage_name, method_key(resource.path, m.http_method));
        build.stage_bucket = SharedBucket{shape, services_.limits.bucket(name, shape), name};
    }
    for (const FilterEntry& entry : services_.filters) {
        FilterPtr filter = entry.make(build);
        if (!filter) continue;
        method.chain.add(*filter);
        stage.filters.push_back(std::move(filter));
    }
    auto integration = services_.make_integration(build);
    if (!integration) {
        Error error = integration.error();
        error.detail = api.id + " " + m.http_method + " " + resource.path + " in stage " +
                       c.stage_name + ": " + error.detail;
        return error;
    }
    method.integration = std::move(*integration);
    return {};
}

void Compiler::domains() {
    DomainTable& table = snapshot_->domains;
    for (const auto& stage : snapshot_->stages) {
        table.add_stage(stage->api_id, stage->name, stage->index);
    }
    for (const config::DomainName& domain : config_.domain_names) {
        table.add_domain(domain.domain_name);
        for (const config::BasePathMapping& mapping : domain.mappings) {
            const Stage* stage = stage_named(mapping.rest_api_id, mapping.stage);
            table.add_mapping(domain.domain_name, mapping.base_path, stage->index);
        }
    }
}

}  // namespace

std::shared_ptr<state::CacheStore> Caches::of(const config::RestApi& api, const std::string& stage,
                                              std::uint64_t bytes) {
    Named& cache = caches_[{api.id, stage}];
    cache.api_name = api.name.empty() ? api.id : api.name;
    if (!cache.store || cache.store->capacity() != bytes) {
        cache.store = std::make_shared<state::CacheStore>(bytes, kMaxCachedResponse, workers_);
    }
    return cache.store;
}

std::shared_ptr<state::CacheStore> Caches::find(const std::string& api,
                                                const std::string& stage) const {
    const auto it = caches_.find({api, stage});
    return it == caches_.end() ? nullptr : it->second.store;
}

void Caches::sweep() {
    std::erase_if(caches_, [](const auto& entry) { return entry.second.store.use_count() == 1; });
}

Result<std::shared_ptr<Snapshot>> compile(const config::Config& config, Services& services) {
    return Compiler{config, services}.run();
}

}  // namespace sluice::gateway
