// SPDX-License-Identifier: Apache-2.0
//
// What one worker has lately answered with, kept beside the shards: a hit here takes no lock and
// writes to no memory that another core reads. Used by its worker only.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "state/cache_entry.hpp"

namespace sluice::state {

class CacheFront {
public:
    /// `max_bytes`: what its entries may cost together, so that those the store has dropped since
    /// do not pin more than that until sweep().
    explicit CacheFront(std::uint64_t max_bytes);

    /// The answer, if it is here, fresh and not dropped by the store; else null.
    CachedPtr find(std::string_view key, std::uint64_t hash, TimePoint now);
    /// Offers an entry that a shard had. Taken unless what is in its place was asked for more,
    /// and then answered with this worker's own lease: a pointer whose count of users is this
    /// worker's, so that copying it disturbs no other core.
    CachedPtr offer(std::shared_ptr<CacheEntry>);
    bool takes(const CacheEntry& entry) const { return entry.cost <= max_entry_; }
    /// Lets go of what the store has dropped.
    void sweep();
    void clear();
    std::uint64_t bytes() const { return bytes_; }

private:
    struct Slot {
        CacheEntry* entry = nullptr;
        std::uint64_t hash = 0;
        CachedPtr lease{};
        std::uint8_t worth = 0;  ///< offers of other entries that it will outlast
    };
    Slot& slot_of(std::uint64_t hash) { return slots_[(hash >> 24) & (slots_.size() - 1)]; }
    void release(Slot&);

    std::vector<Slot> slots_;
    std::uint64_t max_bytes_;
    std::uint64_t max_entry_;
    std::uint64_t bytes_ = 0;
    std::size_t hand_ = 0;  ///< next slot to give up when the bytes run out
};

}  // namespace sluice::state
