// SPDX-License-Identifier: Apache-2.0
//
// One shard of a cache: entries and fills under way, under one lock. Private to CacheStore.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "state/cache_s3fifo.hpp"

namespace sluice::state {

/// A fill under way, shared by its leader and the shard. Whoever waits waits here.
struct CacheFlight {
    std::string key{};
    std::uint64_t hash = 0;
    std::vector<std::shared_ptr<CacheWaiter>> waiters{};  ///< under the shard's lock
};

class alignas(64) CacheShard {
public:
    using Waiters = std::vector<std::shared_ptr<CacheWaiter>>;
    using EntryPtr = std::shared_ptr<CacheEntry>;
    using FlightPtr = std::shared_ptr<CacheFlight>;

    /// What join() found: an entry, or a flight to lead, or (neither) the waiter was registered.
    struct Joined {
        EntryPtr entry{};
        FlightPtr lead{};
    };
    /// What happens to the stored entry when a fill ends.
    enum class End {
        store,  ///< the new one takes its place
        drop,   ///< the answer has changed, but cannot be stored
        keep    ///< nothing was learnt
    };

    explicit CacheShard(std::uint64_t capacity) : entries_(capacity) {}

    EntryPtr find(std::string_view key, std::uint64_t hash, TimePoint now);
    Joined join(std::string_view key, std::uint64_t hash, TimePoint now,
                const std::shared_ptr<CacheWaiter>&);
    /// A new flight, in place of one under way: that one still answers its waiters.
    FlightPtr refresh(std::string_view key, std::uint64_t hash);
    /// Ends a flight and returns who waited. A flight that was superseded or flushed meanwhile
    /// changes nothing here.
    Waiters finish(CacheFlight&, End, const EntryPtr&, TimePoint now);
    void clear();
    CacheStore::Stats stats() const;
    /// For tests: stats() counted anew from the entries.
    S3Fifo::Sums recount();

private:
    /// The view is into the flight's own key.
    struct FlightKey {
        std::uint64_t hash;
        std::string_view key;
        bool operator==(const FlightKey&) const = default;
    };
    struct FlightHash {
        std::size_t operator()(const FlightKey& key) const { return key.hash; }
    };
    CacheEntry* fresh_entry(std::string_view key, std::uint64_t hash, TimePoint now, DeadEntries&);
    FlightPtr take_off(std::string_view key, std::uint64_t hash);
    void publish_stats();

    std::mutex mutex_{};
    S3Fifo entries_;
    std::unordered_map<FlightKey, FlightPtr, FlightHash> flights_{};

    // Written under the lock, read by scrapes without it.
    std::atomic<std::uint64_t> bytes_{0};
    std::atomic<std::uint64_t> count_{0};
    std::atomic<std::uint64_t> evictions_{0};
};

}  // namespace sluice::state
