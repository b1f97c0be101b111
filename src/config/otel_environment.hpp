// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sluice/config/model.hpp"

namespace sluice::config {

using Variables = std::vector<std::pair<std::string, std::string>>;  ///< name, value

/// The process's variables whose names begin with "OTEL_", sorted by name.
Variables otel_variables();

struct OtelSettings {
    Tracing tracing{};
    std::vector<std::string> errors{};    ///< values that cannot be honoured
    std::vector<std::string> warnings{};  ///< variables that change nothing here
};

/// What OpenTelemetry's variables ask for; the names for traces win over the general ones. Pure.
OtelSettings read_otel(const Variables&);

/// `base` of OTEL_EXPORTER_OTLP_ENDPOINT, to which the signal's path is appended.
std::string traces_endpoint(std::string base);

/// "key=value,key2=value%20two", as headers and resource attributes are written. False: it is
/// not like that.
bool read_pairs(std::string_view text, std::vector<std::pair<std::string, std::string>>& out);

}  // namespace sluice::config
