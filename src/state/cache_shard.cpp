// SPDX-License-Identifier: Apache-2.0
#include "state/cache_shard.hpp"

#include <utility>

namespace sluice::state {

CacheShard::EntryPtr CacheShard::find(std::string_view key, std::uint64_t hash, TimePoint now) {
    DeadEntries dead;
    const std::lock_guard lock(mutex_);
    CacheEntry* const entry = fresh_entry(key, hash, now, dead);
    return entry != nullptr ? entry->self : nullptr;
}

CacheShard::Joined CacheShard::join(std::string_view key, std::uint64_t hash, TimePoint now,
                                    const std::shared_ptr<CacheWaiter>& waiter) {
    DeadEntries dead;
    const std::lock_guard lock(mutex_);
    if (CacheEntry* const entry = fresh_entry(key, hash, now, dead)) {
        return {.entry = entry->self};
    }
    const auto flight = flights_.find({hash, key});
    if (flight == flights_.end()) {
        return {.lead = take_off(key, hash)};
    }
    if (waiter != nullptr) {
        flight->second->waiters.push_back(waiter);
    }
    return {};
}

CacheShard::FlightPtr CacheShard::refresh(std::string_view key, std::uint64_t hash) {
    const std::lock_guard lock(mutex_);
    flights_.erase({hash, key});
    return take_off(key, hash);
}

CacheShard::Waiters CacheShard::finish(CacheFlight& flight, End end, const EntryPtr& entry,
                                       TimePoint now) {
    DeadEntries dead;
    const std::lock_guard lock(mutex_);
    Waiters waiters = std::exchange(flight.waiters, {});
    const auto current = flights_.find({flight.hash, flight.key});
    if (current == flights_.end() || current->second.get() != &flight) {
        return waiters;
    }
    flights_.erase(current);
    if (end == End::store) {
        entries_.insert(entry, now, dead);
    } else if (end == End::drop) {
        if (CacheEntry* const old = entries_.find(flight.key, flight.hash)) {
            entries_.remove(*old, dead);
        }
    }
    publish_stats();
    return waiters;
}

void CacheShard::clear() {
    DeadEntries dead;
    decltype(flights_) grounded;  // their leaders hold them; freed after the lock
    const std::lock_guard lock(mutex_);
    entries_.clear(dead);
    grounded.swap(flights_);
    publish_stats();
}

CacheStore::Stats CacheShard::stats() const {
    return {bytes_.load(std::memory_order_relaxed), count_.load(std::memory_order_relaxed),
            evictions_.load(std::memory_order_relaxed)};
}

S3Fifo::Sums CacheShard::recount() {
    const std::lock_guard lock(mutex_);
    return entries_.recount();
}

CacheEntry* CacheShard::fresh_entry(std::string_view key, std::uint64_t hash, TimePoint now,
                                    DeadEntries& dead) {
    CacheEntry* const entry = entries_.find(key, hash);
    if (entry == nullptr) {
        return nullptr;
    }
    if (!entry->is_fresh(now)) {
        entries_.expire(*entry, dead);
        publish_stats();
        return nullptr;
    }
    entry->touch();
    return entry;
}

CacheShard::FlightPtr CacheShard::take_off(std::string_view key, std::uint64_t hash) {
    auto flight = std::make_shared<CacheFlight>();
    flight->key = key;
    flight->hash = hash;
    flights_.emplace(FlightKey{hash, flight->key}, flight);
    return flight;
}

void CacheShard::publish_stats() {
    bytes_.store(entries_.bytes(), std::memory_order_relaxed);
    count_.store(entries_.entries(), std::memory_order_relaxed);
    evictions_.store(entries_.evictions(), std::memory_order_relaxed);
}

}  // namespace sluice::state
