// SPDX-License-Identifier: Apache-2.0
//
// The pieces of the Prometheus text format 0.0.4.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace sluice::telemetry {

/// Appends `name="value"`, escaped.
void append_label(std::string& out, std::string_view name, std::string_view value);

/// `text` with every byte that is not UTF-8 replaced: the format admits nothing else.
std::string valid_utf8(std::string_view text);

void append_number(std::string& out, std::uint64_t value);
void append_number(std::string& out, double value);

/// Seconds with all nine digits where they are needed.
void append_seconds(std::string& out, std::uint64_t nanoseconds);

}  // namespace sluice::telemetry
