// SPDX-License-Identifier: Apache-2.0
//
// Buckets whose tokens come from elsewhere: stock, and the memory of a refusal.
#include <algorithm>

#include "sluice/state/limits.hpp"
#include "state/spin.hpp"

namespace sluice::state {

namespace {

using std::chrono::microseconds;

// Beyond it a word is no time but a bucket never used: 70,000 years.
constexpr std::int64_t kLatest = std::int64_t{1} << 61;

std::int64_t code_of(TimePoint time) {
    const auto since = std::chrono::ceil<microseconds>(time - kBucketEpoch).count();
    return -std::clamp<std::int64_t>(since, 1, kLatest - 1);
}

}  // namespace

std::optional<std::chrono::nanoseconds> TokenBucket::denied_for(TimePoint now) const {
    const std::int64_t code = word_.load(std::memory_order_relaxed) >> 1;
    if (code >= 0 || code <= -kLatest) return std::nullopt;
    const std::chrono::nanoseconds left = kBucketEpoch + microseconds{-code} - now;
    if (left.count() <= 0) return std::nullopt;
    return left;
}

bool TokenBucket::needs_grant(TimePoint now) const { return stock() == 0 && !denied_for(now); }

void TokenBucket::grant(std::int64_t tokens) {
    std::int64_t seen = word_.load(std::memory_order_relaxed);
    for (Spin spin;;) {
        if (seen & kMark) {
            spin.pause();
            seen = word_.load(std::memory_order_relaxed);
            continue;
        }
        const std::int64_t held = std::max<std::int64_t>(seen >> 1, 0);
        if (word_.compare_exchange_weak(seen, (held + tokens) * 2, std::memory_order_relaxed)) {
            return;
        }
    }
}

std::int64_t TokenBucket::withdraw(std::int64_t most) {
    std::int64_t seen = word_.load(std::memory_order_relaxed);
    for (Spin spin;;) {
        if (seen & kMark) {
            spin.pause();
            seen = word_.load(std::memory_order_relaxed);
            continue;
        }
        const std::int64_t taken = std::min(seen >> 1, most);
        if (taken <= 0) return 0;
        if (word_.compare_exchange_weak(seen, seen - taken * 2, std::memory_order_relaxed)) {
            return taken;
        }
    }
}

void TokenBucket::deny(TimePoint until) {
    const std::int64_t next = code_of(until) * 2;
    std::int64_t seen = word_.load(std::memory_order_relaxed);
    for (Spin spin;;) {
        if (seen & kMark) {
            spin.pause();
            seen = word_.load(std::memory_order_relaxed);
            continue;
        }
        if (seen > 0) return;
        if (word_.compare_exchange_weak(seen, next, std::memory_order_relaxed)) return;
    }
}

void TokenBucket::forget_denial() {
    std::int64_t seen = word_.load(std::memory_order_relaxed);
    while (seen < 0 && (seen & kMark) == 0 &&
           !word_.compare_exchange_weak(seen, kNeverUsed, std::memory_order_relaxed)) {
    }
}

}  // namespace sluice::state
