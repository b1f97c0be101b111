// SPDX-License-Identifier: Apache-2.0
#include "telemetry/access_log_variables.hpp"

#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

namespace sluice::telemetry {
namespace {

struct Row {
    std::string_view name;
    Variable variable = Variable::absent;
};

constexpr Row kRows[] = {
    {"requestId", Variable::request_id},
    {"extendedRequestId", Variable::extended_request_id},
    {"apiId", Variable::api_id},
    {"stage", Variable::stage},
    {"resourceId", Variable::resource_id},
    {"resourcePath", Variable::resource_path},
    {"httpMethod", Variable::http_method},
    {"path", Variable::path},
    {"protocol", Variable::protocol},
    {"domainName", Variable::domain_name},
    {"domainPrefix", Variable::domain_prefix},
    {"identity.sourceIp", Variable::source_ip},
    {"identity.userAgent", Variable::user_agent},
    {"identity.apiKeyId", Variable::api_key_id},
    {"error.message", Variable::error_message},
    {"error.messageString", Variable::error_message_string},
    {"error.responseType", Variable::error_response_type},
    {"integration.error", Variable::integration_error},
    {"integrationErrorMessage", Variable::integration_error},
    {"integration.status", Variable::integration_status},
    {"integration.integrationStatus", Variable::integration_status},
    {"integrationStatus", Variable::integration_status},
    {"integration.latency", Variable::integration_latency},
    {"integrationLatency", Variable::integration_latency},
    {"status", Variable::status},
    {"responseLength", Variable::response_length},
    {"responseLatency", Variable::response_latency},
    {"requestTime", Variable::request_time},
    {"requestTimeEpoch", Variable::request_time_epoch},
    {"customDomain.basePathMatched", Variable::base_path_matched},
    {"xrayTraceId", Variable::trace_id},
    {"cacheStatus", Variable::cache_status},
    {"throttle.level", Variable::throttle_level},
    {"usagePlanId", Variable::usage_plan_id},
    {"identity.apiKey", Variable::masked_api_key},  // contract 8: the value never appears
    {"accountId"},
    {"deploymentId"},
    {"isCanaryRequest"},
    {"endpointType"},
    {"wafResponseCode"},
    {"webaclArn"},
    {"awsEndpointRequestId"},
    {"integration.requestId"},
    {"error.validationErrorString"},
    {"identity.accountId"},
    {"identity.caller"},
    {"identity.user"},
    {"identity.userArn"},
    {"identity.accessKey"},
    {"identity.principalOrgId"},
    {"identity.vpcId"},
    {"identity.vpceId"},
    {"identity.cognitoAuthenticationProvider"},
    {"identity.cognitoAuthenticationType"},
    {"identity.cognitoIdentityId"},
    {"identity.cognitoIdentityPoolId"},
    {"identity.clientCert.clientCertPem"},
    {"identity.clientCert.subjectDN"},
    {"identity.clientCert.issuerDN"},
    {"identity.clientCert.serialNumber"},
    {"identity.clientCert.validity.notBefore"},
    {"identity.clientCert.validity.notAfter"},
    {"authenticate.error"},
    {"authenticate.latency"},
    {"authenticate.status"},
    {"authorize.error"},
    {"authorize.latency"},
    {"authorize.status"},
    {"waf.error"},
    {"waf.latency"},
    {"waf.status"},
};

/// Families with names of the user's own.
constexpr std::string_view kOpenFamilies[] = {"authorizer.", "requestOverride.",
                                              "responseOverride."};

std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 0; i < a.size(); ++i) {
        std::size_t diagonal = std::exchange(row[0], i + 1);
        for (std::size_t j = 0; j < b.size(); ++j) {
            const std::size_t changed = diagonal + (a[i] == b[j] ? 0 : 1);
            diagonal = row[j + 1];
            row[j + 1] = std::min({changed, row[j] + 1, diagonal + 1});
        }
    }
    return row.back();
}

std::string_view last_part(std::string_view name) { return name.substr(name.rfind('.') + 1); }

}  // namespace

std::optional<Variable> find_variable(std::string_view name) {
    for (const Row& row : kRows) {
        if (row.name == name) return row.variable;
    }
    for (const std::string_view family : kOpenFamilies) {
        if (name.starts_with(family) && name.size() > family.size()) return Variable::absent;
    }
    return std::nullopt;
}

std::string_view AccessRecord::*text_member(Variable variable) {
    switch (variable) {
        case Variable::request_id:
            return &AccessRecord::request_id;
        case Variable::extended_request_id:
            return &AccessRecord::extended_request_id;
        case Variable::api_id:
            return &AccessRecord::api_id;
        case Variable::stage:
            return &AccessRecord::stage;
        case Variable::resource_id:
            return &AccessRecord::resource_id;
        case Variable::resource_path:
            return &AccessRecord::resource_path;
        case Variable::http_method:
            return &AccessRecord::http_method;
        case Variable::path:
            return &AccessRecord::path;
        case Variable::protocol:
            return &AccessRecord::protocol;
        case Variable::domain_name:
            return &AccessRecord::domain_name;
        case Variable::source_ip:
            return &AccessRecord::source_ip;
        case Variable::user_agent:
            return &AccessRecord::user_agent;
        case Variable::api_key_id:
            return &AccessRecord::api_key_id;
        case Variable::error_message:
            return &AccessRecord::error_message;
        case Variable::error_response_type:
            return &AccessRecord::error_response_type;
        case Variable::integration_error:
            return &AccessRecord::integration_error;
        case Variable::cache_status:
            return &AccessRecord::cache_status;
        case Variable::throttle_level:
            return &AccessRecord::throttle_level;
        case Variable::usage_plan_id:
            return &AccessRecord::usage_plan_id;
        case Variable::base_path_matched:
            return &AccessRecord::base_path_matched;
        case Variable::trace_id:
            return &AccessRecord::trace_id;
        default:
            return nullptr;
    }
}

std::string nearest_variable(std::string_view name) {
    // A forgotten prefix ("sourceIp") counts as one edit, not as ten.
    const auto distance = [name](const Row& row) {
        return std::min(edit_distance(name, row.name),
                        edit_distance(name, last_part(row.name)) + 1);
    };
    const auto nearer = [&](const Row& a, const Row& b) { return distance(a) < distance(b); };
    return std::string(std::min_element(std::begin(kRows), std::end(kRows), nearer)->name);
}

}  // namespace sluice::telemetry
