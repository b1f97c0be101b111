// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "support/gateway.hpp"
#include "support/origin.hpp"

namespace test {

/// /s/anything goes to /anything of ${ORIGIN}.
inline constexpr const char* kProxyEverything = R"(
restApis:
  - id: api
    resources:
      /{proxy+}: { ANY: { integration: { type: HTTP_PROXY, uri: "http://origin/{proxy}" } } }
stages: [ { restApiId: api, stageName: s } ]
backends: [ { name: origin, targets: [ { url: "${ORIGIN}" } ] } ]
)";

inline Answer echo(const Received& r) { return Answer::echo(r); }

/// A gateway in front of a scripted origin.
struct Proxied {
    explicit Proxied(Script script = echo, const std::string& more_yaml = {},
                     const std::string& yaml = kProxyEverything, GatewayOptions options = {})
        : origin{std::move(script)},
          gateway{yaml + more_yaml, {{"ORIGIN", origin.url()}}, std::move(options)} {}

    Origin origin;
    Gateway gateway;
};

inline Headers key(const std::string& value) { return {{"x-api-key", value}}; }

}  // namespace test
