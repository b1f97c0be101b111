// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "sluice/config/model.hpp"

namespace sluice::http {

/// A request target taken apart once; routing, the cache key and the backend all see the same.
struct NormalTarget {
    bool ok = false;
    std::string_view reason{};  ///< when !ok: stable word ("dot_segment", "encoded_nul", ...)
    std::string_view path{};    ///< normalised path, starts with "/" (or is "*", OPTIONS only)
    std::string_view query{};   ///< bytes after the first "?", as sent
    bool has_query = false;
};

/// Applies contract section 9 (rows from "repeated slashes" to ";parameters") to the path. The
/// result views `origin_form` itself when nothing had to change, else `scratch`.
/// `scratch` may be written to in any case. Expects bytes that read_request_head let through:
/// the path is checked again, the query is not looked at.
/// Matching without ";parameters" (standard) is the router's: here they stay in the path.
NormalTarget normalise(std::string_view origin_form, config::Compatibility, std::string& scratch);

}  // namespace sluice::http
