// SPDX-License-Identifier: Apache-2.0
//
// Heads and queries as the maps of an execution log: {name=value, ...}. Pure.
#pragma once

#include <string>
#include <string_view>

#include "sluice/http/head.hpp"

namespace sluice::gateway {

/// Values of x-api-key, Authorization and Proxy-Authorization are masked (aws-semantics 2.5).
std::string fields_map(const http::FieldList&);
/// The fields of a head as it was written, perhaps cut short: what stands behind its first line.
std::string head_map(std::string_view head);
/// Names and values decoded.
std::string query_map(std::string_view query);
/// "%41" is "A"; what is no escape stays. In queries "+" is a blank.
std::string percent_decoded(std::string_view text, bool plus_is_blank);

}  // namespace sluice::gateway
