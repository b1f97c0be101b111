// SPDX-License-Identifier: Apache-2.0
//
// Resource paths, method keys and integration URIs as text. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/config/model.hpp"

namespace sluice::config {

/// "/pets/GET", "pets/GET", "~1pets/GET" -> "pets/GET"; "//GET", "/GET" -> "/GET"; "*/*" stays.
/// Nothing when it is none of these.
std::optional<std::string> normal_method_key(std::string_view key);

/// The normalised key of a method of a resource: ("/pets", "GET") -> "pets/GET".
std::string method_key(std::string_view path, std::string_view method);

/// Every method of an API as a normalised key, in file order.
std::vector<std::string> method_keys(const RestApi&);

/// "/pets/{id}" -> "pets", "{id}".
std::vector<std::string> segments_of(std::string_view path);

/// A variable segment's name: "{id}" -> "id", "{proxy+}" -> "proxy"; nothing for a literal.
std::optional<std::string> variable_of(std::string_view segment);
bool is_greedy(std::string_view segment);
std::vector<std::string> variables_of(std::string_view path);

/// ^[a-zA-Z0-9._$-]+$ (aws-semantics 1.3)
bool is_parameter_name(std::string_view);

/// Why the path breaks a rule of aws-semantics 1.3 on its own, if it does.
std::optional<std::string> path_fault(std::string_view path);

/// What an integration's URI asks for; `fault` says why it is none.
struct UriTemplate {
    std::string host{};  ///< without port; empty when a stage variable is part of it
    std::string port{};
    std::vector<std::string> parameters{};       ///< {name}
    std::vector<std::string> stage_variables{};  ///< ${stageVariables.name}
    std::string fault{};
};
UriTemplate parse_uri(std::string_view);

/// "method.request.header.Origin" in pieces; nothing when it is not of that form.
struct ParameterName {
    std::string location{};  ///< path, querystring, multivaluequerystring, header, ...
    std::string name{};
};
std::optional<ParameterName> parameter_of(std::string_view expression, std::string_view prefix);

/// A method.request parameter in path, querystring or header, the "multivalue" taken off the
/// location: both forms speak of the same parameter.
std::optional<ParameterName> request_parameter(std::string_view expression);

}  // namespace sluice::config
