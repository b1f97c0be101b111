// SPDX-License-Identifier: Apache-2.0
#include "state/cache_s3fifo.hpp"

#include <algorithm>
#include <bit>

namespace sluice::state {
namespace {

constexpr std::uint64_t kSmallShare = 10;  // S3-FIFO: the small queue has a tenth
// One hit is enough to leave the small queue; asking for two, as the paper does, kept up to half
// a percent fewer hits on the traces of cache_trace.hpp.
constexpr std::uint8_t kPromotionHits = 1;
// Entries that one eviction may pass over before it takes whatever comes next: bounds how long
// the lock is held, and ends the loop though other threads keep hitting what it looks at.
constexpr int kPatience = 128;
constexpr int kReapBuckets = 8;  // looked at for expired entries before each eviction
constexpr std::size_t kMinBuckets = 16;
constexpr std::uint64_t kExpectedEntryBytes = 8192;  // sizes the first table: 0.1 % of the capacity
constexpr std::size_t kMaxFirstBuckets = std::size_t{1} << 16;

}  // namespace

void GhostSet::resize(std::size_t slots) { slots_.assign(slots, Slot{}); }

GhostSet::Slot* GhostSet::set_of(std::uint64_t hash) {
    return &slots_[(hash & (slots_.size() - 1)) & ~(kWays - 1)];
}

void GhostSet::add(std::uint64_t hash) {
    adds_ = std::max(1u, adds_ + 1);  // 0 means empty; after a wrap old slots merely look recent
    Slot* const set = set_of(hash);
    Slot* const victim = std::min_element(set, set + kWays, [this](const Slot& a, const Slot& b) {
        return adds_ - a.added > adds_ - b.added;
    });
    *victim = {static_cast<std::uint32_t>(hash >> 32), adds_};
}

bool GhostSet::take(std::uint64_t hash, std::uint64_t window) {
    const auto print = static_cast<std::uint32_t>(hash >> 32);
    Slot* const set = set_of(hash);
    Slot* const slot = std::find_if(
        set, set + kWays, [print](const Slot& s) { return s.added != 0 && s.print == print; });
    if (slot == set + kWays) {
        return false;
    }
    const bool recent = adds_ - slot->added < window;
    *slot = {};
    return recent;
}

void GhostSet::clear() { std::fill(slots_.begin(), slots_.end(), Slot{}); }

void S3Fifo::Queue::push(CacheEntry& entry) {
    entry.newer = nullptr;
    entry.older = newest;
    (newest != nullptr ? newest->newer : oldest) = &entry;
    newest = &entry;
    bytes += entry.cost;
    ++entries;
}

void S3Fifo::Queue::unlink(CacheEntry& entry) {
    (entry.older != nullptr ? entry.older->newer : oldest) = entry.newer;
    (entry.newer != nullptr ? entry.newer->older : newest) = entry.older;
    bytes -= entry.cost;
    --entries;
}

S3Fifo::S3Fifo(std::uint64_t capacity)
    : capacity_(capacity),
      buckets_(std::clamp(std::bit_floor(capacity / kExpectedEntryBytes | 1), kMinBuckets,
                          kMaxFirstBuckets)) {
    ghosts_.resize(buckets_.size());
}

S3Fifo::~S3Fifo() {
    DeadEntries dead;
    clear(dead);
}

CacheEntry* S3Fifo::find(std::string_view key, std::uint64_t hash) const {
    CacheEntry* entry = buckets_[hash & (buckets_.size() - 1)];
    while (entry != nullptr && !entry->is(key, hash)) {
        entry = entry->chain;
    }
    return entry;
}

void S3Fifo::insert(std::shared_ptr<CacheEntry> owned, TimePoint now, DeadEntries& dead) {
    CacheEntry& entry = *owned;
    if (CacheEntry* const old = find(entry.key, entry.hash)) {
        // A successor inherits the standing: replacing a popular answer must not lose it.
        entry.in_main = old->in_main;
        entry.hits.store(old->hits.load(std::memory_order_relaxed), std::memory_order_relaxed);
        remove(*old, dead);
    }
    if (entry.cost > capacity_) {
        return;
    }
    if (entries() >= buckets_.size()) {
        grow_buckets();
    }
    entry.in_main = ghosts_.take(entry.hash, main_.entries + small_.entries) || entry.in_main;
    make_room(entry.cost, now, dead);
    entry.chain = std::exchange(bucket(entry.hash), &entry);
    queue_of(entry).push(entry);
    entry.self = std::move(owned);
}

void S3Fifo::remove(CacheEntry& entry, DeadEntries& dead) {
    CacheEntry** link = &bucket(entry.hash);
    while (*link != &entry) {
        link = &(*link)->chain;
    }
    *link = entry.chain;
    queue_of(entry).unlink(entry);
    dead.add(entry);
}

void S3Fifo::expire(CacheEntry& entry, DeadEntries& dead) {
    if (entry.in_main || entry.hits.load(std::memory_order_relaxed) >= kPromotionHits) {
        ghosts_.add(entry.hash);
    }
    remove(entry, dead);
}

void S3Fifo::clear(DeadEntries& dead) {
    std::fill(buckets_.begin(), buckets_.end(), nullptr);
    dead.add_queue(small_.oldest, small_.newest);
    dead.add_queue(main_.oldest, main_.newest);
    small_ = main_ = Queue{};
    ghosts_.clear();
}

S3Fifo::Sums S3Fifo::recount() const {
    Sums sums;
    for (const CacheEntry* entry : buckets_) {
        for (; entry != nullptr; entry = entry->chain) {
            sums.bytes += cache_entry_cost(entry->key.capacity(), entry->response.fields.capacity(),
                                           entry->response.body.capacity());
            ++sums.entries;
        }
    }
    return sums;
}

void S3Fifo::grow_buckets() {
    std::vector<CacheEntry*> old(buckets_.size() * 2);
    old.swap(buckets_);
    for (CacheEntry* entry : old) {
        while (entry != nullptr) {
            CacheEntry& moved = *std::exchange(entry, entry->chain);
            moved.chain = std::exchange(bucket(moved.hash), &moved);
        }
    }
    ghosts_.resize(buckets_.size());
}

void S3Fifo::make_room(std::uint64_t need, TimePoint now, DeadEntries& dead) {
    if (bytes() + need > capacity_) {
        reap(now, dead);
    }
    while (bytes() + need > capacity_) {
        evict(now, dead);
    }
}

/// Expired entries are the best victims, wherever they stand in their queue.
void S3Fifo::reap(TimePoint now, DeadEntries& dead) {
    for (int i = 0; i < kReapBuckets; ++i) {
        reap_at_ = (reap_at_ + 1) & (buckets_.size() - 1);
        CacheEntry* entry = buckets_[reap_at_];
        while (entry != nullptr) {
            CacheEntry& seen = *std::exchange(entry, entry->chain);
            if (!seen.is_fresh(now)) {
                expire(seen, dead);
            }
        }
    }
}

void S3Fifo::evict(TimePoint now, DeadEntries& dead) {
    for (int passed = 0;; ++passed) {
        Queue& from =
            small_.bytes > capacity_ / kSmallShare || main_.oldest == nullptr ? small_ : main_;
        CacheEntry& entry = *from.oldest;
        if (leaves(entry, now, passed >= kPatience)) {
            return remove(entry, dead);
        }
        from.unlink(entry);
        entry.in_main = true;
        main_.push(entry);
    }
}

/// Whether the oldest of a queue goes; otherwise it is to join the newest of the main queue.
bool S3Fifo::leaves(CacheEntry& entry, TimePoint now, bool out_of_patience) {
    if (!entry.is_fresh(now)) {
        return true;
    }
    const auto hits = entry.hits.load(std::memory_order_relaxed);
    const bool stays = !out_of_patience && hits >= (entry.in_main ? 1 : kPromotionHits);
    if (stays) {
        const auto left = entry.in_main ? hits - 1 : 0;
        entry.hits.store(static_cast<std::uint8_t>(left), std::memory_order_relaxed);
        return false;
    }
    if (!entry.in_main) {
        ghosts_.add(entry.hash);
    }
    ++evictions_;
    return true;
}

}  // namespace sluice::state
