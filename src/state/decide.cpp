// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <stdexcept>

#include "sluice/state/limits.hpp"
#include "state/spin.hpp"

namespace sluice::state {

std::string_view to_string(Level level) {
    switch (level) {
        case Level::plan_method:
            return "plan_method";
        case Level::plan:
            return "plan";
        case Level::stage_method:
            return "stage_method";
        case Level::account:
            return "account";
        case Level::source_ip:
            return "source_ip";
    }
    return "unknown";
}

/// Several buckets changed as one. Each word is marked, looked at once all are marked, then
/// written: the cost of the compare-exchange that a plain take needs, plus a store.
///
/// Taking one after the other and giving back on a refusal would not be exact: a token given
/// back after another thread took a later one undoes time that has already refilled the bucket.
class Reservation {
public:
    Reservation(std::span<const Charge> charges, TimePoint now) : charges_(charges), now_(now) {}
    Reservation(const Reservation&) = delete;
    Reservation& operator=(const Reservation&) = delete;
    ~Reservation() { release(); }

    /// Marks every word, or none: false = somebody else is at it for longer than usual.
    bool acquire();
    /// The first bucket without a token.
    const Charge* refusal() const;
    void commit();
    void release();

private:
    static constexpr std::int64_t kNotMine = TokenBucket::kMark;  // no stored word has the mark
    bool mark(std::size_t n);
    bool is_earlier(std::size_t n) const;

    std::span<const Charge> charges_;
    TimePoint now_;
    std::array<std::int64_t, kMaxCharges> before_;
    std::size_t marked_ = 0;
};

bool Reservation::is_earlier(std::size_t n) const {
    return std::any_of(charges_.begin(), charges_.begin() + static_cast<std::ptrdiff_t>(n),
                       [&](const Charge& c) { return c.bucket == charges_[n].bucket; });
}

bool Reservation::mark(std::size_t n) {
    before_[n] = kNotMine;
    if (charges_[n].shape->is_unlimited()) return true;
    std::atomic<std::int64_t>& word = charges_[n].bucket->word_;
    for (Spin spin; !spin.is_long(); spin.pause()) {
        std::int64_t seen = word.load(std::memory_order_relaxed);
        if (seen & TokenBucket::kMark) {
            if (is_earlier(n)) return true;
            continue;
        }
        if (word.compare_exchange_strong(seen, seen | TokenBucket::kMark, std::memory_order_acquire,
                                         std::memory_order_relaxed)) {
            before_[n] = seen;
            return true;
        }
    }
    return false;
}

bool Reservation::acquire() {
    for (marked_ = 0; marked_ < charges_.size(); ++marked_) {
        if (!mark(marked_)) {
            release();  // so that two decisions never wait for each other
            return false;
        }
    }
    return true;
}

const Charge* Reservation::refusal() const {
    for (std::size_t n = 0; n < marked_; ++n) {
        if (charges_[n].bucket->shortage(*charges_[n].shape, now_)) return &charges_[n];
    }
    return nullptr;
}

void Reservation::commit() {
    for (std::size_t n = 0; n < marked_; ++n) {
        if (before_[n] == kNotMine) continue;
        const BucketShape& shape = *charges_[n].shape;
        const std::int64_t base = std::max(before_[n] >> 1, shape.units_at(now_));
        charges_[n].bucket->word_.store((base + shape.interval_) * 2, std::memory_order_release);
    }
    marked_ = 0;
}

void Reservation::release() {
    for (std::size_t n = 0; n < marked_; ++n) {
        if (before_[n] == kNotMine) continue;
        charges_[n].bucket->word_.store(before_[n], std::memory_order_release);
    }
    marked_ = 0;
}

namespace {

Decision throttled_by(const Charge& charge, TimePoint now) {
    const auto wait = charge.bucket->shortage(*charge.shape, now);
    charge.bucket->settle(*charge.shape, now, kMaxClockSkew);
    return {Decision::Outcome::throttled, charge.level, wait.value_or(std::chrono::nanoseconds{0})};
}

bool count(std::span<const QuotaCharge> quotas, WallTime wall) {
    for (std::size_t n = 0; n < quotas.size(); ++n) {
        if (quotas[n].counter->take(*quotas[n].rule, wall)) continue;
        while (n-- > 0)
            quotas[n].counter->refund(*quotas[n].rule, wall);
        return false;
    }
    return true;
}

}  // namespace

Decision decide(std::span<const Charge> charges, std::span<const QuotaCharge> quotas, TimePoint now,
                WallTime wall) {
    if (charges.size() > kMaxCharges) throw std::logic_error("decide: too many charges");
    const Decision used_up{Decision::Outcome::quota_exceeded, {}, {}};
    for (Spin spin;; spin.pause()) {
        for (const QuotaCharge& quota : quotas) {
            if (!quota.counter->exhausted(*quota.rule, wall)) continue;
            quota.counter->settle(*quota.rule, wall);
            return used_up;
        }
        for (const Charge& charge : charges) {
            if (charge.bucket->shortage(*charge.shape, now)) return throttled_by(charge, now);
        }
        Reservation reservation(charges, now);
        if (!reservation.acquire()) continue;
        if (const Charge* refusal = reservation.refusal()) {
            reservation.release();
            return throttled_by(*refusal, now);
        }
        if (!count(quotas, wall)) return used_up;
        reservation.commit();
        return {};
    }
}

}  // namespace sluice::state
