// SPDX-License-Identifier: Apache-2.0
//
// Buckets and counters by client address, for plans with `meterBy: sourceIp`. Memory is bounded
// however many addresses appear, and no address gets out of a limit by being forgotten.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sluice/base/ip_address.hpp"
#include "sluice/state/limits.hpp"
#include "sluice/state/usage_journal.hpp"

namespace sluice::state {

/// A limit of one method within a plan. The identity is stable across reloads:
/// "api|stage|pets/GET".
struct MethodLimit {
    std::string identity{};
    BucketShape shape = BucketShape::unlimited();
};

struct SourceLimits {
    int v4_bits = 32;
    int v6_bits = 64;
    std::size_t cap = std::size_t{1} << 20;  ///< entries; an address has one per slot it used
    BucketShape throttle = BucketShape::unlimited();
    std::optional<QuotaRule> quota{};
    std::vector<MethodLimit> methods{};
};

/// An entry takes 80 bytes, 88 with its place in the index: a full table of 1,048,576 is 92 MB.
/// At the cap a hand goes round and evicts one entry per new address: of the next kCandidates one
/// that carries nothing (full bucket, unused quota), else one that would be admitted now; never
/// one that is limited. Past a run of limited ones it looks as far as earlier evictions saved.
/// Where even that finds nobody, the new address shares the overflow entry of its slot.
class SourceMeter final : private UsageOwner {
    struct Entry;

public:
    static constexpr std::size_t kPlanSlot = 0;
    static constexpr std::size_t kCandidates = 16;

    /// Keeps its entry from being evicted. Outlived by the meter; short-lived.
    class Pin {
    public:
        Pin(Pin&& other) noexcept : entry_(std::exchange(other.entry_, nullptr)) {}
        Pin& operator=(Pin&&) = delete;
        ~Pin();
        TokenBucket& bucket() const;
        QuotaCounter& quota() const;  ///< meaningful in the plan's slot
        bool is_overflow() const;

    private:
        friend class SourceMeter;
        explicit Pin(Entry& entry) : entry_(&entry) {}
        Entry* entry_;
    };

    SourceMeter(std::string plan_id, const SourceLimits&, std::shared_ptr<UsageJournal>);
    SourceMeter(const SourceMeter&) = delete;
    SourceMeter& operator=(const SourceMeter&) = delete;
    ~SourceMeter();

    /// The entry of an address (masked here) in a slot: kPlanSlot, or what slot() says.
    Pin find_or_add(const IpAddress&, std::size_t slot, TimePoint now, WallTime wall);
    std::optional<std::size_t> slot(std::string_view method_identity) const;
    /// A pin that several may share, and that keeps the meter, `self`, alive too.
    std::shared_ptr<const void> hold(const IpAddress&, std::size_t slot, TimePoint now,
                                     WallTime wall, std::shared_ptr<SourceMeter> self);
    /// "ip:" and the address as it is metered here: what rows call it.
    std::string key_of(const IpAddress&) const;

    /// New limits at reload; prefixes and cap stay.
    void adopt(const SourceLimits&, TimePoint now);
    bool has_prefixes(int v4_bits, int v6_bits) const;
    /// Continues a saved counter ("ip:<address>"); false = full or not such a row.
    bool restore(const UsageRow&);
    /// Rows of every address that used something.
    std::vector<UsageRow> usage() const;
    bool is_idle(TimePoint now, WallTime wall) const;

    struct Stats {
        std::size_t entries = 0, bytes = 0;
        std::uint64_t evictions = 0;
        std::uint64_t overflows = 0;  ///< requests that had to share an overflow entry
    };
    Stats stats() const;

private:
    struct Shard;
    struct Settings;

    void changed(QuotaCounter&) noexcept override;
    void finished(const QuotaCounter&, const Day&) noexcept override;
    UsageRow row(const QuotaCounter&) const override;
    UsageRow row_of(const Entry&, const Settings&) const;

    Entry* add(Shard&, const IpAddress&, std::size_t slot, std::uint64_t hash, TimePoint, WallTime);
    Entry* evict(Shard&, TimePoint, WallTime);
    Pin overflow(std::size_t slot);
    std::uint64_t hash_of(const IpAddress&, std::size_t slot) const;
    Shard& shard_of(std::uint64_t hash) const;

    const std::string plan_id_;
    const std::shared_ptr<UsageJournal> journal_;
    const int v4_bits_;
    const int v6_bits_;
    mutable std::mutex settings_mutex_;  ///< taken before any shard's
    std::shared_ptr<const Settings> settings_;
    std::size_t shard_count_;
    std::unique_ptr<Shard[]> shards_;
    std::mutex overflow_mutex_;
    std::deque<Entry> overflow_;  ///< by slot
    std::atomic<std::uint64_t> overflows_{0};
};

}  // namespace sluice::state
