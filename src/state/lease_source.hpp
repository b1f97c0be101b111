// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "sluice/state/redis_state.hpp"

namespace sluice::state {

/// One request's wait for several answers: it ends when the last of them lets go of this.
class PendingAsk {
public:
    explicit PendingAsk(std::shared_ptr<LeaseWaiter> waiter) : waiter_{std::move(waiter)} {}
    PendingAsk(const PendingAsk&) = delete;
    PendingAsk& operator=(const PendingAsk&) = delete;
    ~PendingAsk() { waiter_->resolved(outcome_); }
    void refuse() { outcome_ = LeaseWaiter::Outcome::unavailable; }

private:
    std::shared_ptr<LeaseWaiter> waiter_;
    LeaseWaiter::Outcome outcome_ = LeaseWaiter::Outcome::answered;
};
using PendingPtr = std::shared_ptr<PendingAsk>;

/// What the store did, or that it is away.
enum class StoreReach : std::uint8_t { reached, away };

struct BucketAsk {
    std::string name{};
    BucketShape shape;
    std::int64_t want = 0;  ///< tokens; fewer may be granted
    std::int64_t back = 0;  ///< returned; negative = taken while the store was away
};
struct BucketAnswer {
    StoreReach reach = StoreReach::away;
    std::int64_t granted = 0;
    std::chrono::nanoseconds retry{0};  ///< until a token is there
    double available = 0;               ///< tokens left in the shared bucket
};

/// With no more than this left, quota is granted to waiting requests only.
inline constexpr std::int64_t kExactBelow = 1'000;

struct QuotaAsk {
    std::string plan{};
    std::string key{};
    QuotaRule rule{};
    std::int32_t window = 0;
    std::int64_t net = -1;   ///< what this node took in the window so far; -1 = not known
    std::int64_t owed = 0;   ///< taken while the store was away, on top of it
    std::int64_t want = 0;   ///< for requests that wait
    std::int64_t spare = 0;  ///< in advance, if plenty is left
};
struct QuotaAnswer {
    StoreReach reach = StoreReach::away;
    bool is_other_window = false;  ///< the window has ended, or has not begun: nothing was done
    std::int64_t granted = 0;
    std::int64_t remaining = 0;
    std::int64_t net = 0;
};

/// Where leases come from. One thread; answers come from it, at once or later.
class LeaseSource {
public:
    virtual ~LeaseSource() = default;
    virtual void ask(BucketAsk, std::function<void(const BucketAnswer&)>) = 0;
    virtual void ask(QuotaAsk, std::function<void(const QuotaAnswer&)>) = 0;
    /// Gateways that are alive, this one included.
    virtual std::int64_t nodes() const = 0;
    virtual WallTime wall(TimePoint) const = 0;
};

struct LeaseSettings {
    std::chrono::nanoseconds lease{std::chrono::milliseconds{100}};
    AwayMode away = AwayMode::local;
    /// Something is due earlier than everything was before: look() wants to be called.
    std::function<void()> on_due{};
};

/// How fast something is spent: an average over about one lease.
class SpendRate {
public:
    void saw(std::int64_t spent, std::chrono::nanoseconds time, std::chrono::nanoseconds lease);
    /// Spent within `time` at this rate.
    std::int64_t within(std::chrono::nanoseconds time) const;
    /// Until half of `stock` is spent, within sensible bounds.
    std::chrono::nanoseconds time_for_half(std::int64_t stock,
                                           std::chrono::nanoseconds lease) const;

private:
    double per_second_ = 0;
};

}  // namespace sluice::state
