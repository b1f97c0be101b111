// SPDX-License-Identifier: Apache-2.0
//
// What the response cache may answer and store, in both personalities (contract 9 and 10,
// aws-semantics 5.4 and 5.5, RFC 9111). Pure.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

#include "gateway/cache_key.hpp"
#include "sluice/base/time.hpp"
#include "sluice/config/model.hpp"
#include "sluice/http/head.hpp"

namespace sluice::gateway {

/// All Cache-Control fields of a message as one list, read so that a doubt forbids: a broken
/// age counts as 0, of repeated ages the smallest holds, a qualified directive
/// (private="set-cookie") holds for the whole message.
struct CacheControl {
    bool no_store = false;
    bool no_cache = false;
    bool is_private = false;
    bool is_public = false;
    bool malformed = false;  ///< an unterminated quoted string: anything may have been meant
    std::optional<std::uint32_t> max_age{};
    std::optional<std::uint32_t> s_maxage{};
};
CacheControl read_cache_control(const http::FieldList&);

/// Whether and how the cache may answer a request.
enum class CacheUse : std::uint8_t {
    normal,
    shared_only,  ///< carries Cookie: only an answer that is_for_everyone() may be used or stored
    bypass,       ///< neither answered from nor stored in the cache
};
CacheUse cache_use(const http::RequestHead&, const CacheKey&, Compatibility);

/// Whether the backend marked a stored answer as public or gave it an age itself. `fields`: the
/// lines of state::CachedResponse.
bool is_for_everyone(std::string_view fields);

struct StoreDecision {
    bool store = false;
    std::string_view reason{};  ///< when not: stable word ("status", "set_cookie", "vary", ...)
    std::chrono::seconds fresh_for{0};
    std::uint32_t initial_age = 0;  ///< seconds: the Age the backend sent
};
/// `ttl`: the method's. `use`: what cache_use() said about the request.
StoreDecision may_store(const http::ResponseHead&, const CacheKey&, CacheUse use,
                        std::chrono::seconds ttl, WallTime now, Compatibility);

/// Whether a response field is part of the stored form (aws-semantics 5.4): not what each reply
/// gets afresh. Asked after towards_client().
bool is_stored_field(const http::HeaderField&);

/// "max-age=0" among the client's Cache-Control directives (aws-semantics 5.5).
bool asks_for_fresh_answer(const http::FieldList&);

enum class Invalidation : std::uint8_t {
    none,                  ///< the client did not ask
    refresh,               ///< go to the backend and replace the entry
    ignored,               ///< use the cache as usual
    ignored_with_warning,  ///< the same, and the response carries Warning: kIgnoredWarning
    refused,               ///< answer Reply::access_denied_cache
};
inline constexpr std::string_view kIgnoredWarning =
    "199 Cache-control headers were ignored because the caller was unauthorized.";

/// The table of aws-semantics 5.5.
Invalidation client_invalidation(const http::FieldList&, bool require_authorization,
                                 config::UnauthorizedCacheControl, bool authorized);

}  // namespace sluice::gateway
