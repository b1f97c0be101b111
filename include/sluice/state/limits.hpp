// SPDX-License-Identifier: Apache-2.0
//
// Token buckets and quotas as single atomic words, and the all-or-nothing decision over them.
// Pure: no clock, no I/O, no lock. Safe to call from every worker at once.
#pragma once

#include <atomic>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string_view>

#include "sluice/base/time.hpp"

namespace sluice::state {

/// What a bucket refused at; order and names as in the contract, section 4 and 7.
enum class Level : std::uint8_t { plan_method, plan, stage_method, account, source_ip };
std::string_view to_string(Level);

/// Rate and capacity compiled to integers. Rounded so that a bucket never admits more than
/// burst + rate * t in any interval t.
class BucketShape {
public:
    /// rate in tokens per second, burst in tokens (aws-semantics 3.3). rate = infinity: only
    /// burst 0 refuses. rate = 0: `burst` tokens in all, never refilled.
    BucketShape(double rate, std::int64_t burst);
    // (private integers; see token_bucket.cpp)
    double rate() const { return rate_; }
    std::int64_t burst() const { return burst_; }

private:
    friend class TokenBucket;
    double rate_;
    std::int64_t burst_;
    std::int64_t interval_ = 0;   ///< units of time per token
    std::int64_t tolerance_ = 0;  ///< (burst - 1) * interval
};

/// A token bucket as GCRA: one word, the theoretical arrival time. Starts full.
class TokenBucket {
public:
    /// Nanoseconds until a token is there; nullopt = one is there now. Writes nothing.
    std::optional<std::chrono::nanoseconds> shortage(const BucketShape&, TimePoint now) const;
    /// Takes one token if there is one.
    bool take(const BucketShape&, TimePoint now);
    /// Gives back a token taken with the same shape.
    void refund(const BucketShape&);
    /// Whole tokens available at `now`.
    std::int64_t available(const BucketShape&, TimePoint now) const;
    /// Keeps the amount consumed when limits change at reload.
    void reshape(const BucketShape& from, const BucketShape& to, TimePoint now);

private:
    std::atomic<std::int64_t> arrival_{std::numeric_limits<std::int64_t>::min()};
};

enum class Period : std::uint8_t { day, week, month };

/// The windows of a quota: UTC, aws-semantics 4.2. A window is named by the day it starts
/// (days since 1970-01-01), so names of one quota ascend.
struct QuotaRule {
    std::int64_t limit = 0;
    Period period = Period::day;
    int offset = 0;

    std::int32_t window_at(WallTime) const;
    WallTime window_end(std::int32_t window) const;
};

/// Requests counted in the current window and on the current day. Time that goes back never
/// reopens an earlier window.
class QuotaCounter {
public:
    struct Reading {
        std::int32_t window = 0;
        std::int64_t used = 0;
        std::int64_t limit = 0;  ///< the rule's, or what an extension made of it
        std::int64_t remaining() const { return used >= limit ? 0 : limit - used; }
    };
    bool exhausted(const QuotaRule&, WallTime) const;
    /// Counts one request; false (and nothing counted) when the window is used up.
    bool take(const QuotaRule&, WallTime);
    void refund(const QuotaRule&, WallTime);
    Reading read(const QuotaRule&, WallTime) const;
    /// Sets what remains of the current window only (UpdateUsage, aws-semantics 4.4).
    void set_remaining(const QuotaRule&, WallTime, std::int64_t remaining);
    // implementation adds: restore(...), dirty tracking for the store (see quota.hpp notes)
};

/// One bucket a request must take from.
struct Charge {
    TokenBucket* bucket = nullptr;
    const BucketShape* shape = nullptr;
    Level level = Level::stage_method;
};

struct QuotaCharge {
    QuotaCounter* counter = nullptr;
    const QuotaRule* rule = nullptr;
};

struct Decision {
    enum class Outcome : std::uint8_t { admitted, throttled, quota_exceeded };
    Outcome outcome = Outcome::admitted;
    Level refused_by = Level::stage_method;          ///< when throttled: the first that refused
    std::chrono::nanoseconds retry_after{0};         ///< when throttled; time to the next token
};

/// Quota check, then every charge in order, then the quota's count: all or nothing
/// (aws-semantics 3.4, 4.2). A refused request spends nothing.
Decision decide(std::span<const Charge> charges, std::span<const QuotaCharge> quotas,
                TimePoint now, WallTime wall);

}  // namespace sluice::state
