// SPDX-License-Identifier: Apache-2.0
#include "admin/routes.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <span>

#include "admin/monitoring.hpp"
#include "admin/page.hpp"
#include "admin/usage.hpp"

namespace sluice::admin {
namespace {

using Json = nlohmann::ordered_json;
using Done = std::function<void(Reply)>;

Reply not_found(std::string_view message = "Not Found") {
    return error_reply(404, "NotFoundException", message);
}

void metrics(const Hooks& hooks, const Request&, const Done& done) {
    if (!hooks.metrics) return done(not_found());
    done({.body = hooks.metrics(), .content_type = "text/plain; version=0.0.4; charset=utf-8"});
}

void healthz(const Hooks&, const Request&, const Done& done) {
    done(json_reply(200, {{"status", "ok"}}));
}

void readyz(const Hooks& hooks, const Request&, const Done& done) {
    const auto reason = hooks.ready ? hooks.ready() : std::nullopt;
    if (!reason) return done(json_reply(200, {{"status", "ready"}}));
    done(json_reply(503, {{"status", "not ready"}, {"reason", *reason}}));
}

void version(const Hooks&, const Request&, const Done& done) {
    done(json_reply(200, {{"name", "sluice"}, {"version", SLUICE_VERSION}}));
}

void config_json(const Hooks& hooks, const Request&, const Done& done) {
    if (!hooks.config_json) return done(not_found());
    done({.body = hooks.config_json()});
}

void usage(const Hooks& hooks, const Request& request, const Done& done) {
    if (!hooks.usage) return done(not_found());
    const auto today = std::chrono::floor<std::chrono::days>(hooks.now());
    const auto asked = parse_usage(request.query, today);
    if (!asked) return done(error_reply(400, "BadRequestException", asked.error().detail));
    const auto found = hooks.usage(asked->query);
    if (!found) return done(not_found("Invalid Usage Plan ID specified"));
    done(usage_reply(*asked, *found));
}

Json to_json(const StageObject& stage) {
    Json out{{"stageName", stage.name}};
    if (!stage.description.empty()) out["description"] = stage.description;
    out["cacheClusterEnabled"] = stage.cache_enabled;
    out["variables"] = Json(stage.variables);
    return out;
}

/// Names as in v2 of AWS's API (aws-semantics 17); `stages` is ours.
Json to_json(const ApiObject& api) {
    Json out{{"apiId", api.id}, {"name", api.name}};
    if (!api.description.empty()) out["description"] = api.description;
    out["protocolType"] = api.protocol_type;
    if (!api.created_date.empty()) out["createdDate"] = api.created_date;
    out["apiKeySelectionExpression"] = api.api_key_selection_expression;
    out["tags"] = Json::object();
    out["stages"] = Json::array();
    for (const StageObject& stage : api.stages)
        out["stages"].push_back(to_json(stage));
    return out;
}

void apis(const Hooks& hooks, const Request&, const Done& done) {
    if (!hooks.apis) return done(not_found());
    Json items = Json::array();
    for (const ApiObject& api : hooks.apis())
        items.push_back(to_json(api));
    done(json_reply(200, {{"items", std::move(items)}}));
}

Reply reload_reply(const ReloadResult& result) {
    Json problems = Json::array();
    for (const config::Problem& p : result.problems) {
        problems.push_back(
            {{"severity", p.severity == config::Severity::error ? "error" : "warning"},
             {"file", p.where.file},
             {"line", p.where.line},
             {"column", p.where.column},
             {"message", p.message}});
    }
    if (result.ok) return json_reply(200, {{"status", "reloaded"}, {"problems", problems}});
    return json_reply(422, {{"message", "The configuration is invalid; the old one goes on"},
                            {"problems", problems}});
}

void reload(const Hooks& hooks, const Request&, const Done& done) {
    if (!hooks.reload) return done(not_found());
    hooks.reload([done](ReloadResult result) { done(reload_reply(result)); });
}

void flush_cache(const Hooks& hooks, const Request& request, const Done& done) {
    if (!hooks.flush_cache || !hooks.flush_cache(request.segments[1], request.segments[3])) {
        return done(not_found("Invalid stage identifier specified"));
    }
    done({.status = 202});  // aws-semantics 5.6
}

void statistics(const Hooks& hooks, const Request& request, const Done& done) {
    if (hooks.history == nullptr) return done(not_found());
    done(metric_statistics(request.query, *hooks.history, hooks.now()));
}

void cloudwatch(const Hooks& hooks, const Request& request, const Done& done) {
    if (hooks.history == nullptr || !hooks.apis) return done(not_found());
    done(cloudwatch_metrics(request.query, *hooks.history, hooks.apis()));
}

void status(const Hooks& hooks, const Request&, const Done& done) {
    if (!hooks.status) return done(not_found());
    done({.body = hooks.status()});
}

void page(const Hooks&, const Request& request, const Done& done) {
    done(page_reply(request.segments[0]));
}

struct Route {
    std::string_view method;
    std::string_view path;  ///< "*" stands for one segment, not empty
    void (*serve)(const Hooks&, const Request&, const Done&);
    bool open = false;  ///< to callers without a token
};

constexpr Route kRoutes[] = {
    // The page itself tells nothing; what it shows comes from /status.
    {"GET", "/", &page, true},
    {"GET", "/status.css", &page, true},
    {"GET", "/status.js", &page, true},
    {"GET", "/chart.js", &page, true},
    {"GET", "/format.js", &page, true},
    {"GET", "/favicon.svg", &page, true},
    {"GET", "/status", &status},
    {"GET", "/metrics", &metrics},
    {"GET", "/metrics/cloudwatch", &cloudwatch},
    {"GET", "/monitoring/metrics", &statistics},
    {"GET", "/healthz", &healthz, true},
    {"GET", "/readyz", &readyz, true},
    {"GET", "/version", &version},
    {"GET", "/config", &config_json},
    {"GET", "/usage", &usage},
    {"GET", "/apis", &apis},
    {"POST", "/reload", &reload},
    {"DELETE", "/restapis/*/stages/*/cache/data", &flush_cache},
};

bool matches(std::string_view path, std::span<const std::string> segments) {
    for (const std::string& segment : segments) {
        if (path.empty()) return false;
        path.remove_prefix(1);
        const std::string_view wanted = path.substr(0, path.find('/'));
        path.remove_prefix(wanted.size());
        if (wanted == "*" ? segment.empty() : segment != wanted) return false;
    }
    return path.empty();
}

}  // namespace

bool changes_something(std::string_view method) { return method != "GET" && method != "HEAD"; }

bool needs_token(const Request& request) {
    return std::ranges::none_of(kRoutes, [&](const Route& route) {
        return route.open && matches(route.path, request.segments);
    });
}

void serve(const Hooks& hooks, const Request& request, Done done) {
    const std::string_view sent = request.method;
    const std::string_view method = sent == "HEAD" ? "GET" : sent;
    std::string allowed;
    for (const Route& route : kRoutes) {
        if (!matches(route.path, request.segments)) continue;
        if (route.method == method) return route.serve(hooks, request, done);
        if (!allowed.empty()) allowed += ", ";
        allowed += route.method == "GET" ? "GET, HEAD" : route.method;
    }
    if (allowed.empty()) return done(not_found());
    Reply reply = error_reply(405, "MethodNotAllowedException", "Method Not Allowed");
    reply.fields.emplace_back("Allow", allowed);
    done(std::move(reply));
}

}  // namespace sluice::admin
