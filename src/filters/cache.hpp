// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "gateway/cache_key.hpp"
#include "gateway/filter_entry.hpp"

namespace sluice::filters {

/// Answers from the stage's response cache, lets one request per key go to the backend, and
/// prepares the storing of its answer (aws-semantics 5).
class Cache final : public Filter, public gateway::StoragePolicy {
public:
    static constexpr std::string_view kName = "cache";
    static FilterPtr make(const gateway::MethodBuild&);

    Cache(gateway::CacheKey key, const gateway::EffectiveSettings& settings, bool only_get,
          std::chrono::milliseconds patience)
        : key_{std::move(key)}, settings_{settings}, only_get_{only_get}, patience_{patience} {}

    Verdict on_request(Exchange&) const override;
    /// Waits for the request that is already asking the backend for the same key.
    Task<Verdict> on_request_async(Exchange&) const override;

    const gateway::CacheKey& key() const override { return key_; }
    std::chrono::seconds ttl() const override { return settings_.cache_ttl; }

private:
    void build_key(std::string& out, const Exchange&) const;
    Verdict answer(Exchange&, state::CachedPtr) const;
    bool may_use(const Exchange&, const state::CachedResponse&) const;

    gateway::CacheKey key_;
    gateway::EffectiveSettings settings_;
    bool only_get_;  ///< a method declared ANY caches its GET traffic only (aws-semantics 5.1)
    std::chrono::milliseconds patience_;
};

}  // namespace sluice::filters
