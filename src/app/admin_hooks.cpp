// SPDX-License-Identifier: Apache-2.0
#include "app/admin_hooks.hpp"

#include <algorithm>

#include "app/usage_report.hpp"
#include "sluice/telemetry/log.hpp"

namespace sluice::app {
namespace {

/// False when there is no such stage; one without a cache has nothing to drop.
bool flush_cache(const AdminView& view, std::string_view api, std::string_view stage) {
    const auto& stages = view.config.stages;
    const bool known = std::any_of(stages.begin(), stages.end(), [&](const config::Stage& s) {
        return s.rest_api_id == api && s.stage_name == stage;
    });
    const auto cache = view.caches.find(std::string{api}, std::string{stage});
    if (cache) cache->clear();
    return known;
}

/// The answer to a reload that went well means that every worker serves the new configuration.
void reload(const AdminView& view, std::function<void(admin::ReloadResult)> done) {
    const auto result = view.reload();
    if (!result.ok) return done(result);
    view.after_workers([done = std::move(done), result] { done(result); });
}

}  // namespace

admin::Hooks make_admin_hooks(AdminView view) {
    admin::Hooks hooks;
    hooks.metrics = [view] { return view.metrics.render(); };
    hooks.ready = [view]() -> std::optional<std::string> {
        if (view.stopping) return "draining";
        return std::nullopt;
    };
    hooks.config_json = [view] { return config::dump_json(view.config); };
    hooks.usage = [view](const admin::UsageQuery& query) {
        // What is counted here has to be where the others' counts are.
        if (view.state.shared) (void)view.state.writer->flush_now();
        return report_usage(query, view.config, view.limits, *view.state.store);
    };
    hooks.apis = [view] { return describe_apis(view.config); };
    hooks.status = [view] { return view.monitor.status_json(); };
    hooks.history = &view.monitor.history();
    hooks.reload = [view](std::function<void(admin::ReloadResult)> done) {
        reload(view, std::move(done));
    };
    hooks.flush_cache = [view](std::string_view api, std::string_view stage) {
        return flush_cache(view, api, stage);
    };
    hooks.audit = [](const std::string& line) { log::info("admin: {}", line); };
    return hooks;
}

}  // namespace sluice::app
