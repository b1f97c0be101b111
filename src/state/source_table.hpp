// SPDX-License-Identifier: Apache-2.0
//
// One shard of a SourceMeter: entries in chunks that never move, and an index of them by hash
// (open addressing, linear probing, deletion by shifting back).
#pragma once

#include <algorithm>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "sluice/state/source_meter.hpp"

namespace sluice::state {

inline UsageRow usage_row(std::string plan, std::string key, const QuotaCounter& counter,
                          const QuotaRule& rule, std::uint64_t number = 0) {
    QuotaCounter::Usage usage = counter.usage();
    if (rule.leased) {  // the window's count holds what was given back, the extension what was got
        usage.used = usage.used_that_day;
        usage.extension = 0;
    }
    std::int64_t remaining = -1;
    if (rule.limit != QuotaRule::kUnlimited) {
        remaining = std::max<std::int64_t>(rule.limit + usage.extension - usage.used, 0);
    }
    return {std::move(plan), std::move(key),      usage.window, usage.used, usage.extension,
            usage.day,       usage.used_that_day, remaining,    number};
}

struct SourceMeter::Entry : QuotaCounter {
    static constexpr std::uint16_t kOverflow = 0xffff;

    TokenBucket bucket{};
    IpAddress address{};
    std::uint32_t number = 0;  ///< within its shard
    std::uint32_t hash = 0;
    std::atomic<std::uint32_t> pins{0};
    std::uint16_t slot = 0;
    std::uint16_t shard = 0;
};

struct SourceMeter::Settings {
    std::vector<BucketShape> shapes{BucketShape::unlimited()};  ///< by slot
    std::vector<std::string> identities{};                      ///< of slot 1, 2, ...
    QuotaRule rule{};

    std::optional<std::size_t> find(std::string_view identity) const {
        const auto found = std::find(identities.begin(), identities.end(), identity);
        if (found == identities.end()) return std::nullopt;
        return static_cast<std::size_t>(found - identities.begin()) + 1;
    }
    bool is_unused(const Entry& entry, TimePoint now, WallTime wall) const {
        if (!entry.bucket.is_full(shapes[entry.slot], now)) return false;
        return entry.slot != kPlanSlot || entry.read(rule, wall).used == 0;
    }
    bool is_limited(const Entry& entry, TimePoint now, WallTime wall) const {
        if (entry.bucket.shortage(shapes[entry.slot], now)) return true;
        return entry.slot == kPlanSlot && entry.exhausted(rule, wall);
    }
};

struct alignas(64) SourceMeter::Shard {
    static constexpr std::size_t kChunk = 256;
    static constexpr std::size_t kMostCandidates = 2048;  // some 50 us at worst

    std::mutex mutex;
    std::shared_ptr<const Settings> settings{};
    std::vector<std::unique_ptr<Entry[]>> chunks{};
    std::vector<std::uint32_t> places{};  ///< entry number + 1, 0 = free; a power of two of them
    std::size_t size = 0;
    std::size_t cap = 0;
    std::size_t hand = 0;
    std::size_t candidates = 0;  ///< how many may be examined: saved by those who needed few
    std::uint64_t evictions = 0;
    std::uint16_t number = 0;

    Entry& at(std::size_t n) const { return chunks[n / kChunk][n % kChunk]; }
    std::size_t home(const Entry& entry) const { return entry.hash & (places.size() - 1); }
    std::size_t after(std::size_t place) const { return (place + 1) & (places.size() - 1); }

    Entry* find(const IpAddress& address, std::size_t slot, std::uint32_t hash) const;
    /// A new entry at the end; not in the index yet.
    Entry& append();
    /// Twice what an eviction among the unlimited looks at, so that something is saved for runs
    /// of limited entries.
    void earn_candidates() { candidates = std::min(candidates + 2 * kCandidates, kMostCandidates); }
    /// The entry under the hand, which moves on.
    Entry& advance();
    void index(const Entry&);
    void unindex(const Entry&);
    void adopt(std::shared_ptr<const Settings>, const Settings* before, TimePoint now);
    std::size_t bytes() const {
        return chunks.size() * kChunk * sizeof(Entry) + places.capacity() * sizeof places[0] +
               chunks.capacity() * sizeof chunks[0];
    }

private:
    void place(std::uint32_t number_plus_1);
};

}  // namespace sluice::state
