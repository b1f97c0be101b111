// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <map>

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
void check_siblings(const RestApi& api, Findings& findings) {
    std::map<std::string, std::string> variable_of_parent;
    for (const Resource& resource : api.resources) {
        if (path_fault(resource.path)) continue;
        std::string parent;
        for (const std::string& segment : segments_of(resource.path)) {
            if (variable_of(segment)) {
                const auto [first, added] = variable_of_parent.emplace(parent, segment);
                if (!added && first->second != segment) {
                    error(findings, resource.where,
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
    Findings& findings;

    const Integration& integration() const { return method.integration; }
    std::string name() const {
        return "restApis " + in_quotes(api.id) + " " + resource.path + " " + method.http_method +
               " ";
    }
    void fail(const Location& where, std::vector<std::string> below,
              const std::string& text) const {
        error(findings, where, name() + below.front() + ": " + text, below);
    }
    void warn(const Location& where, std::vector<std::string> below,
              const std::string& text) const {
        warning(findings, where, name() + below.front() + ": " + text, below);
    }
};

void check_request_parameters(const Place& at) {
    const Location& where = at.method.where;
    std::map<std::string, std::string> location_of;
    for (const auto& [expression, must] : at.method.request_parameters) {
        const std::vector<std::string> below{"requestParameters", expression};
        const auto parameter = request_parameter(expression);
        if (!parameter) {
            at.fail(
                where, below,
                in_quotes(expression) + " must read method.request.{path,querystring,header}.NAME");
            continue;
        }
        const auto [other, added] = location_of.emplace(parameter->name, parameter->location);
        if (!added && other->second != parameter->location) {
            at.fail(where, below,
                    "Parameter names must be unique across querystring, header and path: " +
                        in_quotes(parameter->name));
        }
        if (parameter->location == "path" &&
            !contains(variables_of(at.resource.path), parameter->name)) {
            at.warn(where, below, "the path has no variable " + in_quotes(parameter->name));
        }
    }
}

void check_placeholders(const Place& at, const UriTemplate& uri) {
    const Location& where = at.integration().where;
    const auto known = variables_of(at.resource.path);
    const auto& mapped = at.integration().request_parameters;
    for (const std::string& name : uri.parameters) {
        if (contains(known, name) || mapped.contains(std::string(kMappedPath) + name)) continue;
        at.fail(where, {"uri"},
                "{" + name + "} is no variable of the path" + did_you_mean(name, known));
    }
    for (const auto& [target, source] : mapped) {
        const std::vector<std::string> below{"requestParameters", target};
        const auto to = parameter_of(target, "integration.request.");
        const auto from = parameter_of(source, "method.request.");
        if (to && !contains(uri.parameters, to->name)) {
            at.fail(where, below, "the uri has no {" + to->name + "}");
        }
        if (from && !contains(known, from->name)) {
            at.fail(where, below,
                    "the path has no variable " + in_quotes(from->name) +
                        did_you_mean(from->name, known));
        }
    }
}

void check_host(const Place& at, const UriTemplate& uri) {
    if (uri.host.empty()) return;  // a stage variable is part of it
    std::vector<std::string> near;
    for (const Backend& backend : at.config.backends) {
        if (backend.name == lower(uri.host)) {
            if (uri.port.empty()) return;
            return at.fail(at.integration().where, {"uri"},
                           in_quotes(uri.host) + " is a backend, whose targets have the port");
        }
        const std::size_t distance = edit_distance(backend.name, uri.host);
        if (distance * 3 <= backend.name.size()) near.push_back(backend.name);
    }
    if (near.empty() || uri.host.find('.') != std::string::npos || !uri.port.empty()) return;
    at.warn(at.integration().where, {"uri"},
            in_quotes(uri.host) + " is no backend and will be looked up in DNS" +
                did_you_mean(uri.host, near));
}

void check_stage_variables(const Place& at, const UriTemplate& uri) {
    for (const Stage& stage : at.config.stages) {
        if (stage.rest_api_id != at.api.id) continue;
        for (const std::string& name : uri.stage_variables) {
            if (stage.variables.contains(name)) continue;
            at.warn(at.integration().where, {"uri"},
                    "stage " + in_quotes(stage.stage_name) + " has no variable " + in_quotes(name) +
                        ", so it is empty there");
        }
    }
}

bool is_declared(const Place& at, const ParameterName& wanted) {
    // Path parameters exist implicitly.
    if (wanted.location == "path") return contains(variables_of(at.resource.path), wanted.name);
    for (const auto& [expression, must] : at.method.request_parameters) {
        const auto known = request_parameter(expression);
        if (!known || known->location != wanted.location) continue;
        if (known->name == wanted.name) return true;
        if (known->location == "header" && lower(known->name) == lower(wanted.name)) return true;
    }
    return false;
}

/// aws-semantics 5.2
void check_cache_key(const Place& at, const std::string& expression) {
    const std::vector<std::string> below{"cacheKeyParameters", expression};
    const Location& where = at.integration().where;
    const std::string who = in_quotes(expression);
    if (const auto mapped = parameter_of(expression, "integration.request.")) {
        if (mapped->location != "path") return at.fail(where, below, who + " is not supported yet");
        if (at.integration().request_parameters.contains(expression)) return;
        return at.fail(where, below, who + " is not in the integration's requestParameters");
    }
    const auto parameter = request_parameter(expression);
    if (!parameter) {
        return at.fail(where, below,
                       who +
                           " must read method.request.{path,querystring,multivaluequerystring,"
                           "header,multivalueheader}.NAME");
    }
    if (is_declared(at, *parameter)) return;
    std::vector<std::string> declared;
    for (const auto& [name, must] : at.method.request_parameters)
        declared.push_back(name);
    for (const std::string& name : variables_of(at.resource.path)) {
        declared.push_back("method.request.path." + name);
    }
    at.fail(
        where, below,
        who +
            (parameter->location == "path" ? " is no variable of the path"
                                           : " is not declared in the method's requestParameters") +
            did_you_mean(expression, declared));
}

void check_method(const Place& at) {
    check_request_parameters(at);
    const Integration& integration = at.integration();
    for (const std::string& key : integration.cache_key_parameters)
        check_cache_key(at, key);
    if (integration.type != IntegrationType::http_proxy || integration.uri.empty()) return;
    const UriTemplate uri = parse_uri(integration.uri);
    if (!uri.fault.empty()) return;  // reported where it was read
    check_placeholders(at, uri);
    check_host(at, uri);
    check_stage_variables(at, uri);
}

}  // namespace

void check_apis(const Config& config, Findings& findings) {
    std::map<std::string, Location> first;
    for (const RestApi& api : config.rest_apis) {
        const auto [other, added] = first.emplace(api.id, api.where);
        if (!added && !api.id.empty()) {
            error(findings, api.where,
                  "restApis: second definition of id " + in_quotes(api.id) + "; the first is at " +
                      place(other->second),
                  {"id"});
        }
        check_siblings(api, findings);
        for (const Resource& resource : api.resources) {
            for (const Method& method : resource.methods) {
                check_method({config, api, resource, method, findings});
            }
        }
    }
}

}  // namespace sluice::config
