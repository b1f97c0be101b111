// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <span>

#include "gateway/filter_entry.hpp"
#include "sluice/base/result.hpp"

namespace sluice::gateway {

/// Response caches by API and stage: they outlive the snapshots that use them.
class Caches {
public:
    explicit Caches(unsigned workers) : workers_{workers} {}
    /// The cache of a stage; a new one when its size changed (aws-semantics 5.1).
    std::shared_ptr<state::CacheStore> of(const config::RestApi&, const std::string& stage,
                                          std::uint64_t bytes);
    /// Drops the caches no snapshot uses.
    void sweep();
    std::shared_ptr<state::CacheStore> find(const std::string& api, const std::string& stage) const;
    using Key = std::pair<std::string, std::string>;
    struct Named {
        std::string api_name{};  ///< label of its metrics
        std::shared_ptr<state::CacheStore> store{};
    };
    const std::map<Key, Named>& all() const { return caches_; }

private:
    unsigned workers_;
    std::map<Key, Named> caches_;
};

/// What compiling needs from the rest of the program; all of it outlives the snapshots.
struct Services {
    state::LimitRegistry& limits;
    telemetry::Metrics& metrics;
    telemetry::AccessLogs& logs;
    telemetry::AccessLogs& execution_logs;
    telemetry::SpanQueue& spans;
    Caches& caches;
    std::span<const FilterEntry> filters;
    std::function<Result<IntegrationPtr>(const MethodBuild&)> make_integration;
    state::SharedLimits* shared = nullptr;  ///< set: limits are leased from there
};

/// Turns a checked configuration into what the request path uses. The error says which object
/// could not be made; nothing of the running configuration has changed then, but for limits of
/// buckets that exist already.
Result<std::shared_ptr<Snapshot>> compile(const config::Config&, Services&);

/// The settings of a method: its own entry, then "*/*", then the built-in (aws-semantics 3.2).
EffectiveSettings effective_settings(const config::Stage&, const config::Resource&,
                                     const config::Method&);

/// "pets/{petId}/GET": how methodSettings and plan throttles name a method.
std::string method_key(const std::string& resource_path, const std::string& http_method);

/// aws-semantics 3.3: what an absent half of a throttle means. Null: no limit at all.
std::optional<state::BucketShape> bucket_shape(std::optional<double> rate,
                                               std::optional<std::int64_t> burst);

}  // namespace sluice::gateway
