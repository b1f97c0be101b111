// SPDX-License-Identifier: Apache-2.0
//
// The cache key of a method (aws-semantics 5.2): compiled once, built per request. Every part is
// length-prefixed, so no two requests that differ in a chosen parameter share a key.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/router.hpp"
#include "sluice/base/result.hpp"
#include "sluice/http/head.hpp"

namespace sluice::gateway {

/// Percent-decodes once and turns "+" into a blank (aws-semantics 1.5). Views `raw` when there
/// is nothing to decode, else `scratch`.
std::string_view decode_query_text(std::string_view raw, std::string& scratch);

/// Whether raw query bytes decode to `text`, without a buffer.
bool query_text_equals(std::string_view raw, std::string_view text);

class CacheKey {
public:
    /// What never depends on the request but for the method.
    struct Identity {
        std::string_view api_id{};
        std::string_view stage{};
        std::string_view partition = "stage";  ///< canaries: aws-semantics 5.2
        std::string_view cache_namespace{};    ///< Integration's, or the resource path
    };
    struct Inputs {
        const PathParams& params;
        std::string_view query{};  ///< as sent, without "?"
        const http::FieldList& fields;
    };

    /// `parameters`: cacheKeyParameters. `request_parameters`: the integration's mappings, for
    /// integration.request.* names. Errors: "bad_parameter", "unmapped_parameter",
    /// "unsupported_mapping".
    static Result<CacheKey> compile(const Identity&, std::span<const std::string> parameters,
                                    const std::map<std::string, std::string>& request_parameters,
                                    const std::map<std::string, std::string>& stage_variables,
                                    Compatibility);

    /// Replaces `out` by the key of this request. `method`: the request's, also for ANY.
    void build(std::string& out, std::string_view method, const Inputs&) const;

    /// Whether this request header field is part of the key (any case).
    bool covers_header(std::string_view name) const;
    /// Whether this path parameter is part of the key: a cached method whose path has others
    /// deserves a warning (aws-semantics 5.3).
    bool covers_path(std::string_view name) const;

private:
    enum class From : std::uint8_t { path, query, header, literal };
    struct Part {
        std::string label{};  ///< the parameter's name, length-prefixed: what build() writes
        From from = From::path;
        bool all_values = false;
        std::string name{};  ///< of path parameter, query key or field; the literal's text
        http::Field field = http::Field::unknown;
    };
    static Result<Part> part_for(const std::string& parameter,
                                 const std::map<std::string, std::string>& request_parameters,
                                 const std::map<std::string, std::string>& stage_variables,
                                 Compatibility);
    static void append_query(std::string& out, const Part&, std::string_view query);
    static void append_header(std::string& out, const Part&, const http::FieldList&);

    std::string prefix_;
    std::vector<Part> parts_;  // sorted by parameter name
};

}  // namespace sluice::gateway
