// SPDX-License-Identifier: Apache-2.0
//
// Limits that several gateways share. Tokens and quota are leased: a request spends what this
// node holds, and only a request that finds nothing waits for more.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "sluice/state/limits.hpp"

namespace sluice::state {

/// Who waits for an answer. Told once, from any thread.
class LeaseWaiter {
public:
    enum class Outcome : std::uint8_t {
        answered,     ///< decide again
        unavailable,  ///< the store is away, and the configuration says to refuse then
    };
    virtual void resolved(Outcome) noexcept = 0;

protected:
    ~LeaseWaiter() = default;
};

/// A leased bucket that is empty. `owner` keeps it alive.
struct BucketNeed {
    std::string name{};  ///< the same on every node
    TokenBucket* bucket = nullptr;
    BucketShape shape;
    std::shared_ptr<const void> owner{};
};

/// A leased quota of which this node has nothing left.
struct QuotaNeed {
    std::string plan{};
    std::string key{};
    QuotaCounter* counter = nullptr;
    QuotaRule rule{};
    std::shared_ptr<const void> owner{};
};

struct LeaseNeeds {
    std::vector<BucketNeed> buckets{};
    std::vector<QuotaNeed> quotas{};
};

class SharedLimits {
public:
    virtual ~SharedLimits() = default;

    /// Asks for all of it at once. Any thread; the waiter hears within a bounded time, whatever
    /// happens to the store.
    virtual void ask(LeaseNeeds, std::shared_ptr<LeaseWaiter>) = 0;

    /// The store's time: windows of shared quotas do not depend on this machine's calendar. Never
    /// behind the store's clock as long as that one runs evenly.
    WallTime wall(TimePoint now) const {
        const auto since = now.time_since_epoch() +
                           std::chrono::nanoseconds{offset_.load(std::memory_order_relaxed)};
        return WallTime{std::chrono::floor<std::chrono::milliseconds>(since)};
    }

protected:
    std::atomic<std::int64_t> offset_{0};  ///< from steady to calendar time, in ns
};

}  // namespace sluice::state
