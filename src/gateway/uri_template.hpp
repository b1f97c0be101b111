// SPDX-License-Identifier: Apache-2.0
//
// The integration's uri, compiled once per stage and filled per request (aws-semantics 7.2).
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/router.hpp"
#include "sluice/base/result.hpp"

namespace sluice::gateway {

class UriTemplate {
public:
    /// What a placeholder may refer to.
    struct Scope {
        std::string_view resource_path{};  ///< "/pets/{petId}": its parameters may be used
        const std::map<std::string, std::string>* stage_variables = nullptr;
        /// Integration::request_parameters: "integration.request.path.x" -> source.
        const std::map<std::string, std::string>* request_parameters = nullptr;
    };

    /// Error codes: "bad_uri", "bad_host" (also an undefined stage variable in it),
    /// "unknown_placeholder", "unsupported_mapping". `detail` says what is wrong.
    static Result<UriTemplate> compile(std::string_view uri, const Scope&);

    bool is_https() const { return https_; }
    std::string_view authority() const { return authority_; }  ///< as written: name or host:port
    std::string_view host() const { return host_; }            ///< without port and brackets
    std::uint16_t port() const { return port_; }               ///< 0 = none was written

    /// Upper bound of what `write` puts out.
    std::size_t bound(const PathParams&, std::string_view query) const;

    /// Writes path and query in origin form at `out` and returns the end. Path parameters keep
    /// the client's bytes; in the template's query, bytes that would start another parameter
    /// are escaped. The client's query follows the template's. Null: a value could not stand in
    /// a path without changing its structure (dot segment, "?", "#", control byte): answer 400.
    char* write(char* out, const PathParams&, bool has_query, std::string_view query) const;

    /// The same at the end of a string; false, and nothing appended, where write() gives null.
    bool append(std::string& out, const PathParams&, bool has_query, std::string_view query) const;

private:
    struct Piece {
        std::string text{};   ///< written first
        std::string param{};  ///< then this parameter's value, unless empty
    };
    struct Compiler;

    bool https_ = false;
    std::string authority_;
    std::string host_;
    std::uint16_t port_ = 0;
    std::vector<Piece> path_;
    std::vector<Piece> query_;  ///< first text without "?"
    bool has_query_ = false;
    std::size_t fixed_ = 0;  ///< bytes of all texts
};

}  // namespace sluice::gateway
