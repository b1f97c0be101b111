// SPDX-License-Identifier: Apache-2.0
//
// Which header fields go on, in either direction (aws-semantics 7.4, 7.5; robustness 1.7, 1.10).
// The gateway's own fields (Host, framing, X-Forwarded-*, request ids) are written afresh by
// whoever writes the head, after this filter: a client can neither set nor remove them.
#pragma once

#include <cstdint>
#include <string_view>

#include "sluice/base/inline_list.hpp"
#include "sluice/config/model.hpp"
#include "sluice/http/head.hpp"

namespace sluice::gateway {

using config::Compatibility;

enum class Fate : std::uint8_t {
    pass,
    drop,
    remap,  ///< goes on under kRemapPrefix + its own spelling
};

inline constexpr std::string_view kRemapPrefix = "x-amzn-Remapped-";  // aws-semantics 7.5

/// The field names that Connection nominates, collected once per message.
struct ConnectionTokens {
    static constexpr std::size_t kMax = 16;

    ConnectionTokens() noexcept {}  // NOLINT: a defaulted one would zero the slots of the names

    InlineList<std::string_view, kMax> names{};
    bool upgrade = false;
    /// Host, Content-Length, Transfer-Encoding or the key field is named, or there are more than
    /// kMax names: a request gets 400 (robustness 1.7), a response is a bad one.
    bool malformed = false;

    bool nominates(std::string_view name) const { return !names.empty() && holds(name); }

private:
    bool holds(std::string_view name) const;
};
ConnectionTokens connection_tokens(const http::FieldList&);

/// What of configuration and connection decides about request fields.
struct RequestRules {
    Compatibility compatibility = Compatibility::standard;
    bool pass_underscores = false;  ///< server.headersWithUnderscores: pass
    bool trusted_peer = false;      ///< the peer is in server.trustedProxies
};

/// X-Forwarded-For, -Proto, -Port and -Host never pass, not even from a trusted peer: the writer
/// appends to the chain it reads itself, so that one line leaves.
Fate towards_backend(const http::HeaderField&, const RequestRules&, const ConnectionTokens&);

/// For HTTP_PROXY responses. Content-Length is never passed: the writer frames anew.
Fate towards_client(const http::HeaderField&, Compatibility, const ConnectionTokens&);

}  // namespace sluice::gateway
