// SPDX-License-Identifier: Apache-2.0
#include "config/paths.hpp"

#include <algorithm>
#include <array>

#include "config/names.hpp"
#include "config/text.hpp"

namespace sluice::config {

std::optional<std::string> normal_method_key(std::string_view key) {
    std::string text;
    for (std::size_t i = 0; i < key.size(); ++i) {
        const bool escape = key[i] == '~' && i + 1 < key.size();
        if (escape && (key[i + 1] == '1' || key[i + 1] == '0')) {
            text += key[++i] == '1' ? '/' : '~';  // JSON pointer, as AWS's patch paths
        } else {
            text += key[i];
        }
    }
    if (text == "*/*" || text == "/*/*") return "*/*";
    const auto slash = text.rfind('/');
    if (slash == std::string::npos) return {};
    const std::string method = text.substr(slash + 1);
    if (std::find(std::begin(kVerbs), std::end(kVerbs), method) == std::end(kVerbs)) return {};
    const std::string path = text.substr(0, slash);
    const auto start = path.find_first_not_of('/');
    if (start == std::string::npos) return "/" + method;
    return path.substr(start) + "/" + method;
}

std::string method_key(std::string_view path, std::string_view method) {
    const std::string relative(path.substr(path.starts_with('/') ? 1 : 0));
    return relative + "/" + std::string(method);
}

std::vector<std::string> method_keys(const RestApi& api) {
    std::vector<std::string> keys;
    for (const Resource& resource : api.resources) {
        for (const Method& method : resource.methods) {
            keys.push_back(method_key(resource.path, method.http_method));
        }
    }
    return keys;
}

std::vector<std::string> segments_of(std::string_view path) {
    std::vector<std::string> segments;
    std::size_t start = path.starts_with('/') ? 1 : 0;
    if (path.size() == start) return segments;
    while (start <= path.size()) {
        const auto end = std::min(path.find('/', start), path.size());
        segments.emplace_back(path.substr(start, end - start));
        start = end + 1;
    }
    return segments;
}

bool is_greedy(std::string_view segment) {
    return segment.starts_with('{') && segment.ends_with("+}");
}

std::optional<std::string> variable_of(std::string_view segment) {
    if (segment.size() < 2 || !segment.starts_with('{') || !segment.ends_with('}')) return {};
    const std::size_t tail = is_greedy(segment) ? 2 : 1;
    return std::string(segment.substr(1, segment.size() - 1 - tail));
}

std::vector<std::string> variables_of(std::string_view path) {
    std::vector<std::string> names;
    for (const std::string& segment : segments_of(path)) {
        if (auto name = variable_of(segment)) names.push_back(*std::move(name));
    }
    return names;
}

bool is_parameter_name(std::string_view name) {
    const auto fits = [](char c) {
        return is_alnum(c) || c == '.' || c == '_' || c == '$' || c == '-';
    };
    return !name.empty() && std::all_of(name.begin(), name.end(), fits);
}

namespace {

std::optional<std::string> segment_fault(const std::string& segment) {
    if (segment.empty()) return "has an empty segment";
    if (segment == "." || segment == "..") return "has a dot segment, which no request can reach";
    if (const auto name = variable_of(segment)) {
        if (is_parameter_name(*name)) return {};
        return "the name in " + in_quotes(segment) + " must be letters, digits and any of . _ $ -";
    }
    if (segment.find_first_of("{}") != std::string::npos) {
        return "a path variable must be a whole segment, unlike in " + in_quotes(segment);
    }
    const auto fits = [](char c) {
        return is_alnum(c) || c == '_' || c == '-' || c == '.' || c == ',' || c == ':';
    };
    if (std::all_of(segment.begin(), segment.end(), fits)) return {};
    return in_quotes(segment) + " may hold letters, digits and any of _ - . , : only";
}

}  // namespace

std::optional<std::string> path_fault(std::string_view path) {
    if (!path.starts_with('/')) return "a path must begin with \"/\"";
    if (path.size() > 1 && path.ends_with('/')) return "a path must not end with \"/\"";
    const auto segments = segments_of(path);
    std::vector<std::string> names;
    for (std::size_t i = 0; i < segments.size(); ++i) {
        if (auto fault = segment_fault(segments[i])) return fault;
        if (is_greedy(segments[i]) && i + 1 < segments.size()) {
            return "Cannot create a child of a resource with a greedy path variable: " +
                   segments[i];
        }
        const auto name = variable_of(segments[i]);
        if (!name) continue;
        if (std::find(names.begin(), names.end(), *name) != names.end()) {
            return "the path variable " + in_quotes(*name) + " stands twice";
        }
        names.push_back(*name);
    }
    return {};
}

std::optional<ParameterName> parameter_of(std::string_view expression, std::string_view prefix) {
    if (!expression.starts_with(prefix)) return {};
    const std::string_view rest = expression.substr(prefix.size());
    const auto dot = rest.find('.');
    if (dot == std::string_view::npos || dot == 0 || dot + 1 == rest.size()) return {};
    return ParameterName{std::string(rest.substr(0, dot)), std::string(rest.substr(dot + 1))};
}

std::optional<ParameterName> request_parameter(std::string_view expression) {
    auto parameter = parameter_of(expression, "method.request.");
    if (!parameter) return {};
    std::string& location = parameter->location;
    if (location == "multivaluequerystring") location = "querystring";
    if (location == "multivalueheader") location = "header";
    if (location == "path" || location == "querystring" || location == "header") return parameter;
    return {};
}

namespace {

bool is_uri_char(char c) {
    constexpr std::string_view kMarks = "-._~:/?#[]@!$&'()*+,;=%|";
    return is_alnum(c) || kMarks.find(c) != std::string_view::npos;
}

bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

constexpr std::string_view kStageVariable = "${stageVariables.";

/// Takes the placeholders out; what remains has "1" (fit for a port too) in their places.
std::string without_placeholders(std::string_view uri, UriTemplate& out) {
    std::string plain;
    while (!uri.empty() && out.fault.empty()) {
        const bool stage = uri.starts_with(kStageVariable);
        if (!stage && !uri.starts_with('{')) {
            if (uri[0] == '}') out.fault = "has a \"}\" without \"{\"";
            if (uri.starts_with("${")) out.fault = "knows ${stageVariables.name} and {name} only";
            plain += uri[0];
            uri.remove_prefix(1);
            continue;
        }
        const std::size_t start = stage ? kStageVariable.size() : 1;
        const auto end = uri.find('}');
        const auto name =
            std::string(uri.substr(start, end == std::string_view::npos ? 0 : end - start));
        if (end == std::string_view::npos) {
            out.fault = "has a \"{\" without \"}\"";
        } else if (name.ends_with('+')) {
            out.fault = "a greedy variable is written without \"+\" here";
        } else if (!is_parameter_name(name)) {
            out.fault = "has a placeholder that is not a name";
        } else {
            (stage ? out.stage_variables : out.parameters).push_back(name);
            plain += '1';
            uri.remove_prefix(end + 1);
        }
    }
    return plain;
}

std::string plain_uri_fault(std::string_view plain) {
    if (!std::all_of(plain.begin(), plain.end(), is_uri_char)) {
        return "has a character that a URI may not hold";
    }
    for (std::size_t i = 0; i < plain.size(); ++i) {
        if (plain[i] != '%') continue;
        if (i + 2 < plain.size() && is_hex(plain[i + 1]) && is_hex(plain[i + 2])) continue;
        return "has a \"%\" without two hexadecimal digits";
    }
    if (plain.find('#') != std::string_view::npos) return "may not have a fragment";
    return "";
}

std::string authority_fault(std::string_view uri, const std::optional<UrlParts>& parts) {
    // AWS's own text (aws-semantics 7.1)
    constexpr const char* kInvalid = "Invalid HTTP endpoint specified for URI";
    if (!parts || parts->host.empty()) return kInvalid;
    if (parts->authority.find('@') != std::string::npos) {
        return "may not hold a user name or password";
    }
    if (!is_dns_name(parts->host) && !is_ip(parts->host)) return kInvalid;
    const auto port = parse_integer(parts->port.empty() ? "80" : parts->port);
    if (!port || *port < 1 || *port > 65535) return "the port must be 1 to 65535";
    // A caller's path must not choose which host is called.
    std::string_view written = uri.substr(uri.find("://") + 3);
    written = written.substr(0, written.find_first_of("/?#"));
    for (std::size_t i = 0; i < written.size(); ++i) {
        if (written[i] == '{' && (i == 0 || written[i - 1] != '$')) {
            return "a path parameter may not stand in the host";
        }
    }
    return "";
}

}  // namespace

UriTemplate parse_uri(std::string_view uri) {
    UriTemplate out;
    if (!uri.starts_with("http://") && !uri.starts_with("https://")) {
        out.fault = "must begin with http:// or https://";
        return out;
    }
    const std::string plain = without_placeholders(uri, out);
    if (out.fault.empty()) out.fault = plain_uri_fault(plain);
    if (!out.fault.empty()) return out;
    const auto parts = split_url(plain);
    out.fault = authority_fault(uri, parts);
    if (!out.fault.empty()) return out;
    const std::string_view authority = uri.substr(uri.find("://") + 3);
    const bool literal =
        authority.substr(0, authority.find_first_of("/?")).find("${") == std::string_view::npos;
    if (literal) out.host = parts->host;
    out.port = parts->port;
    return out;
}

}  // namespace sluice::config
