// SPDX-License-Identifier: Apache-2.0
//
// What CacheStore and the fills it handed out share.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "state/cache_front.hpp"
#include "state/cache_shard.hpp"

namespace sluice::state {

struct CacheStore::Impl {
    Impl(std::uint64_t capacity_bytes, std::uint64_t max_entry_bytes, unsigned workers);

    /// Front tables of different workers never share a cache line.
    struct alignas(64) Front {
        explicit Front(std::uint64_t max_bytes) : table(max_bytes) {}
        CacheFront table;
    };

    CacheShard& shard(std::uint64_t hash) {
        // The top bits: the low ones choose the bucket. A shift by 64 is undefined.
        return *shards[shard_shift == 64 ? 0 : hash >> shard_shift];
    }
    /// Null for a thread that is no worker.
    CacheFront* front(unsigned worker) {
        return worker < fronts.size() ? &fronts[worker]->table : nullptr;
    }

    const std::uint64_t capacity;
    const std::uint64_t max_entry;
    const std::uint64_t max_filling;
    int shard_shift = 64;
    std::vector<std::unique_ptr<CacheShard>> shards{};
    std::vector<std::unique_ptr<Front>> fronts{};
    std::atomic<std::uint64_t> filling{0};  ///< body bytes that fills under way hold
};

struct CacheFill::State {
    State(std::shared_ptr<CacheStore::Impl> in, std::shared_ptr<CacheFlight> led)
        : store(std::move(in)), flight(std::move(led)) {}
    State(const State&) = delete;
    State& operator=(const State&) = delete;
    /// Whatever happens, those who wait are told.
    ~State();

    /// Whether the fills under way may grow by so much together.
    bool reserve(std::size_t bytes);
    /// Ends the flight and wakes its waiters with `entry`.
    void finish(CacheShard::End, const std::shared_ptr<CacheEntry>& entry, TimePoint now) noexcept;

    std::shared_ptr<CacheStore::Impl> store;
    std::shared_ptr<CacheFlight> flight;  ///< null once finished
    std::string body{};
    std::uint64_t reserved = 0;
};

}  // namespace sluice::state
