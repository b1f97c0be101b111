// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cctype>
#include <fstream>
#include <stdexcept>

#include "support/golden.hpp"

namespace test::golden {

namespace fs = std::filesystem;

std::vector<Case> load_cases(const fs::path& folder) {
    std::vector<fs::path> files;
    for (const auto& entry : fs::directory_iterator{folder})
        if (entry.path().extension() == ".json") files.push_back(entry.path());
    std::ranges::sort(files);
    std::vector<Case> cases;
    for (const fs::path& file : files) {
        const json document = json::parse(read_file(file));
        for (const json& c : document.at("cases"))
            cases.push_back({c.at("id"), c.at("topic"), c});
    }
    return cases;
}

namespace {

/// What a case needs that the gateway cannot do yet.
struct Waiting : std::runtime_error {
    using std::runtime_error::runtime_error;
};

bool is_constant(const std::string& text) { return text.find_first_of("$#") == std::string::npos; }

std::string upper(std::string text) {
    std::ranges::transform(text, text.begin(),
                           [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    return text;
}

/// The integration response that AWS would choose for the status of the request template.
json chosen_response(const json& responses, const std::string& status) {
    for (const auto& [pattern, response] : responses.items())
        if (response.value("statusCode", "") == status) return response;
    if (responses.contains("default")) return responses["default"];
    throw Waiting{"no integration response for the status"};
}

json mock_headers(const json& response) {
    json headers{{"Content-Type", "application/json"}};
    const json parameters = response.value("responseParameters", json::object());
    for (const auto& [name, value] : parameters.items()) {
        constexpr std::string_view kPrefix = "method.response.header.";
        const std::string text = value;
        if (!name.starts_with(kPrefix) || !text.starts_with('\'') || !is_constant(text))
            throw Waiting{"response parameter mapping"};
        headers[name.substr(kPrefix.size())] = text.substr(1, text.size() - 2);
    }
    return headers;
}

json mock_of(const json& integration) {
    const json templates = integration.value("requestTemplates", json::object());
    const std::string request = templates.value("application/json", R"({"statusCode": 200})");
    if (!is_constant(request)) throw Waiting{"VTL request template"};
    const json wanted = json::parse(request, nullptr, false);
    if (!wanted.is_object() || !wanted.contains("statusCode"))
        throw Waiting{"sloppy template JSON"};
    const json response = chosen_response(integration.value("responses", json::object()),
                                          wanted["statusCode"].dump());
    const json bodies = response.value("responseTemplates", json::object());
    const std::string body = bodies.value("application/json", "");
    if (!is_constant(body)) throw Waiting{"VTL response template"};
    return {{"type", "MOCK"},
            {"statusCode", std::stoi(response.at("statusCode").get<std::string>())},
            {"headers", mock_headers(response)},
            {"body", body}};
}

json http_proxy_of(const json& integration) {
    json ours{{"type", "HTTP_PROXY"}};
    for (const char* same : {"uri", "httpMethod", "timeoutInMillis", "requestParameters",
                             "cacheNamespace", "cacheKeyParameters"})
        if (integration.contains(same)) ours[same] = integration[same];
    return ours;
}

json integration_of(const json& operation) {
    const json integration = operation.at("x-amazon-apigateway-integration");
    const std::string type = upper(integration.at("type"));
    if (type == "MOCK") return mock_of(integration);
    if (type == "HTTP_PROXY") return http_proxy_of(integration);
    throw Waiting{type + " integration"};
}

json request_parameters_of(const json& operation) {
    json parameters = json::object();
    for (const json& p : operation.value("parameters", json::array())) {
        const std::string in = p.value("in", "");
        const std::string position = in == "query" ? "querystring" : in;
        if (position != "path" && position != "querystring" && position != "header") continue;
        const std::string name =
            "method.request." + position + "." + p.at("name").get<std::string>();
        parameters[name] = p.value("required", false);
    }
    return parameters;
}

json method_of(const json& operation) {
    for (const char* key : {"x-amazon-apigateway-request-validator", "x-amazon-apigateway-auth"})
        if (operation.contains(key)) throw Waiting{key};
    json method{{"integration", integration_of(operation)}};
    if (operation.contains("security")) method["apiKeyRequired"] = true;
    const json parameters = request_parameters_of(operation);
    if (!parameters.empty()) method["requestParameters"] = parameters;
    return method;
}

json resources_of(const json& document) {
    json resources = json::object();
    for (const auto& [path, operations] : document.at("paths").items()) {
        for (const auto& [verb, operation] : operations.items()) {
            if (verb == "parameters") continue;
            const bool any = verb == "x-amazon-apigateway-any-method";
            resources[path][any ? "ANY" : upper(verb)] = method_of(operation);
        }
    }
    return resources;
}

/// Document-level extensions that change answers and are not expressed above.
void refuse_unsupported(const json& api) {
    for (const char* key : {"openapi_file", "canary", "import_parameters"})
        if (api.contains(key)) throw Waiting{key};
    for (const char* key :
         {"x-amazon-apigateway-gateway-responses", "x-amazon-apigateway-policy",
          "x-amazon-apigateway-binary-media-types", "x-amazon-apigateway-minimum-compression-size",
          "x-amazon-apigateway-request-validator", "x-amazon-apigateway-cors"})
        if (api.at("openapi").contains(key)) throw Waiting{key};
    const json schemes = api.at("openapi")
                             .value("components", json::object())
                             .value("securitySchemes", json::object());
    for (const auto& [name, scheme] : schemes.items())
        if (scheme.value("type", "") != "apiKey" ||
            scheme.contains("x-amazon-apigateway-authorizer"))
            throw Waiting{"authorizer"};
    if (upper(api["openapi"].value("x-amazon-apigateway-api-key-source", "HEADER")) != "HEADER")
        throw Waiting{"apiKeySource AUTHORIZER"};
}

json stage_of(const json& api) {
    const json given = api.at("stage");
    json stage{{"restApiId", "golden"}, {"stageName", given.at("name")}};
    if (given.contains("variables")) stage["variables"] = given["variables"];
    if (api.contains("methodSettings")) stage["methodSettings"] = api["methodSettings"];
    // Some cases have lines of the execution log.
    stage["methodSettings"]["*/*"]["loggingLevel"] = "INFO";
    if (api.contains("accessLog"))
        stage["accessLogSettings"] = {{"format", api["accessLog"].at("format")},
                                      {"destination", "access.log"}};
    return stage;
}

void add_plans(const json& api, json& config) {
    const json plans = api.value("usagePlans", json::array());
    for (const json& given : plans) {
        json plan{{"id", given.at("name")}, {"name", given.at("name")}};
        for (const char* same : {"throttle", "quota"})
            if (given.contains(same)) plan[same] = given[same];
        for (json stage : given.at("apiStages")) {
            stage["apiId"] = "golden";
            plan["apiStages"].push_back(stage);
        }
        config["usagePlans"].push_back(plan);
    }
    for (json key : api.value("apiKeys", json::array())) {
        key["id"] = key.at("name");
        for (const json& plan : plans) {
            const json held = plan.value("keys", json::array());
            if (std::ranges::find(held, key["name"]) != held.end())
                key["usagePlanIds"].push_back(plan["name"]);
        }
        config["apiKeys"].push_back(key);
    }
}

}  // namespace

Translation translate(const Case& c) {
    try {
        const json& api = c.text.at("api");
        refuse_unsupported(api);
        json config{{"compatibility", "aws"}};
        config["restApis"] = {{{"id", "golden"}, {"resources", resources_of(api.at("openapi"))}}};
        config["stages"] = {stage_of(api)};
        add_plans(api, config);
        return {.config = config};
    } catch (const Waiting& reason) {
        return {.waits_for = reason.what()};
    }
}

std::string as_yaml(const json& config) {
    std::string text;
    for (const auto& [key, value] : config.items())
        text += key + ": " + value.dump() + "\n";
    return text;
}

}  // namespace test::golden
