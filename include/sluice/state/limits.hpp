// SPDX-License-Identifier: Apache-2.0
//
// Token buckets and quotas as single atomic words, and the all-or-nothing decision over them.
// Pure: no clock, no I/O, no mutex. Safe to call from every worker at once.
#pragma once

#include <algorithm>
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

/// Buckets count from here, so that a machine that is up for decades does not overflow them.
inline const TimePoint kBucketEpoch = std::chrono::steady_clock::now();

/// Rate and capacity compiled to integers. Rounded so that a bucket never admits more than
/// burst + rate * t in any interval t.
class BucketShape {
public:
    /// rate in tokens per second, burst in tokens (aws-semantics 3.3). rate = infinity: only
    /// burst 0 refuses. rate = 0: `burst` tokens in all, never refilled.
    BucketShape(double rate, std::int64_t burst);
    static BucketShape unlimited() { return {std::numeric_limits<double>::infinity(), 1}; }

    double rate() const { return rate_; }
    std::int64_t burst() const { return burst_; }
    bool is_unlimited() const { return clock_ == Clock::none; }
    /// The same limit kept elsewhere: the bucket here holds what was leased from there
    /// (SharedLimits). Shapes that need nobody else, unlimited or closed ones, stay as they are.
    BucketShape leased() const;
    bool is_leased() const { return clock_ == Clock::leased; }
    bool operator==(const BucketShape&) const = default;

private:
    friend class TokenBucket;
    friend class Reservation;
    /// none: infinite rate, the word is not used. stopped: rate 0, time stands still at zero.
    /// leased: the word counts tokens (TokenBucket::stock), time is kept where they came from.
    enum class Clock : std::uint8_t { running, stopped, none, leased };
    /// Neither time nor interval say what the word means.
    bool is_special() const { return clock_ >= Clock::none; }

    // now + the time to fill fits the 63 bits of an arrival: the finest units last eight years from
    // the start of the process.
    static constexpr std::int64_t kMaxNow = (std::int64_t{7} << 59) - 1;

    std::int64_t units_at(TimePoint now) const {
        return clock_ == Clock::running ? units_in(now - kBucketEpoch) : 0;
    }
    std::int64_t units_in(std::chrono::nanoseconds time) const {
        const std::int64_t most = kMaxNow >> std::max(shift_, 0);
        const std::int64_t count = std::clamp(time.count(), -most, most);
        return shift_ >= 0 ? count << shift_ : count >> -shift_;
    }
    std::chrono::nanoseconds time_for(std::int64_t units) const;

    double rate_;
    std::int64_t burst_;
    std::int64_t interval_ = 0;   ///< units of time per token
    std::int64_t tolerance_ = 0;  ///< (burst - 1) * interval; negative for burst 0
    int shift_ = 0;               ///< a unit is 2^-shift ns
    Clock clock_ = Clock::running;
};

/// A token bucket as GCRA: one word, the theoretical arrival time. Starts full.
///
///   word = arrival * 2 + mark      mark: a decision over several buckets is being taken
///
/// arrival <= now: full. arrival = now + k * interval: k tokens are gone.
///
/// Under a leased shape the word counts what was granted and is not spent yet:
///
///   word = stock * 2 + mark        stock < 0: none before -stock us after kBucketEpoch
class TokenBucket {
public:
    /// Nanoseconds until a token is there; nullopt = one is there now, max() = never. Writes
    /// nothing.
    std::optional<std::chrono::nanoseconds> shortage(const BucketShape&, TimePoint now) const;
    bool has_token(const BucketShape& shape, TimePoint now) const {
        const std::int64_t arrival = word_.load(std::memory_order_relaxed) >> 1;
        if (shape.is_special()) return shape.is_leased() ? arrival > 0 : shape.burst_ > 0;
        const std::int64_t at = shape.units_at(now);
        return std::max(arrival, at) - at <= shape.tolerance_;
    }
    /// Takes one token if there is one.
    bool take(const BucketShape&, TimePoint now);
    /// Gives back a token taken with the same shape. Exact while all threads agree on `now`;
    /// decide() does not need it.
    void refund(const BucketShape&);
    /// Whole tokens available at `now`.
    std::int64_t available(const BucketShape&, TimePoint now) const;
    /// Keeps the amount consumed when limits change at reload.
    void reshape(const BucketShape& from, const BucketShape& to, TimePoint now);
    bool is_full(const BucketShape&, TimePoint now) const;
    /// Cuts a debt that this shape cannot have: one left by requests that still used a slower
    /// shape after reshape(). `skew`: how far back `now` may be; what could be a debt of this
    /// shape seen by a clock that far behind stays.
    void settle(const BucketShape&, TimePoint now, std::chrono::nanoseconds skew);
    /// As new. Only while nobody else uses the bucket.
    void reset() { word_.store(kNeverUsed, std::memory_order_relaxed); }

    /// The rest is for leased shapes. Tokens that may be taken now.
    std::int64_t stock() const {
        return std::max<std::int64_t>(word_.load(std::memory_order_relaxed) >> 1, 0);
    }
    void grant(std::int64_t tokens);
    /// Takes back up to `most` tokens; how many.
    std::int64_t withdraw(std::int64_t most);
    /// Remembers that there are none before `until`; nothing when there is stock.
    void deny(TimePoint until);
    /// Empty, and nobody knows until when: whoever leases has to be asked.
    bool needs_grant(TimePoint now) const;

private:
    friend class Reservation;
    std::optional<std::chrono::nanoseconds> denied_for(TimePoint now) const;
    void forget_denial();
    static constexpr std::int64_t kNeverUsed = std::numeric_limits<std::int64_t>::min();
    static constexpr std::int64_t kMark = 1;

    std::atomic<std::int64_t> word_{kNeverUsed};
};

/// Clocks that differ by more are not corrected for, only survived: TokenBucket::settle.
inline constexpr std::chrono::nanoseconds kMaxClockSkew = std::chrono::minutes{1};

enum class Period : std::uint8_t { day, week, month };

/// The windows of a quota: UTC, aws-semantics 4.2. A window is named by the day it starts
/// (days since 1970-01-01), so names of one quota ascend.
struct QuotaRule {
    /// A plan without quota still counts, for reports: nothing is ever refused.
    static constexpr std::int64_t kUnlimited = std::numeric_limits<std::int64_t>::max();

    static constexpr QuotaRule unlimited() { return {kUnlimited}; }

    std::int64_t limit = 0;
    Period period = Period::day;
    int offset = 0;
    bool leased = false;  ///< kept elsewhere: a counter may use what it was granted, no more
    bool exact = false;   ///< leased request by request, never in advance

    std::int32_t window_at(WallTime) const;
    /// When the window that contains day `window` ends.
    WallTime window_end(std::int32_t window) const;
    /// The start of the window that contains a day.
    std::int32_t window_of_day(std::int32_t day) const;
    bool operator==(const QuotaRule&) const = default;
};

/// Days since 1970-01-01 in UTC.
std::int32_t day_at(WallTime);

class QuotaCounter;

/// Hears about counters that changed and days that ended, so that they can be saved. Called
/// from workers; must not block.
class QuotaObserver {
public:
    struct Day {
        std::int32_t day = 0;
        std::int64_t used = 0;
        std::int64_t remaining = 0;  ///< of the quota when the day ended; -1 = no quota
    };
    /// First change since the counter was last collected.
    virtual void changed(QuotaCounter&) noexcept = 0;
    virtual void finished(const QuotaCounter&, const Day&) noexcept = 0;

protected:
    ~QuotaObserver() = default;
};

/// Requests counted in the current window and on the current day. Time that goes back never
/// reopens an earlier window.
///
///   used_  window:20 used:44       the only word a request writes
///   day_   day:20    base:44       used_ when the day began: written once a day
///   extra_ window:20 change:44     what set_remaining() made of the limit, in that window only
class QuotaCounter {
public:
    struct Reading {
        std::int32_t window = 0;
        std::int64_t used = 0;
        std::int64_t limit = 0;  ///< the rule's, or what an extension made of it
        std::int64_t remaining() const { return used >= limit ? 0 : limit - used; }
    };
    /// Everything a store has to keep.
    struct Usage {
        std::int32_t window = 0;
        std::int64_t used = 0;
        std::int64_t extension = 0;  ///< added to the rule's limit, in this window
        std::int32_t day = 0;        ///< the day of the last request
        std::int64_t used_that_day = 0;
    };

    bool exhausted(const QuotaRule&, WallTime) const;
    /// Counts one request; false (and nothing counted) when the window is used up.
    bool take(const QuotaRule&, WallTime);
    void refund(const QuotaRule&, WallTime);
    Reading read(const QuotaRule&, WallTime) const;
    /// Sets what remains of the current window only (UpdateUsage, aws-semantics 4.4).
    void set_remaining(const QuotaRule&, WallTime, std::int64_t remaining);

    Usage usage() const;
    /// Before traffic: continues from what was saved. Out of range values are clamped.
    void restore(const Usage&);
    /// Leaves a window that only a wrong clock could have opened; keeps what was counted.
    void settle(const QuotaRule&, WallTime);
    /// Where changes are reported from now on; it outlives the counter.
    void observe(QuotaObserver* observer) { observer_ = observer; }
    bool is_changed() const { return next_changed_.load() != nullptr; }
    /// As new, for another identity. Only while nobody else uses the counter.
    void reset();

    /// The rest is for leased rules, and but for needs_grant() for one thread. Granted in the
    /// present window and not used.
    std::int64_t stock(const QuotaRule&, WallTime) const;
    void grant(std::int32_t window, std::int64_t requests);
    /// Takes back up to `most` of the stock; how many. They count as used by nobody.
    std::int64_t withdraw(const QuotaRule&, WallTime, std::int64_t most);
    /// Remembers that there is nothing left before `until`. The stock is zero.
    void deny(std::int32_t window, TimePoint until);
    /// Exhausted, and not known to be refused.
    bool needs_grant(const QuotaRule&, WallTime, TimePoint now) const;

private:
    friend class UsageJournal;
    void roll_day(const QuotaRule&, std::uint64_t seen, std::int32_t today);
    void begin_window(const QuotaRule&, std::uint64_t before, std::uint64_t after,
                      std::int32_t today);
    void report_day(const QuotaRule&, std::uint64_t used, std::uint64_t day);
    void announce();
    std::int64_t limit_in(const QuotaRule&, std::int32_t window) const;

    std::atomic<std::uint64_t> used_{0};
    std::atomic<std::uint64_t> day_{0};
    std::atomic<std::uint64_t> extra_{0};
    std::atomic<QuotaCounter*> next_changed_{nullptr};  ///< null = not in the journal's list
    QuotaObserver* observer_ = nullptr;
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
    /// undecided: somebody must be asked for a lease first.
    enum class Outcome : std::uint8_t { admitted, throttled, quota_exceeded, undecided };
    Outcome outcome = Outcome::admitted;
    Level refused_by = Level::stage_method;   ///< when throttled: the first that refused
    std::chrono::nanoseconds retry_after{0};  ///< when throttled; time to the next token
};

/// More charges than any chain has levels; decide() throws beyond it.
inline constexpr std::size_t kMaxCharges = 16;

/// Quota check, then every charge in order, then the quota's count: all or nothing
/// (aws-semantics 3.4, 4.2). A refused request spends nothing, and writes nothing shared unless
/// it lost a race for the last token. A bucket named twice is charged once. Undecided only when
/// nothing is known to refuse, and a leased bucket or quota is empty.
Decision decide(std::span<const Charge> charges, std::span<const QuotaCharge> quotas, TimePoint now,
                WallTime wall);

}  // namespace sluice::state
