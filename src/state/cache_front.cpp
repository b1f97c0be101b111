// SPDX-License-Identifier: Apache-2.0
#include "state/cache_front.hpp"

#include <algorithm>
#include <bit>

namespace sluice::state {
namespace {

constexpr std::uint64_t kMaxSlots = 1024;
constexpr std::uint64_t kMinSlots = 16;
// Above this, sending the body costs so much that the shard's lock no longer shows.
constexpr std::uint64_t kMaxEntryBytes = 16 * 1024;
constexpr std::uint64_t kExpectedEntryBytes = 1024;
// Two keys that take turns in one slot would cost an allocation each time; so the one that is
// there stays until this many offers came without a hit in between.
constexpr std::uint8_t kMaxWorth = 2;

/// What a lease keeps alive. Aligned, so that the counts of two workers' leases are never
/// neighbours in one cache line.
struct alignas(64) Leased {
    std::shared_ptr<CacheEntry> entry;
};

}  // namespace

CacheFront::CacheFront(std::uint64_t max_bytes)
    : slots_(std::bit_floor(std::clamp(max_bytes / kExpectedEntryBytes, kMinSlots, kMaxSlots))),
      max_bytes_(max_bytes),
      max_entry_(std::min(kMaxEntryBytes, max_bytes)) {}

CachedPtr CacheFront::find(std::string_view key, std::uint64_t hash, TimePoint now) {
    Slot& slot = slot_of(hash);
    if (slot.hash != hash || slot.entry == nullptr) {
        return nullptr;
    }
    CacheEntry& entry = *slot.entry;
    if (!entry.alive.load(std::memory_order_acquire) || !entry.is_fresh(now)) {
        release(slot);
        return nullptr;
    }
    if (entry.key != key) {
        return nullptr;
    }
    entry.touch();
    slot.worth = kMaxWorth;
    return slot.lease;
}

CachedPtr CacheFront::offer(std::shared_ptr<CacheEntry> entry) {
    Slot& slot = slot_of(entry->hash);
    if (slot.worth > 0 && slot.entry->alive.load(std::memory_order_relaxed)) {
        --slot.worth;
        const CachedResponse* const response = &entry->response;
        return {std::move(entry), response};
    }
    release(slot);
    for (std::size_t seen = 0; seen < slots_.size() && bytes_ + entry->cost > max_bytes_; ++seen) {
        release(slots_[hand_++ & (slots_.size() - 1)]);
    }
    CacheEntry* const kept = entry.get();
    const auto holder = std::make_shared<Leased>(Leased{std::move(entry)});
    slot.entry = kept;
    slot.hash = kept->hash;
    slot.lease = CachedPtr(holder, &kept->response);
    bytes_ += kept->cost;
    return slot.lease;
}

void CacheFront::sweep() {
    for (Slot& slot : slots_) {
        if (slot.entry != nullptr && !slot.entry->alive.load(std::memory_order_acquire)) {
            release(slot);
        }
    }
}

void CacheFront::clear() {
    for (Slot& slot : slots_) {
        release(slot);
    }
}

void CacheFront::release(Slot& slot) {
    if (slot.entry != nullptr) {
        bytes_ -= slot.entry->cost;
        slot = Slot{};
    }
}

}  // namespace sluice::state
