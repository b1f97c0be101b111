// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "sluice/telemetry/access_record.hpp"

namespace sluice::test {

/// A request answered by the backend.
inline telemetry::AccessRecord typical_record() {
    using namespace std::chrono_literals;
    telemetry::AccessRecord r;
    r.request_id = "c6af9ac6-7b61-11e6-9a41-93e8deadbeef";
    r.extended_request_id = "JKJaXmPLvHcESHA=";
    r.api_id = "petstore";
    r.stage = "prod";
    r.resource_id = "a1b2c3";
    r.resource_path = "/pets/{petId}";
    r.http_method = "GET";
    r.path = "/prod/pets/5";
    r.protocol = "HTTP/1.1";
    r.domain_name = "api.example.com:8080";
    r.source_ip = "203.0.113.178";
    r.user_agent = "curl/7.88.1";
    r.api_key_id = "k1";
    r.cache_status = "MISS";
    r.usage_plan_id = "gold";
    r.base_path_matched = "v1";
    r.trace_id = "1-58406520-a006649127e371903a2de979";
    r.request_time = WallTime(1706970365123ms);  // 3 February 2024, 14:26:05
    r.status = 200;
    r.response_length = 1543;
    r.response_latency = 12ms;
    r.integration_status = 201;
    r.integration_latency = 11ms;
    return r;
}

/// Every text a request can influence set to `text`.
inline telemetry::AccessRecord hostile_record(std::string_view text) {
    telemetry::AccessRecord r = typical_record();
    for (auto* field :
         {&r.request_id, &r.extended_request_id, &r.resource_path, &r.http_method, &r.path,
          &r.protocol, &r.domain_name, &r.source_ip, &r.user_agent, &r.api_key_id, &r.error_message,
          &r.integration_error, &r.trace_id, &r.base_path_matched}) {
        *field = text;
    }
    return r;
}

}  // namespace sluice::test
