// SPDX-License-Identifier: Apache-2.0
//
// S3-FIFO (Yang et al., SOSP 2023): who stays in a byte-bounded cache. No lock, no clock.
//
//             seen before (ghost)
//          +--------------------------------+
//   new ---+--> small (a tenth) --hit--> main (the rest) --not hit since--> out
//                 |                       ^        |
//                 +--not hit--> out,      +--hit---+ once more around
//                               hash kept in ghost
//
// A scan passes through `small` and leaves `main` alone; a hit moves nothing, so it needs no
// exclusive access to a queue.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "state/cache_entry.hpp"

namespace sluice::state {

/// Hashes of keys evicted lately, in sets of four; forgets the oldest of a set.
class GhostSet {
public:
    void resize(std::size_t slots);  ///< power of two, at least kWays; forgets everything
    void add(std::uint64_t hash);
    /// Whether `hash` is among the last `window` added; forgets it.
    bool take(std::uint64_t hash, std::uint64_t window);
    void clear();

private:
    static constexpr std::size_t kWays = 4;
    struct Slot {
        std::uint32_t print = 0;
        std::uint32_t added = 0;  ///< 0: empty
    };
    Slot* set_of(std::uint64_t hash);

    std::vector<Slot> slots_{};
    std::uint32_t adds_ = 0;
};

class S3Fifo {
public:
    explicit S3Fifo(std::uint64_t capacity);
    ~S3Fifo();
    S3Fifo(const S3Fifo&) = delete;
    S3Fifo& operator=(const S3Fifo&) = delete;

    /// The entry of this key, fresh or not.
    CacheEntry* find(std::string_view key, std::uint64_t hash) const;
    /// Makes room and takes the entry in, in place of one with the same key. What costs more than
    /// the capacity is not taken (its predecessor goes all the same).
    void insert(std::shared_ptr<CacheEntry>, TimePoint now, DeadEntries&);
    void remove(CacheEntry&, DeadEntries&);
    /// As remove(), but remembers a popular key, so that its successor is not on trial again.
    void expire(CacheEntry&, DeadEntries&);
    void clear(DeadEntries&);

    std::uint64_t bytes() const { return small_.bytes + main_.bytes; }
    std::uint64_t entries() const { return small_.entries + main_.entries; }
    std::uint64_t evictions() const { return evictions_; }
    std::uint64_t capacity() const { return capacity_; }

    struct Sums {
        std::uint64_t bytes = 0, entries = 0;
    };
    /// bytes() and entries() counted from the entries themselves, for tests.
    Sums recount() const;

private:
    struct Queue {
        CacheEntry* oldest = nullptr;
        CacheEntry* newest = nullptr;
        std::uint64_t bytes = 0;
        std::uint64_t entries = 0;
        void push(CacheEntry&);
        void unlink(CacheEntry&);
    };
    CacheEntry*& bucket(std::uint64_t hash) { return buckets_[hash & (buckets_.size() - 1)]; }
    Queue& queue_of(const CacheEntry& entry) { return entry.in_main ? main_ : small_; }
    void grow_buckets();
    void make_room(std::uint64_t need, TimePoint now, DeadEntries&);
    void reap(TimePoint now, DeadEntries&);
    void evict(TimePoint now, DeadEntries&);
    bool leaves(CacheEntry&, TimePoint now, bool out_of_patience);

    const std::uint64_t capacity_;
    std::vector<CacheEntry*> buckets_;
    Queue small_{};
    Queue main_{};
    GhostSet ghosts_{};
    std::size_t reap_at_ = 0;  ///< next bucket to look for expired entries in
    std::uint64_t evictions_ = 0;
};

}  // namespace sluice::state
