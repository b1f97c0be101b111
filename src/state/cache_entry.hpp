// SPDX-License-Identifier: Apache-2.0
//
// One stored response as the cache holds it, and the list that frees entries outside a lock.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "sluice/state/cache_store.hpp"

namespace sluice::state {

/// What every hit reads stands apart from what moving neighbours in a queue writes, so that hits
/// on several cores share the cache line instead of stealing it from each other.
struct CacheEntry {
    // Owned by the S3Fifo that holds the entry, under its shard's lock.
    CacheEntry* chain = nullptr;  ///< next in the hash bucket
    CacheEntry* newer = nullptr;
    CacheEntry* older = nullptr;
    std::shared_ptr<CacheEntry> self{};  ///< the store's share, while linked
    bool in_main = false;

    // Immutable once linked.
    std::uint64_t hash = 0;
    std::uint64_t cost = 0;
    std::string key{};
    CachedResponse response{};

    // Read by every hit, written seldom.
    std::atomic<std::uint8_t> hits{0};  ///< saturates at kMaxHits
    std::atomic<bool> alive{true};      ///< false once replaced, evicted, expired or flushed

    static constexpr std::uint8_t kMaxHits = 3;

    bool is(std::string_view wanted, std::uint64_t wanted_hash) const {
        return hash == wanted_hash && key == wanted;
    }
    bool is_fresh(TimePoint now) const { return now < response.expires; }

    /// A lost increment among several threads is harmless; a write per hit is not.
    void touch() {
        const auto seen = hits.load(std::memory_order_relaxed);
        if (seen < kMaxHits) {
            hits.store(static_cast<std::uint8_t>(seen + 1), std::memory_order_relaxed);
        }
    }
};

/// Bytes an entry costs besides its three strings: itself, its control block, four allocations'
/// headers, and its share of the bucket and ghost tables (at most two slots of 16 bytes).
inline constexpr std::uint64_t kCacheEntryOverhead = sizeof(CacheEntry) + 16 + 4 * 16 + 2 * 16;

inline std::uint64_t cache_entry_cost(std::size_t key, std::size_t fields, std::size_t body) {
    return kCacheEntryOverhead + key + fields + body;
}

/// Unlinked entries, chained through `newer`; released by the destructor. Declared before a lock,
/// it frees after the unlock.
class DeadEntries {
public:
    DeadEntries() = default;
    DeadEntries(const DeadEntries&) = delete;
    DeadEntries& operator=(const DeadEntries&) = delete;
    ~DeadEntries() {
        while (head_ != nullptr) {
            CacheEntry& entry = *std::exchange(head_, head_->newer);
            entry.alive.store(false, std::memory_order_release);
            const auto last = std::move(entry.self);
        }
    }
    void add(CacheEntry& entry) {
        entry.alive.store(false, std::memory_order_release);
        entry.newer = std::exchange(head_, &entry);
    }
    /// Takes a whole queue in one step; `tail` is its newest entry.
    void add_queue(CacheEntry* oldest, CacheEntry* newest) {
        if (oldest != nullptr) {
            newest->newer = std::exchange(head_, oldest);
        }
    }

private:
    CacheEntry* head_ = nullptr;
};

}  // namespace sluice::state
