// SPDX-License-Identifier: Apache-2.0
//
// Owns buckets and counters by identity, so that a reload finds them as they are. Snapshots hold
// shared pointers; requests use what those point to and never come here.
#pragma once

#include <array>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "sluice/state/limits.hpp"
#include "sluice/state/source_meter.hpp"
#include "sluice/state/usage_journal.hpp"

namespace sluice::state {

/// What a usage plan meters by API key. Slots of methods keep their number for the life of the
/// registry, also while no configuration names them.
class PlanUse {
public:
    struct Limits {
        BucketShape throttle = BucketShape::unlimited();
        std::optional<QuotaRule> quota{};
        std::vector<MethodLimit> methods{};
    };

    PlanUse(std::string id, std::shared_ptr<UsageJournal>, const Limits&);

    const std::string& id() const { return id_; }
    /// For KeyUse::method_bucket; nullopt = no such method in any configuration so far.
    std::optional<std::size_t> slot(std::string_view identity) const;
    std::size_t slots() const { return slots_.load(std::memory_order_acquire); }
    /// The quota, or a rule without limit that still counts.
    QuotaRule rule() const;
    /// As declared last; `methods` by slot.
    Limits limits() const;

private:
    friend class LimitRegistry;
    friend class KeyUse;
    struct Change {
        std::size_t slot;  // kPlanBucket = the plan's own
        BucketShape from, to;
    };
    static constexpr std::size_t kPlanBucket = ~std::size_t{0};
    std::vector<Change> adopt(const Limits&);
    std::optional<std::size_t> find(std::string_view identity) const;

    const std::string id_;
    const std::shared_ptr<UsageJournal> journal_;
    mutable std::mutex mutex_;
    BucketShape throttle_;
    QuotaRule rule_;
    std::vector<MethodLimit> methods_;
    std::atomic<std::size_t> slots_{0};
};

/// What one (plan, key) has used. Two cache lines side by side hold all that a request reads and
/// writes: bucket and count of one key are used together, as are the buckets of a plan's first
/// methods. About 290 bytes with its place in the registry, so 100,000 keys take 29 MB; buckets of
/// further methods are made when a key first uses such a method.
class alignas(64) KeyUse final : private UsageOwner {
public:
    KeyUse(std::shared_ptr<PlanUse>, std::string_view key_id);
    KeyUse(const KeyUse&) = delete;
    KeyUse& operator=(const KeyUse&) = delete;
    ~KeyUse();

    TokenBucket& bucket() { return bucket_; }
    QuotaCounter& quota() { return quota_; }
    const QuotaCounter& quota() const { return quota_; }
    TokenBucket& method_bucket(std::size_t slot) {
        return slot < kFirstMethods ? first_methods_[slot] : further_method_bucket(slot);
    }
    const std::string& plan_id() const { return plan_->id(); }
    const std::string& key_id() const { return key_id_; }
    UsageRow row() const { return row(quota_); }

private:
    friend class LimitRegistry;
    struct MethodBuckets;
    TokenBucket& further_method_bucket(std::size_t slot);
    template <class Visit>
    bool all_of_methods(const Visit&) const;  // with their slots, until one says false
    void changed(QuotaCounter&) noexcept override;
    void finished(const QuotaCounter&, const Day&) noexcept override;
    UsageRow row(const QuotaCounter&) const override;
    void reshape(const PlanUse::Change&, TimePoint now);
    void settle(const PlanUse::Limits&, TimePoint now, std::chrono::nanoseconds skew);
    bool is_idle(const PlanUse::Limits&, TimePoint now, WallTime wall) const;
    template <class Visit>
    bool all_of_buckets(const PlanUse::Limits&, const Visit&) const;  // until one says false

    static constexpr std::size_t kFirstMethods = 2;

    mutable TokenBucket bucket_;
    QuotaCounter quota_;
    std::atomic<MethodBuckets*> more_methods_{nullptr};
    mutable std::array<TokenBucket, kFirstMethods> first_methods_;  // slots 0 and 1
    std::shared_ptr<PlanUse> plan_;
    std::string key_id_;
};

/// Thread-safe; takes a mutex, so it is for loading, sweeping and reports.
class LimitRegistry {
public:
    LimitRegistry();
    ~LimitRegistry();

    /// A bucket on its own cache line. One that exists is returned as it is; when its shape
    /// changed, what was consumed carries over. Call it when the new snapshot is sure to be
    /// used: requests of the old one see the bucket too.
    std::shared_ptr<TokenBucket> bucket(std::string_view identity, const BucketShape&,
                                        TimePoint now = std::chrono::steady_clock::now());
    /// Declares the plan's present limits, once per load and before its keys.
    std::shared_ptr<PlanUse> plan(std::string_view plan_id, const PlanUse::Limits&,
                                  TimePoint now = std::chrono::steady_clock::now());
    /// The plan was declared.
    std::shared_ptr<KeyUse> key_use(std::string_view plan_id, std::string_view key_id);
    /// For plans with meterBy: sourceIp. Prefixes and cap of an existing meter do not change:
    /// other prefixes start a new one.
    std::shared_ptr<SourceMeter> source_meter(std::string_view plan_id, const SourceLimits&,
                                              TimePoint now = std::chrono::steady_clock::now());

    /// At start, before traffic; in any order with the calls above.
    void restore(std::span<const UsageRow>);
    /// Present rows of a plan, of one key when it is named; later than what the store knows.
    std::vector<UsageRow> usage(std::string_view plan_id, std::string_view key_id = {}) const;
    /// One key's count, for UpdateUsage; null when it has none.
    std::shared_ptr<KeyUse> find_key(std::string_view plan_id, std::string_view key_id) const;

    /// Drops what no snapshot holds and whose loss no client could notice: full buckets, quotas
    /// unused in the current window. Also settles what a reload left (TokenBucket::settle), so
    /// call it every few seconds with the present time. Returns how many were dropped.
    std::size_t sweep(TimePoint now, WallTime wall);

    struct Sizes {
        std::size_t buckets = 0, keys = 0, sources = 0;
    };
    Sizes sizes() const;
    UsageJournal& journal() { return *journal_; }

private:
    struct Named;
    struct Plan;
    struct Hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const {
            return std::hash<std::string_view>{}(text);
        }
    };
    template <class T>
    using ByName = std::unordered_map<std::string, T, Hash, std::equal_to<>>;

    Plan& plan_of(std::string_view plan_id);
    std::size_t sweep_keys(Plan&, TimePoint now, WallTime wall);

    const std::shared_ptr<UsageJournal> journal_;
    mutable std::mutex mutex_;
    ByName<Named> buckets_;
    ByName<std::unique_ptr<Plan>> plans_;
};

}  // namespace sluice::state
