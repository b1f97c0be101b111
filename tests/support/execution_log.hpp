// SPDX-License-Identifier: Apache-2.0
//
// A gateway with execution logs, and what it wrote.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <regex>
#include <sstream>

#include "support/proxied.hpp"

namespace test::execution_log {

using Lines = std::vector<std::string>;

inline const std::string kKey = "execution-key-0123456789abcdef";

inline std::string api(const std::string& settings, const std::string& more = {}) {
    return R"(
restApis:
  - id: api
    resources:
      /pets/{id}: { ANY: { integration: { type: HTTP_PROXY, uri: "http://origin/animals/{id}",
                                          timeoutInMillis: 400 } } }
      /mock: { GET: { integration: { type: MOCK, body: "pets!" } } }
      /closed: { GET: { apiKeyRequired: true, integration: { type: MOCK, body: "in" } } }
      /cached: { GET: { integration: { type: HTTP_PROXY, uri: "http://origin/cached" } } }
stages:
  - { restApiId: api, stageName: s, cacheClusterEnabled: true, cacheClusterSize: 1MiB,
      methodSettings: { "*/*": { )" +
           settings + R"( }, "cached/GET": { cachingEnabled: true } } }
usagePlans:
  - { id: plan, apiStages: [ { apiId: api, stage: s } ], quota: { limit: 2, period: DAY } }
  - { id: slow, apiStages: [ { apiId: api, stage: s } ], throttle: { rateLimit: 0.01, burstLimit: 1 } }
apiKeys:
  - { id: k1, value: )" +
           kKey + R"(, usagePlanIds: [plan] }
  - { id: k2, value: disabled-key-0123456789zyxwvu, enabled: false, usagePlanIds: [plan] }
  - { id: k3, value: slow-key-0123456789ab-slowly, usagePlanIds: [slow] }
backends: [ { name: origin, targets: [ { url: "${ORIGIN}" } ] } ]
)" + more;
}

inline Lines lines_in(const std::string& text) {
    Lines lines;
    std::istringstream in{text};
    for (std::string line; std::getline(in, line);)
        lines.push_back(line);
    return lines;
}

inline std::filesystem::path log_file(Gateway& gateway) {
    return gateway.directory() / "API-Gateway-Execution-Logs_api" / "s";
}

/// Stops the gateway and returns its execution log.
inline Lines log_of(Gateway& gateway) {
    EXPECT_EQ(gateway.stop(), 0);
    return lines_in(read_file(log_file(gateway)));
}

/// The texts of one request.
inline Lines texts(const Lines& lines, const std::string& id) {
    Lines found;
    const std::string mark = '(' + id + ") ";
    for (const std::string& line : lines) {
        if (line.starts_with(mark)) found.push_back(line.substr(mark.size()));
    }
    return found;
}

inline std::string id_of(const Response& r) { return r.header("x-amzn-RequestId"); }

inline void expect_lines(const Lines& seen, const Lines& patterns) {
    EXPECT_EQ(seen.size(), patterns.size());
    for (std::size_t i = 0; i < seen.size() && i < patterns.size(); ++i) {
        EXPECT_TRUE(std::regex_match(seen[i], std::regex{patterns[i]}))
            << "line " << i << ": " << seen[i] << "\nwanted: " << patterns[i];
    }
}

inline bool has(const Lines& lines, const std::string& pattern) {
    return std::any_of(lines.begin(), lines.end(), [&](const std::string& line) {
        return std::regex_search(line, std::regex{pattern});
    });
}

inline Answer ok(const Received&) { return Answer::of(200, "body!", {{"X-From", "origin"}}); }

}  // namespace test::execution_log
