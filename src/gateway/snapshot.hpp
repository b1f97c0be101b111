// SPDX-License-Identifier: Apache-2.0
//
// The configuration compiled for the request path: names are pointers, texts are templates.
// Immutable; a request keeps the snapshot it started with.
#pragma once

#include <boost/container/small_vector.hpp>
#include <boost/smart_ptr/local_shared_ptr.hpp>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "gateway/chain.hpp"
#include "gateway/domains.hpp"
#include "gateway/router.hpp"
#include "http/handler.hpp"
#include "sluice/base/ip_address.hpp"
#include "sluice/config/model.hpp"
#include "sluice/state/cache_store.hpp"
#include "sluice/state/key_table.hpp"
#include "sluice/state/limit_registry.hpp"
#include "sluice/state/shared_limits.hpp"
#include "sluice/telemetry/access_log.hpp"
#include "sluice/telemetry/metrics.hpp"
#include "telemetry/sampler.hpp"
#include "telemetry/span_queue.hpp"

namespace sluice::gateway {

/// A usage plan. Throttles of single methods have a slot each.
struct Plan {
    /// A method limited by this plan: which bucket of a key (or address), and its shape.
    struct MethodLimit {
        const Method* method = nullptr;
        std::size_t slot = 0;
        state::BucketShape shape;
        std::string name{};  ///< "api|stage|pets/GET"
    };
    std::string id{};
    boost::container::small_vector<std::uint32_t, 4> stages{};  ///< sorted
    std::optional<state::BucketShape> shape{};
    state::QuotaRule quota{};                     ///< one without limit still counts
    std::vector<MethodLimit> method_limits{};     ///< sorted by method
    std::shared_ptr<state::PlanUse> use{};        ///< meterBy: apiKey
    std::shared_ptr<state::SourceMeter> meter{};  ///< meterBy: sourceIp

    bool covers(std::uint32_t stage) const;
    const MethodLimit* limit_of(const Method&) const;
};

/// What one key has with one plan.
struct PlanUse {
    const Plan* plan = nullptr;
    std::shared_ptr<state::KeyUse> use{};

    const std::string& key_id() const { return use->key_id(); }
};

/// What a request asks of its key. Beside the key's digest it fills one cache line of the table:
/// keys are many and used at random.
struct KeyRecord {
    PlanUse first{};  ///< of its plans, for nearly every key the only one; without plan: none
    std::unique_ptr<const std::vector<PlanUse>> others{};
    bool enabled = true;

    static KeyRecord of(bool enabled, std::vector<PlanUse>);
    /// What the key has with the plan that covers the stage; null: there is none.
    const PlanUse* use_at(std::uint32_t stage) const;
};
static_assert(sizeof(KeyRecord) == 40);

/// A bucket that all callers share, with its shape.
struct SharedBucket {
    state::BucketShape shape;
    std::shared_ptr<state::TokenBucket> bucket{};
    std::string name{};  ///< the same on every gateway
};

/// How a stage traces.
struct Tracing {
    explicit Tracing(const config::Tracing& c, telemetry::SpanQueue& spans)
        : sampler{c}, trust{c.trust}, queue{spans} {}

    telemetry::Sampler sampler;
    config::TraceTrust trust;
    telemetry::SpanQueue& queue;
};

/// What of a method's requests is written down, decided when the snapshot is compiled.
struct Watch {
    config::LoggingLevel log_level = config::LoggingLevel::off;
    bool data_trace = false;
    bool timestamps = false;
    std::shared_ptr<telemetry::AccessLogFile> log_file{};
    std::shared_ptr<const Tracing> tracing{};         ///< null: no traces
    std::optional<state::BucketShape> stage_limit{};  ///< what a line about it has to say
};

/// What every request reads comes first, in one cache line.
struct alignas(64) Method {
    Chain chain{};
    IntegrationPtr integration{};
    telemetry::Series* series = nullptr;
    std::unique_ptr<const Watch> watch{};  ///< null: nothing is written down
    bool needs_key = false;
    std::string resource_id{};
    std::string resource_path{};  ///< as declared; empty for what matches no method
    std::string http_method{};    ///< as declared: GET ... or ANY
};
static_assert(offsetof(Method, resource_id) <= 64);

/// Plans with meterBy: sourceIp that one stage may have; app::load_and_verify refuses more.
inline constexpr std::size_t kMaxSourcePlans = 6;

struct Stage {
    std::uint32_t index = 0;
    std::string api_id{};
    std::string api_name{};
    std::string name{};
    ResourceTree tree{};
    std::vector<Method> methods{};     ///< by the tree's index; they stay where they are
    std::vector<FilterPtr> filters{};  ///< of the methods' chains
    Method unmatched{};                ///< for paths without a method: its integration says 403
    std::shared_ptr<state::CacheStore> cache{};
    std::shared_ptr<const telemetry::AccessLogFormat> log_format{};
    std::shared_ptr<telemetry::AccessLogFile> log_file{};
    std::shared_ptr<telemetry::AccessLogFile> execution_log{};  ///< null: no method has one
    std::shared_ptr<const Tracing> tracing{};                   ///< null: no traces
    std::vector<const Plan*> source_plans{};                    ///< meterBy: sourceIp
};

struct Snapshot {
    config::Compatibility compatibility = config::Compatibility::standard;
    http::SessionSettings session{};
    IpSet trusted_proxies{};
    bool pass_underscores = false;
    bool health_paths = true;
    DomainTable domains{};
    std::vector<std::unique_ptr<Stage>> stages{};
    std::vector<std::unique_ptr<Plan>> plans{};
    state::KeyTable<KeyRecord> keys{};
    std::optional<SharedBucket> account{};
    state::SharedLimits* shared = nullptr;  ///< set: buckets and quotas are leased from there
};

using SnapshotPtr = std::shared_ptr<const Snapshot>;

/// One worker's hold on a snapshot: every request counts, without atomics, so that it may only be
/// copied on that worker's thread.
using LocalSnapshotPtr = boost::local_shared_ptr<const Snapshot>;

inline LocalSnapshotPtr hold(SnapshotPtr s) {
    const Snapshot* const snapshot = s.get();
    return {snapshot, [held = std::move(s)](const Snapshot*) {}};
}

}  // namespace sluice::gateway
