// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <map>
#include <set>

#include "config/check.hpp"
#include "config/paths.hpp"
#include "config/text.hpp"

namespace sluice::config {
namespace {

constexpr std::string_view kMappedPath = "integration.request.path.";

bool contains(const std::vector<std::string>& list, const std::string& item) {
    return std::find(list.begin(), list.end(), item) != list.end();
}

/// One variable child per parent (aws-semantics 1.3).
void check_siblings(const RestApi& api, Problems& problems) {
    std::map<std::string, std::string> variable_of_parent;
    for (const Resource& resource : api.resources) {
        if (path_fault(resource.path)) continue;
        std::string parent;
        for (const std::string& segment : segments_of(resource.path)) {
            if (variable_of(segment)) {
                const auto [first, added] = variable_of_parent.emplace(parent, segment);
                if (!added && first->second != segment) {
                    error(problems, resource.where,
                          "resource " + in_quotes(resource.path) + ": A sibling (" + first->second +
                              ") of this resource already has a variable path part -- only one "
                              "is allowed");
                    break;
                }
            }
            parent += "/" + segment;
        }
    }
}

struct Place {
    const Config& config;
    const RestApi& api;
    const Resource& resource;
    const Method& method;
    Problems& problems;

    std::string name() const {
        return "restApis " + in_quotes(api.id) + " " + resource.path + " " + method.http_method;
    }
    void fail(const Location& where, const std::string& message) const {
        error(problems, where, name() + ": " + message);
    }
    void warn(const Location& where, const std::string& message) const {
        warning(problems, where, name() + ": " + message);
    }
    bool has_variable(const std::string& variable) const {
        return contains(variables_of(resource.path), variable);
    }
};

void check_request_parameters(const Place& at) {
    static const std::set<std::string> kLocations{"path", "querystring", "header",
                                                  "multivaluequerystring", "multivalueheader"};
    std::map<std::string, std::string> location_of;
    for (const auto& [expression, must] : at.method.request_parameters) {
        const auto parameter = parameter_of(expression, "method.request.");
        if (!parameter || !kLocations.contains(parameter->location)) {
            at.fail(at.method.where,
                    "requestParameters: " + in_quotes(expression) +
                        " must read method.request.{path,querystring,header}.NAME");
            continue;
        }
        std::string location = parameter->location;
        if (location.starts_with("multivalue")) location = location.substr(10);
        const auto [other, added] = location_of.emplace(parameter->name, location);
        if (!added && other->second != location) {
            at.fail(at.method.where,
                    "Parameter names must be unique across querystring, header and path: " +
                        in_quotes(parameter->name));
        }
        if (location == "path" && !at.has_variable(parameter->name)) {
            at.warn(at.method.where,
                    "requestParameters: the path has no variable " + in_quotes(parameter->name));
        }
    }
}

void check_placeholders(const Place& at, const UriTemplate& uri) {
    const auto known = variables_of(at.resource.path);
    const auto& mapped = at.method.integration.request_parameters;
    for (const std::string& name : uri.parameters) {
        if (contains(known, name) || mapped.contains(std::string(kMappedPath) + name)) continue;
        at.fail(at.method.integration.where,
                "uri: {" + name + "} is no variable of the path" + did_you_mean(name, known));
    }
    for (const auto& [target, source] : mapped) {
        const auto to = parameter_of(target, "integration.request.");
        const auto from = parameter_of(source, "method.request.");
        if (to && !contains(uri.parameters, to->name)) {
            at.fail(at.method.integration.where,
                    "requestParameters: the uri has no {" + to->name + "}");
        }
        if (from && !contains(known, from->name)) {
            at.fail(at.method.integration.where, "requestParameters: the path has no variable " +
                                                     in_quotes(from->name) +
                                                     did_you_mean(from->name, known));
        }
    }
}

void check_host(const Place& at, const UriTemplate& uri) {
    const Location& where = at.method.integration.where;
    if (!uri.stage_variables.empty() && uri.host.find('1') != std::string::npos) return;
    std::vector<std::string> near;
    for (const Backend& backend : at.config.backends) {
        if (backend.name == lower(uri.host)) {
            if (!uri.port.empty()) {
                at.fail(where, "uri: " + in_quotes(uri.host) +
                                   " is a backend, whose targets have the port");
            }
            return;
        }
        if (edit_distance(backend.name, uri.host) <= 2) near.push_back(backend.name);
    }
    if (near.empty() || uri.host.find('.') != std::string::npos || !uri.port.empty()) return;
    at.warn(where, "uri: " + in_quotes(uri.host) + " is no backend and will be looked up in DNS" +
                       did_you_mean(uri.host, near));
}

void check_stage_variables(const Place& at, const UriTemplate& uri) {
    for (const Stage& stage : at.config.stages) {
        if (stage.rest_api_id != at.api.id) continue;
        for (const std::string& name : uri.stage_variables) {
            if (stage.variables.contains(name)) continue;
            at.warn(at.method.integration.where, "uri: stage " + in_quotes(stage.stage_name) +
                                                     " has no variable " + in_quotes(name) +
                                                     ", so it is empty there");
        }
    }
}

/// aws-semantics 5.2
void check_cache_key(const Place& at) {
    const Integration& integration = at.method.integration;
    for (const std::string& expression : integration.cache_key_parameters) {
        const std::string who = "cacheKeyParameters: " + in_quotes(expression);
        const auto mapped = parameter_of(expression, "integration.request.");
        if (mapped && mapped->location == "path") {
            if (!integration.request_parameters.contains(expression)) {
                at.fail(integration.where, who + " is not in the integration's requestParameters");
            }
            continue;
        }
        if (mapped) {
            at.fail(integration.where, who + " is not supported yet");
            continue;
        }
        const auto parameter = parameter_of(expression, "method.request.");
        static const std::set<std::string> kLocations{"path", "querystring", "header",
                                                      "multivaluequerystring", "multivalueheader"};
        if (!parameter || !kLocations.contains(parameter->location)) {
            at.fail(integration.where,
                    who +
                        " must read method.request.{path,querystring,multivaluequerystring,"
                        "header,multivalueheader}.NAME");
            continue;
        }
        if (parameter->location == "path" && at.has_variable(parameter->name)) continue;
        const bool header = parameter->location.ends_with("header");
        std::vector<std::string> declared;
        bool found = false;
        for (const auto& [name, must] : at.method.request_parameters) {
            const auto other = parameter_of(name, "method.request.");
            if (!other) continue;
            declared.push_back(name);
            const auto base = [](const std::string& location) {
                return location.starts_with("multivalue") ? location.substr(10) : location;
            };
            const bool same_name = header ? lower(other->name) == lower(parameter->name)
                                          : other->name == parameter->name;
            found = found || (same_name && base(other->location) == base(parameter->location));
        }
        if (found) continue;
        at.fail(integration.where, who + " is not declared in the method's requestParameters" +
                                       did_you_mean(expression, declared));
    }
}

void check_method(const Place& at) {
    check_request_parameters(at);
    check_cache_key(at);
    const Integration& integration = at.method.integration;
    if (integration.type != IntegrationType::http_proxy || integration.uri.empty()) return;
    const UriTemplate uri = parse_uri(integration.uri);
    if (!uri.fault.empty()) return;  // reported where it was read
    check_placeholders(at, uri);
    check_host(at, uri);
    check_stage_variables(at, uri);
}

}  // namespace

void check_apis(const Config& config, Problems& problems) {
    std::map<std::string, Location> first;
    for (const RestApi& api : config.rest_apis) {
        const auto [other, added] = first.emplace(api.id, api.where);
        if (!added && !api.id.empty()) {
            error(problems, api.where,
                  "restApis: second definition of id " + in_quotes(api.id) + "; the first is at " +
                      place(other->second));
        }
        check_siblings(api, problems);
        for (const Resource& resource : api.resources) {
            for (const Method& method : resource.methods) {
                check_method({config, api, resource, method, problems});
            }
        }
    }
}

}  // namespace sluice::config
