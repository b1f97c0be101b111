// SPDX-License-Identifier: Apache-2.0
#include "sluice/state/cache_store.hpp"

#include <algorithm>
#include <bit>
#include <utility>

#include "base/hash.hpp"
#include "state/cache_store_impl.hpp"

namespace sluice::state {
namespace {

constexpr std::uint64_t kMaxShards = 64;
// A shard holds at least this many of the largest entries, so that what falls to one shard by
// chance does not crowd it while another one stands empty.
constexpr std::uint64_t kLargestPerShard = 32;
constexpr std::uint64_t kMinShardBytes = 256 * 1024;
// Fills under way hold bodies that nobody evicts. Together they may take as much as the cache,
// and in a small cache as much as this many of the largest entries.
constexpr std::uint64_t kLargestInFlight = 64;
// What all front tables together may pin of entries that the store has dropped: a sixteenth.
constexpr std::uint64_t kFrontShare = 16;
constexpr std::uint64_t kMaxFrontBytes = 16 * 1024 * 1024;

std::size_t shard_count(std::uint64_t capacity, std::uint64_t max_entry) {
    const auto least = std::max(max_entry * kLargestPerShard, kMinShardBytes);
    return std::bit_floor(std::clamp(capacity / least, std::uint64_t{1}, kMaxShards));
}

}  // namespace

CacheStore::Impl::Impl(std::uint64_t capacity_bytes, std::uint64_t max_entry_bytes,
                       unsigned workers)
    : capacity(capacity_bytes),
      max_entry(std::min(max_entry_bytes, capacity_bytes)),
      max_filling(std::max(capacity, kLargestInFlight * max_entry)) {
    const auto count = shard_count(capacity, max_entry);
    shard_shift = 64 - std::countr_zero(count);
    for (std::size_t i = 0; i < count; ++i) {
        shards.push_back(std::make_unique<CacheShard>(capacity / count));
    }
    const auto share = capacity / kFrontShare / std::max(1u, workers);
    for (unsigned i = 0; i < workers; ++i) {
        fronts.push_back(std::make_unique<Front>(std::min(share, kMaxFrontBytes)));
    }
}

CacheStore::CacheStore(std::uint64_t capacity, std::uint64_t max_entry, unsigned workers)
    : impl_(std::make_shared<Impl>(capacity, max_entry, workers)) {}

CacheStore::~CacheStore() {
    // Leaders that are still under way keep the rest alive; not the entries.
    clear();
    for (const auto& front : impl_->fronts) {
        front->table.clear();
    }
}

CachedPtr CacheStore::find(std::string_view key, std::uint64_t hash, TimePoint now,
                           unsigned worker) {
    CacheFront* const front = impl_->front(worker);
    if (front != nullptr) {
        if (CachedPtr hit = front->find(key, hash, now)) {
            return hit;
        }
    }
    auto entry = impl_->shard(hash).find(key, hash, now);
    if (entry == nullptr) {
        return nullptr;
    }
    // On the second hit: a scan of entries that are hit once does not churn the front table.
    const bool hot = entry->hits.load(std::memory_order_relaxed) > 1;
    if (front != nullptr && hot && front->takes(*entry)) {
        return front->offer(std::move(entry));
    }
    const CachedResponse* const response = &entry->response;
    return {std::move(entry), response};
}

CacheStore::Lookup CacheStore::join(std::string_view key, std::uint64_t hash, TimePoint now,
                                    const std::shared_ptr<CacheWaiter>& waiter) {
    auto joined = impl_->shard(hash).join(key, hash, now, waiter);
    Lookup lookup;
    if (joined.entry != nullptr) {
        const CachedResponse* const response = &joined.entry->response;
        lookup.hit = {std::move(joined.entry), response};
    } else if (joined.lead != nullptr) {
        lookup.fill.state_ = std::make_unique<CacheFill::State>(impl_, std::move(joined.lead));
    }
    return lookup;
}

CacheFill CacheStore::refresh(std::string_view key, std::uint64_t hash) {
    CacheFill fill;
    fill.state_ = std::make_unique<CacheFill::State>(impl_, impl_->shard(hash).refresh(key, hash));
    return fill;
}

void CacheStore::clear() {
    for (const auto& shard : impl_->shards) {
        shard->clear();
    }
}

void CacheStore::sweep_front(unsigned worker) {
    if (CacheFront* const front = impl_->front(worker)) {
        front->sweep();
    }
}

CacheStore::Stats CacheStore::stats() const {
    Stats sum;
    for (const auto& shard : impl_->shards) {
        const Stats one = shard->stats();
        sum.bytes += one.bytes;
        sum.entries += one.entries;
        sum.evictions += one.evictions;
    }
    return sum;
}

std::uint64_t CacheStore::capacity() const { return impl_->capacity; }

std::uint64_t CacheStore::hash(std::string_view key) { return siphash13(process_hash_key(), key); }

}  // namespace sluice::state
