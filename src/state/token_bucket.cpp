// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "sluice/state/limits.hpp"
#include "state/marked_word.hpp"

namespace sluice::state {

namespace {

using std::chrono::nanoseconds;

// 1/16 ns: an interval at 1,000,000/s is 16,000 units, so rounding it up costs under 0.01%.
constexpr int kFinestShift = 4;
// Time to fill the bucket, in units. Slower buckets get coarser units.
constexpr std::int64_t kMaxFill = std::int64_t{1} << 59;
// At ten million requests per second nobody empties such a bucket within ten months.
constexpr std::int64_t kMaxBurst = std::int64_t{1} << 48;
// A token every 146 years is no token.
constexpr double kSlowestRate = 1e9 / 0x1p62;
constexpr std::int64_t kTooLong = std::numeric_limits<std::int64_t>::max();

std::int64_t interval_for(double rate, int shift) {
    const long double second = std::ldexp(1e9L, shift);
    const long double exact = rate;
    long double interval = std::max(std::ceil(second / exact), 1.0L);
    if (interval >= 0x1p62L) return kTooLong;
    while (std::fma(interval, exact, -second) < 0)
        interval += 1;  // the division rounded down
    // A unit coarser than the clock's cuts `now` off by up to one unit. One more unit for every
    // token makes up for it, so that no token comes early.
    if (shift < 0) interval += 1;
    return static_cast<std::int64_t>(interval);
}

}  // namespace

BucketShape::BucketShape(double rate, std::int64_t burst)
    : rate_(rate > 0 ? rate : 0), burst_(std::max<std::int64_t>(burst, 0)) {
    const std::int64_t capacity = std::min(burst_, kMaxBurst);
    if (std::isinf(rate_)) {
        clock_ = Clock::none;
        tolerance_ = capacity - 1;
        return;
    }
    if (rate_ < kSlowestRate) {
        clock_ = Clock::stopped;
        interval_ = 1;
        tolerance_ = capacity - 1;
        return;
    }
    shift_ = kFinestShift;
    interval_ = interval_for(rate_, shift_);
    while (interval_ > kMaxFill / std::max<std::int64_t>(capacity, 1)) {
        interval_ = interval_for(rate_, --shift_);
    }
    tolerance_ = (capacity - 1) * interval_;
}

BucketShape BucketShape::leased() const {
    BucketShape shape = *this;
    if (clock_ == Clock::none || burst_ == 0) return shape;
    shape.clock_ = Clock::leased;
    return shape;
}

nanoseconds BucketShape::time_for(std::int64_t units) const {
    if (clock_ != Clock::running || burst_ == 0) return nanoseconds::max();
    if (shift_ >= 0) return nanoseconds{(units + (std::int64_t{1} << shift_) - 1) >> shift_};
    if (units > (kTooLong >> -shift_)) return nanoseconds::max();
    return nanoseconds{units << -shift_};
}

std::optional<nanoseconds> TokenBucket::shortage(const BucketShape& shape, TimePoint now) const {
    if (shape.is_leased()) return stock() > 0 ? std::nullopt : denied_for(now);
    const std::int64_t at = shape.units_at(now);
    const std::int64_t arrival = word_.load(std::memory_order_relaxed) >> 1;
    const std::int64_t gone = shape.is_unlimited() ? 0 : std::max(arrival, at) - at;
    const std::int64_t missing = gone - shape.tolerance_;
    if (missing <= 0) return std::nullopt;
    const std::int64_t skew = shape.units_in(kMaxClockSkew);
    // An inherited debt is settled to an empty bucket: the next token is one interval away.
    return shape.time_for(missing > shape.interval_ + skew ? shape.interval_ : missing);
}

bool TokenBucket::take(const BucketShape& shape, TimePoint now) {
    if (shape.is_leased()) return withdraw(1) == 1;
    if (shape.is_unlimited()) return shape.burst_ > 0;
    const std::int64_t at = shape.units_at(now);
    const bool taken = change_word(word_, kMark, [&](std::int64_t seen) {
        const std::int64_t base = std::max(seen >> 1, at);
        const bool has_token = base - at <= shape.tolerance_;
        return has_token ? std::optional{(base + shape.interval_) * 2} : std::nullopt;
    });
    if (taken) return true;
    settle(shape, now, kMaxClockSkew);
    return false;
}

void TokenBucket::refund(const BucketShape& shape) {
    if (shape.is_unlimited()) return;
    if (shape.is_leased()) return grant(1);
    change_word(word_, kMark, [&](std::int64_t seen) -> std::optional<std::int64_t> {
        if (seen == kNeverUsed) return std::nullopt;
        return std::max((seen >> 1) - shape.interval_, kNeverUsed / 2) * 2;
    });
}

std::int64_t TokenBucket::available(const BucketShape& shape, TimePoint now) const {
    if (shape.is_special()) return shape.is_leased() ? stock() : shape.burst_;
    const std::int64_t at = shape.units_at(now);
    const std::int64_t gone = std::max(word_.load(std::memory_order_relaxed) >> 1, at) - at;
    if (gone > shape.tolerance_) return 0;
    return (shape.tolerance_ - gone) / shape.interval_ + 1;
}

bool TokenBucket::is_full(const BucketShape& shape, TimePoint now) const {
    if (shape.is_special()) return shape.is_unlimited() || stock() == 0;
    return (word_.load(std::memory_order_relaxed) >> 1) <= shape.units_at(now);
}

// During a reload, requests of the old snapshot still take from buckets that were reshaped. Their
// old, possibly far longer interval would be a debt of hours under the new shape. Nothing an
// empty bucket of this shape can reach is ever forgiven here.
void TokenBucket::settle(const BucketShape& shape, TimePoint now, nanoseconds skew) {
    if (shape.is_special()) return;
    const std::int64_t at = shape.units_at(now);
    const std::int64_t empty = shape.tolerance_ + shape.interval_;
    std::int64_t seen = word_.load(std::memory_order_relaxed);
    if ((seen & kMark) || (seen >> 1) - at <= empty + shape.units_in(skew)) return;
    word_.compare_exchange_strong(seen, (at + empty) * 2, std::memory_order_relaxed);
}

void TokenBucket::reshape(const BucketShape& from, const BucketShape& to, TimePoint now) {
    // Reshaped where the tokens come from; what is held stays, a refusal may no longer hold.
    if (from.is_leased() && to.is_leased()) return forget_denial();
    const std::int64_t at = from.units_at(now);
    const std::int64_t new_at = to.units_at(now);
    const std::int64_t empty = to.tolerance_ + to.interval_;
    change_word(word_, kMark, [&](std::int64_t seen) {
        if (from.is_special() || to.is_special() || (seen >> 1) <= at) {
            return std::optional{kNeverUsed};
        }
        const double tokens =
            static_cast<double>((seen >> 1) - at) / static_cast<double>(from.interval_);
        const double gone = std::ceil(tokens * static_cast<double>(to.interval_));
        const bool all = gone >= static_cast<double>(empty);
        return std::optional{(new_at + (all ? empty : static_cast<std::int64_t>(gone))) * 2};
    });
}

}  // namespace sluice::state
