// SPDX-License-Identifier: Apache-2.0
//
// The traps of AWS's response cache: legal, and yet one client gets another one's answer.
#include <algorithm>

#include "config/check.hpp"
#include "config/paths.hpp"
#include "config/text.hpp"

namespace sluice::config {
namespace {

constexpr std::int64_t kDefaultTtl = 300;  // aws-semantics 5.1

bool is_cached(const Stage& stage, const Resource& resource, const Method& method) {
    if (!stage.cache_cluster_enabled) return false;
    const auto& settings = stage.method_settings;
    const auto own = settings.find(method_key(resource.path, method.http_method));
    const auto all = settings.find("*/*");
    std::optional<bool> on;
    std::optional<seconds> ttl;
    if (own != settings.end()) {
        on = own->second.caching_enabled;
        ttl = own->second.cache_ttl;
    }
    if (all != settings.end()) {
        // "*/*" speaks for GET, and for the GET of ANY.
        const bool gets = method.http_method == "GET" || method.http_method == "ANY";
        if (!on && gets) on = all->second.caching_enabled;
        if (!ttl) ttl = all->second.cache_ttl;
    }
    return on.value_or(false) && ttl.value_or(seconds(kDefaultTtl)).count() > 0;
}

bool key_has(const Integration& integration, std::string_view location, std::string_view name) {
    const auto& keys = integration.cache_key_parameters;
    return std::any_of(keys.begin(), keys.end(), [&](const std::string& expression) {
        const auto parameter = request_parameter(expression);
        return parameter && parameter->location == location &&
               lower(parameter->name) == lower(name);
    });
}

bool mapped_in_key(const Integration& integration, const std::string& variable) {
    const auto& keys = integration.cache_key_parameters;
    return std::any_of(keys.begin(), keys.end(), [&](const std::string& expression) {
        const auto mapping = integration.request_parameters.find(expression);
        return mapping != integration.request_parameters.end() &&
               mapping->second == "method.request.path." + variable;
    });
}

bool uses_cors(const Resource& resource, const Method& method) {
    for (const auto& [expression, must] : method.request_parameters) {
        const auto parameter = request_parameter(expression);
        if (parameter && parameter->location == "header" && lower(parameter->name) == "origin") {
            return true;
        }
    }
    return std::any_of(resource.methods.begin(), resource.methods.end(),
                       [](const Method& m) { return m.http_method == "OPTIONS"; });
}

void warn_of(const Stage& stage, const Resource& resource, const Method& method,
             Findings& findings) {
    const std::string who = "restApis " + in_quotes(stage.rest_api_id) + " " + resource.path + " " +
                            method.http_method + ": is cached in stage " +
                            in_quotes(stage.stage_name);
    const Integration& integration = method.integration;
    for (const std::string& name : variables_of(resource.path)) {
        if (key_has(integration, "path", name) || mapped_in_key(integration, name)) continue;
        warning(findings, method.where,
                who + " without method.request.path." + name +
                    " in cacheKeyParameters: every value of {" + name + "} gets the same answer");
    }
    if (uses_cors(resource, method) && !key_has(integration, "header", "Origin")) {
        warning(findings, method.where,
                who +
                    " without method.request.header.Origin in cacheKeyParameters: one origin's "
                    "CORS headers are replayed to others");
    }
}

}  // namespace

void check_caching(const Config& config, Findings& findings) {
    for (const Stage& stage : config.stages) {
        const RestApi* api = find_api(config, stage.rest_api_id);
        if (api == nullptr) continue;
        for (const Resource& resource : api->resources) {
            for (const Method& method : resource.methods) {
                if (is_cached(stage, resource, method)) {
                    warn_of(stage, resource, method, findings);
                }
            }
        }
    }
}

}  // namespace sluice::config
