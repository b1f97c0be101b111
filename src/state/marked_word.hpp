// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>

#include "state/spin.hpp"

namespace sluice::state {

/// Replaces a bucket's word by what `next` makes of it; while a decision over several buckets has
/// it marked, waits. `next` may be called more than once; nullopt leaves the word as it is.
/// Returns whether it was replaced.
template <class Next>
bool change_word(std::atomic<std::int64_t>& word, std::int64_t mark, const Next& next) {
    std::int64_t seen = word.load(std::memory_order_relaxed);
    for (Spin spin;;) {
        if (seen & mark) {
            spin.pause();
            seen = word.load(std::memory_order_relaxed);
            continue;
        }
        const std::optional<std::int64_t> wanted = next(seen);
        if (!wanted) return false;
        if (word.compare_exchange_weak(seen, *wanted, std::memory_order_relaxed)) return true;
    }
}

}  // namespace sluice::state
