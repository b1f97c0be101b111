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

/// Several buckets changed as one. Each word is marked, and all are written once every one is
/// marked and has a token: the cost of the compare-exchange that a plain take needs, plus a store.
///
/// Taking one after the other and giving back on a refusal would not be exact: a token given
/// back after another thread took a later one undoes time that has already refilled the bucket.
class Reservation {
public:
    Reservation(std::span<const Charge> charges, TimePoint now) : charges_(charges), now_(now) {}
    Reservation(const Reservation&) = delete;
    Reservation& operator=(const Reservation&) = delete;
    ~Reservation() { write(before_); }

    enum class Outcome { complete, busy, refused };
    /// busy: somebody else is at one of the words for longer than usual. Nothing stays marked
    /// unless complete.
    Outcome acquire();
    /// After Outcome::refused.
    const Charge& refusal() const { return charges_[refused_]; }
    void commit() { write(after_); }

private:
    using Words = std::array<std::int64_t, kMaxCharges>;
    static constexpr std::int64_t kNotMine = TokenBucket::kMark;  // no stored word has the mark

    Outcome mark(std::size_t n);
    bool is_repeated(std::size_t n) const;
    void write(const Words&);

    std::span<const Charge> charges_;
    TimePoint now_;
    Words before_;  // [0, marked_)
    Words after_;
    std::size_t marked_ = 0;
    std::size_t refused_ = 0;
};

bool Reservation::is_repeated(std::size_t n) const {
    return std::any_of(charges_.begin(), charges_.begin() + static_cast<std::ptrdiff_t>(n),
                       [&](const Charge& c) { return c.bucket == charges_[n].bucket; });
}

Reservation::Outcome Reservation::mark(std::size_t n) {
    const BucketShape& shape = *charges_[n].shape;
    before_[n] = kNotMine;
    if (shape.is_unlimited()) return Outcome::complete;
    std::atomic<std::int64_t>& word = charges_[n].bucket->word_;
    for (Spin spin; !spin.is_long(); spin.pause()) {
        std::int64_t seen = word.load(std::memory_order_relaxed);
        if (seen & TokenBucket::kMark) {
            if (is_repeated(n)) return Outcome::complete;
            continue;
        }
        std::int64_t next = seen - 2;  // leased: a token less
        if (shape.is_leased()) {
            if (next < 0) return Outcome::refused;
        } else {
            const std::int64_t at = shape.units_at(now_);
            const std::int64_t base = std::max(seen >> 1, at);
            if (base - at > shape.tolerance_) return Outcome::refused;
            next = (base + shape.interval_) * 2;
        }
        if (word.compare_exchange_strong(seen, seen | TokenBucket::kMark, std::memory_order_acquire,
                                         std::memory_order_relaxed)) {
            before_[n] = seen;
            after_[n] = next;
            return Outcome::complete;
        }
    }
    return Outcome::busy;
}

Reservation::Outcome Reservation::acquire() {
    for (std::size_t n = 0; n < charges_.size(); ++n) {
        const Outcome outcome = mark(n);
        if (outcome != Outcome::complete) {
            refused_ = n;
            write(before_);  // at once, so that two decisions never wait for each other
            return outcome;
        }
        marked_ = n + 1;
    }
    return Outcome::complete;
}

void Reservation::write(const Words& words) {
    for (std::size_t n = 0; n < marked_; ++n) {
        if (before_[n] == kNotMine) continue;
        charges_[n].bucket->word_.store(words[n], std::memory_order_release);
    }
    marked_ = 0;
}

namespace {

constexpr Decision kUndecided{Decision::Outcome::undecided, {}, {}};

Decision throttled_by(const Charge& charge, TimePoint now) {
    if (charge.shape->is_leased() && charge.bucket->needs_grant(now)) return kUndecided;
    const auto wait = charge.bucket->shortage(*charge.shape, now);
    charge.bucket->settle(*charge.shape, now, kMaxClockSkew);
    return {Decision::Outcome::throttled, charge.level, wait.value_or(std::chrono::nanoseconds{0})};
}

/// The first quota that is used up, or else the first bucket that is empty. Those that merely
/// have to be filled do not count: a flood of refused requests asks for nothing.
Decision refusal(std::span<const Charge> charges, std::span<const QuotaCharge> quotas,
                 TimePoint now, WallTime wall) {
    Decision decision{};
    for (const QuotaCharge& quota : quotas) {
        if (!quota.counter->exhausted(*quota.rule, wall)) continue;
        if (quota.counter->needs_grant(*quota.rule, wall, now)) {
            decision = kUndecided;
            continue;
        }
        quota.counter->settle(*quota.rule, wall);
        return {Decision::Outcome::quota_exceeded, {}, {}};
    }
    for (const Charge& charge : charges) {
        if (charge.bucket->has_token(*charge.shape, now)) continue;
        const Decision throttled = throttled_by(charge, now);
        if (throttled.outcome == Decision::Outcome::throttled) return throttled;
        decision = throttled;
    }
    return decision;
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
        const Decision refused = refusal(charges, quotas, now, wall);
        if (refused.outcome != Decision::Outcome::admitted) return refused;
        Reservation reservation(charges, now);
        const Reservation::Outcome outcome = reservation.acquire();
        if (outcome == Reservation::Outcome::busy) continue;
        if (outcome == Reservation::Outcome::refused) {
            return throttled_by(reservation.refusal(), now);
        }
        if (!count(quotas, wall)) {
            if (std::any_of(quotas.begin(), quotas.end(),
                            [](const QuotaCharge& q) { return q.rule->leased; })) {
                continue;  // somebody else took the last of the lease: look again
            }
            return used_up;
        }
        reservation.commit();
        return {};
    }
}

}  // namespace sluice::state
