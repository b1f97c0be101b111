// SPDX-License-Identifier: Apache-2.0
//
// The response cache of one stage: byte-bounded, sharded, S3-FIFO eviction, one leader per
// missing key. Thread-safe; no lock is held while anything else runs.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "sluice/base/time.hpp"

namespace sluice::state {

/// A stored response; immutable once published.
struct CachedResponse {
    int status = 200;
    std::string fields{};  ///< "Name: value\r\n" lines, ready to send; no framing, no Date
    std::string body{};
    TimePoint stored{};
    TimePoint expires{};
    std::uint32_t initial_age = 0;  ///< seconds: Age the backend sent
};
using CachedPtr = std::shared_ptr<const CachedResponse>;

/// A request that waits for another one's answer to the same key.
class CacheWaiter {
public:
    virtual ~CacheWaiter() = default;
    /// Called once, from any thread, with no lock held. Null: the leader has nothing to share,
    /// go to the backend yourself.
    virtual void resolved(CachedPtr) noexcept = 0;
};

class CacheStore;

/// The leader's side of a miss. Destroying it without commit() releases the waiters with
/// nothing. Move-only; used by one thread.
class CacheFill {
public:
    CacheFill();
    CacheFill(CacheFill&&) noexcept;
    CacheFill& operator=(CacheFill&&) noexcept;
    ~CacheFill();
    explicit operator bool() const;  ///< still able to commit
    /// Adds body bytes; false (and given up, waiters released) once the entry would be larger
    /// than one entry may be.
    bool append(std::string_view bytes);
    /// Publishes: replaces an entry of the same key, wakes the waiters with it.
    void commit(int status, std::string fields, TimePoint stored, TimePoint expires,
                std::uint32_t initial_age);
    void abandon();
    struct State;

private:
    friend class CacheStore;
    std::unique_ptr<State> state_;
};

class CacheStore {
public:
    struct Stats {
        std::uint64_t bytes = 0, entries = 0;
        std::uint64_t evictions = 0;  ///< fresh entries that had to make room
    };
    enum class Miss { lead, wait };
    struct Lookup {
        CachedPtr hit{};   ///< set: answer with it
        CacheFill fill{};  ///< set: this request is the leader
        // neither: `waiter` was registered and will be resolved
    };

    /// `capacity`: bytes of keys, headers, bodies and bookkeeping together, never exceeded.
    /// An entry larger than `max_entry` (aws-semantics 8: 1 MiB) is not stored. Besides, there
    /// are the bodies of fills under way (limited to as much again, or 64 of `max_entry`), answers
    /// still being sent, and for a second what the front tables hold of dropped entries (at most
    /// a sixteenth).
    CacheStore(std::uint64_t capacity, std::uint64_t max_entry, unsigned workers);
    ~CacheStore();

    /// A fresh entry, if there is one: no lock in the common case (per-worker front table).
    CachedPtr find(std::string_view key, std::uint64_t hash, TimePoint now, unsigned worker);
    /// After a miss: become the leader or register `make_waiter()`'s result. Checks again for
    /// an entry that arrived meanwhile.
    Lookup join(std::string_view key, std::uint64_t hash, TimePoint now,
                const std::shared_ptr<CacheWaiter>& waiter);
    /// A leader even though an entry may exist (client invalidation): replaces it on commit.
    CacheFill refresh(std::string_view key, std::uint64_t hash);
    /// Drops every entry (flush). Fills under way do not store what they began before it.
    void clear();
    /// Called by each worker about once a second: lets go of entries dropped by the store that
    /// the worker's front table still holds.
    void sweep_front(unsigned worker);
    Stats stats() const;
    std::uint64_t capacity() const;
    /// Seeded hash of a key: an attacker cannot choose collisions.
    static std::uint64_t hash(std::string_view key);

private:
    friend struct CacheFill::State;
    struct Impl;
    std::shared_ptr<Impl> impl_;
};

}  // namespace sluice::state
