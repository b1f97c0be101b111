// SPDX-License-Identifier: Apache-2.0
//
// Buckets whose tokens come from elsewhere: stock, and the memory of a refusal.
#include <algorithm>

#include "sluice/state/limits.hpp"
#include "state/marked_word.hpp"

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
    change_word(word_, kMark, [=](std::int64_t seen) {
        return std::optional{(std::max<std::int64_t>(seen >> 1, 0) + tokens) * 2};
    });
}

std::int64_t TokenBucket::withdraw(std::int64_t most) {
    std::int64_t taken = 0;
    const bool some = change_word(word_, kMark, [&](std::int64_t seen) {
        taken = std::min(seen >> 1, most);
        return taken > 0 ? std::optional{seen - taken * 2} : std::nullopt;
    });
    return some ? taken : 0;
}

void TokenBucket::deny(TimePoint until) {
    const std::int64_t denied = code_of(until) * 2;
    change_word(word_, kMark,
                [=](std::int64_t seen) { return seen > 0 ? std::nullopt : std::optional{denied}; });
}

void TokenBucket::forget_denial() {
    std::int64_t seen = word_.load(std::memory_order_relaxed);
    while (seen < 0 && (seen & kMark) == 0 &&
           !word_.compare_exchange_weak(seen, kNeverUsed, std::memory_order_relaxed)) {
    }
}

}  // namespace sluice::state
