// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "config/names.hpp"
#include "config/paths.hpp"
#include "config/read.hpp"
#include "config/text.hpp"

namespace sluice::config {
namespace {

/// Types AWS knows; those we do not have yet are refused by read().
enum class NamedType { http_proxy, mock, http, aws_proxy, aws };
constexpr Name<NamedType> kTypes[] = {{"HTTP_PROXY", NamedType::http_proxy},
                                      {"MOCK", NamedType::mock},
                                      {"HTTP", NamedType::http},
                                      {"AWS_PROXY", NamedType::aws_proxy},
                                      {"AWS", NamedType::aws}};

// aws-semantics 1.3
constexpr const char* kInvalidMethod =
    "Invalid HttpMethod specified. Valid options are GET,PUT,POST,DELETE,PATCH,OPTIONS,HEAD,ANY";

bool is_token_char(char c) {
    constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";  // RFC 9110 5.6.2
    return is_alnum(c) || kMarks.find(c) != std::string_view::npos;
}

bool is_token(std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), is_token_char);
}

void read_mapping(Reader& entry, const std::string& target, Integration& i) {
    std::string source;
    if (!entry.value(source, Text{1, 1024})) return;
    const auto to = parameter_of(target, "integration.request.");
    if (!to) {
        entry.key_problem("must read integration.request.path.NAME");
        return;
    }
    const auto from = parameter_of(source, "method.request.");
    if (to->location != "path" || !from || from->location != "path") {
        entry.key_problem(
            "a mapping other than integration.request.path.NAME from method.request.path.NAME "
            "is not supported yet");
        return;
    }
    i.request_parameters.emplace(target, source);
}

void read_header(Reader& entry, const std::string& name, Integration& i) {
    static constexpr std::string_view kOurs[] = {
        "connection", "content-length",    "keep-alive", "te",
        "trailer",    "transfer-encoding", "upgrade"};
    std::string text;
    if (!entry.value(text, Text{0, 8192, is_line_char, "", "one line of text"})) return;
    if (!is_token(name)) return entry.key_problem("is no header name");
    if (std::find(std::begin(kOurs), std::end(kOurs), lower(name)) != std::end(kOurs)) {
        return entry.key_problem("is set by the gateway itself");
    }
    i.headers.emplace_back(name, text);
}

void read_type(Reader& r, Integration& i) {
    NamedType type = NamedType::http_proxy;
    r.required("type", type,
               "HTTP_PROXY passes requests to a backend; MOCK answers itself. (HTTP, AWS_PROXY and "
               "AWS are not supported yet.)",
               kTypes);
    if (type == NamedType::mock) i.type = IntegrationType::mock;
    if (type == NamedType::http_proxy || type == NamedType::mock) return;
    r.problem("type", std::string(name_of(kTypes, type)) + " is not supported yet");
}

/// Fields AWS prints; only values that change nothing here are taken.
void refuse_later(Reader& r) {
    r.later("connectionType", "Only INTERNET.", {"INTERNET"});
    r.later("connectionId", "VPC links.");
    r.later("credentials", "IAM role for AWS services.");
    r.later("passthroughBehavior", "Only WHEN_NO_MATCH.", {"WHEN_NO_MATCH"});
    r.later("contentHandling", "Conversion of payloads.");
    r.later("requestTemplates", "Mapping templates.");
    r.later("integrationResponses", "Response mappings.");
    r.later("responseTransferMode", "Only BUFFERED.", {"BUFFERED"});
    r.later("tlsConfig", "Use `tls` of the backend.");
}

void check_type(Reader& r, const Integration& i) {
    const bool mock = i.type == IntegrationType::mock;
    if (!mock && !r.has("uri")) r.problem("uri", "is required for HTTP_PROXY");
    static constexpr std::string_view kProxyOnly[] = {"uri", "httpMethod", "requestParameters"};
    static constexpr std::string_view kMockOnly[] = {"statusCode", "headers", "body"};
    for (const auto key : kProxyOnly) {
        if (mock && r.has(key)) r.problem(key, "is for HTTP_PROXY only");
    }
    for (const auto key : kMockOnly) {
        if (!mock && r.has(key)) r.problem(key, "is for MOCK only");
    }
}

void read_uri(Reader& r, Integration& i) {
    const bool set = r.optional(
        "uri", i.uri,
        "http(s)://host[:port]/path; the host is a backend's name, else a DNS name or an address. "
        "`{name}` is a path parameter, `${stageVariables.name}` a stage variable.",
        Text{1, 8192});
    if (!set) return;
    const UriTemplate uri = parse_uri(i.uri);
    if (!uri.fault.empty()) r.problem("uri", uri.fault);
}

}  // namespace

void read(Reader& r, Integration& i) {
    r.object("Integration", "What answers a method.");
    read_type(r, i);
    read_uri(r, i);
    const bool method =
        r.optional("httpMethod", i.http_method,
                   "Method towards the backend; absent or ANY = the client's.", Text{1, 32});
    if (method &&
        std::find(std::begin(kVerbs), std::end(kVerbs), i.http_method) == std::end(kVerbs)) {
        r.problem("httpMethod", kInvalidMethod);
    }
    r.optional(
        "timeoutInMillis", i.timeout,
        "What the backend may take: connect, first byte, silence between bytes, and their sum.",
        Range{50, 900'000});
    r.optional("cacheNamespace", i.cache_namespace,
               "Resources with the same namespace share cached answers; absent = this resource.",
               kTitle);
    r.optional(
        "cacheKeyParameters", i.cache_key_parameters,
        "Request parameters that make answers differ, such as method.request.querystring.page; "
        "each one declared in requestParameters (path parameters are known).",
        Text{1, 512});
    r.entries("requestParameters", "integration.request.path.NAME",
              "Path parameters under another name: integration.request.path.NAME: "
              "method.request.path.OTHER.",
              [&](Reader& entry, const std::string& target) { read_mapping(entry, target, i); });
    r.optional("statusCode", i.status_code, "MOCK (ours): status of the answer.", Range{200, 599});
    r.entries("headers", "header name", "MOCK (ours): header fields of the answer.",
              [&](Reader& entry, const std::string& name) { read_header(entry, name, i); });
    r.optional("body", i.body, "MOCK (ours): body of the answer.", Text{0, 1'048'576});
    refuse_later(r);
    if (!r.describing()) check_type(r, i);
}

void read(Reader& r, Method& m) {
    r.object("Method", "A method of a resource.");
    std::string http_method;
    if (r.optional("httpMethod", http_method, "Printed by AWS; must be the method it stands under.",
                   Text{1, 32}) &&
        http_method != m.http_method) {
        r.problem("httpMethod", "must be " + m.http_method + " here");
    }
    r.optional("apiKeyRequired", m.api_key_required,
               "Callers must send an API key of a usage plan for this stage.");
    r.entries("requestParameters", "method.request.LOCATION.NAME",
              "Parameters of the request: method.request.{path,querystring,header}.NAME, true when "
              "required (not enforced without a request validator).",
              [&](Reader& entry, const std::string& name) {
                  bool must = false;
                  if (entry.value(must)) m.request_parameters.emplace(name, must);
              });
    r.required("integration", m.integration, "What answers.");
    r.later("authorizationType", "Only NONE.", {"NONE"});
    r.later("authorizerId", "Authorizers.");
    r.later("authorizationScopes", "Authorizers.");
    r.later("requestValidatorId", "Request validation.");
    r.later("requestModels", "Models.");
    r.later("methodResponses", "Response mappings.");
    r.ignored("operationName");
}

void read(Reader& r, Resource& resource) {
    r.object("Resource", "Methods of one path.");
    r.explain_unknown(kInvalidMethod);
    for (const auto verb : kVerbs) {
        Method method;
        method.http_method = verb;
        if (r.optional(verb, method, verb == "ANY" ? "Every method that is not named." : "")) {
            resource.methods.push_back(std::move(method));
        }
    }
}

void read(Reader& r, RestApi& api) {
    r.object("RestApi", "An API: resources and their methods.");
    r.required("id", api.id, "Stands in URLs and in references.", kApiId);
    if (!r.optional("name", api.name, "Shown in metrics and logs; the id when absent.", kTitle))
        api.name = api.id;
    r.optional("description", api.description, "Free text.", kDescription);
    r.optional("createdDate", api.created_date,
               "As AWS prints it; shown again by the admin listener.", kTitle);
    r.later("apiKeySource", "Only HEADER: the key comes in x-api-key.", {"HEADER"});
    r.entries("resources", "/path",
              "Path to its methods. `{name}` is one segment, `{name+}` all that remain.",
              [&](Reader& entry, const std::string& path) {
                  Resource resource;
                  resource.path = path;
                  if (!entry.describing()) {
                      if (const auto fault = path_fault(path)) entry.key_problem(*fault);
                  }
                  if (entry.value(resource)) api.resources.push_back(std::move(resource));
              });
    r.later("openApi", "An OpenAPI document instead of resources.");
    r.later("gatewayResponses", "Own error responses.");
    r.later("policy", "Resource policy.");
    r.later("requestValidators", "Request validation.");
    r.later("models", "Models.");
    r.later("authorizers", "Authorizers.");
    r.later("binaryMediaTypes", "Binary payloads.");
    r.later("minimumCompressionSize", "Compression.");
    r.later("disableExecuteApiEndpoint", "Closing the default endpoint.");
    r.later("securityPolicy", "Only TLS_1_2; see `minVersion` of the listener.", {"TLS_1_2"});
    for (const auto key : {"version", "warnings", "endpointConfiguration", "tags", "rootResourceId",
                           "apiStatus", "apiStatusMessage", "endpointAccessMode"})
        r.ignored(key);
}

}  // namespace sluice::config
