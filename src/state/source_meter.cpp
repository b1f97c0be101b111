// SPDX-License-Identifier: Apache-2.0
#include "sluice/state/source_meter.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/hash.hpp"
#include "state/source_table.hpp"

namespace sluice::state {

namespace {

constexpr std::size_t kMaxShards = 64;
constexpr std::size_t kLeastPerShard = 256;  // fewer, and one shard fills long before the others
constexpr std::string_view kKeyPrefix = "ip:";

std::size_t shards_for(std::size_t cap) {
    return std::bit_floor(std::clamp<std::size_t>(cap / kLeastPerShard, 1, kMaxShards));
}

}  // namespace

SourceMeter::Pin::~Pin() {
    if (entry_ != nullptr) entry_->pins.fetch_sub(1, std::memory_order_release);
}
TokenBucket& SourceMeter::Pin::bucket() const { return entry_->bucket; }
QuotaCounter& SourceMeter::Pin::quota() const { return *entry_; }
bool SourceMeter::Pin::is_overflow() const { return entry_->shard == Entry::kOverflow; }

SourceMeter::SourceMeter(std::string plan_id, const SourceLimits& limits,
                         std::shared_ptr<UsageJournal> journal)
    : plan_id_(std::move(plan_id)),
      journal_(std::move(journal)),
      v4_bits_(limits.v4_bits),
      v6_bits_(limits.v6_bits),
      shard_count_(shards_for(limits.cap)),
      shards_(std::make_unique<Shard[]>(shard_count_)) {
    for (std::size_t n = 0; n < shard_count_; ++n) {
        shards_[n].number = static_cast<std::uint16_t>(n);
        shards_[n].cap = std::max<std::size_t>(limits.cap / shard_count_, 1);
    }
    adopt(limits, TimePoint{});
}

SourceMeter::~SourceMeter() = default;

void SourceMeter::adopt(const SourceLimits& limits, TimePoint now) {
    const std::lock_guard lock(settings_mutex_);
    auto next = settings_ ? std::make_shared<Settings>(*settings_) : std::make_shared<Settings>();
    next->shapes[kPlanSlot] = limits.throttle;
    next->rule = limits.quota.value_or(QuotaRule::unlimited());
    for (const MethodLimit& method : limits.methods) {
        if (const auto slot = next->find(method.identity)) {
            next->shapes[*slot] = method.shape;
        } else {
            next->identities.push_back(method.identity);
            next->shapes.push_back(method.shape);
        }
    }
    const auto before = std::exchange(settings_, next);
    for (std::size_t n = 0; n < shard_count_; ++n) {
        shards_[n].adopt(next, before.get(), now);
    }
}

std::optional<std::size_t> SourceMeter::slot(std::string_view method_identity) const {
    const std::lock_guard lock(settings_mutex_);
    return settings_->find(method_identity);
}

bool SourceMeter::has_prefixes(int v4_bits, int v6_bits) const {
    return v4_bits == v4_bits_ && v6_bits == v6_bits_;
}

std::uint64_t SourceMeter::hash_of(const IpAddress& address, std::size_t slot) const {
    char bytes[18];
    std::memcpy(bytes, address.bytes().data(), 16);
    bytes[16] = static_cast<char>(slot);
    bytes[17] = static_cast<char>(slot >> 8);
    return siphash13(process_hash_key(), {bytes, sizeof bytes});
}

SourceMeter::Shard& SourceMeter::shard_of(std::uint64_t hash) const {
    return shards_[(hash >> 32) & (shard_count_ - 1)];
}

SourceMeter::Pin SourceMeter::find_or_add(const IpAddress& address, std::size_t slot, TimePoint now,
                                          WallTime wall) {
    const IpAddress masked = address.masked(v4_bits_, v6_bits_);
    const std::uint64_t hash = hash_of(masked, slot);
    Shard& shard = shard_of(hash);
    {
        const std::lock_guard lock(shard.mutex);
        Entry* entry = shard.find(masked, slot, static_cast<std::uint32_t>(hash));
        if (entry == nullptr) entry = add(shard, masked, slot, hash, now, wall);
        if (entry != nullptr) {
            entry->pins.fetch_add(1, std::memory_order_relaxed);
            return Pin{*entry};
        }
    }
    return overflow(slot);
}

std::shared_ptr<const void> SourceMeter::hold(const IpAddress& address, std::size_t slot,
                                              TimePoint now, WallTime wall,
                                              std::shared_ptr<SourceMeter> self) {
    struct Held {
        std::shared_ptr<SourceMeter> meter;  // outlives the pin
        Pin pin;
    };
    return std::make_shared<Held>(Held{std::move(self), find_or_add(address, slot, now, wall)});
}

std::string SourceMeter::key_of(const IpAddress& address) const {
    return std::string{kKeyPrefix} + address.masked(v4_bits_, v6_bits_).to_string();
}

SourceMeter::Entry* SourceMeter::add(Shard& shard, const IpAddress& address, std::size_t slot,
                                     std::uint64_t hash, TimePoint now, WallTime wall) {
    Entry* entry = nullptr;
    if (shard.size < shard.cap) {
        entry = &shard.append();
        entry->observe(this);
    } else {
        entry = evict(shard, now, wall);
    }
    if (entry == nullptr) return nullptr;
    entry->address = address;
    entry->slot = static_cast<std::uint16_t>(slot);
    entry->hash = static_cast<std::uint32_t>(hash);
    shard.index(*entry);
    return entry;
}

SourceMeter::Entry* SourceMeter::evict(Shard& shard, TimePoint now, WallTime wall) {
    const Settings& settings = *shard.settings;
    Entry* victim = nullptr;
    shard.earn_candidates();
    for (std::size_t examined = 0; shard.candidates > 0; ++examined) {
        if (victim != nullptr && examined >= kCandidates) break;
        --shard.candidates;
        Entry& entry = shard.advance();
        if (entry.pins.load(std::memory_order_acquire) != 0) continue;
        if (settings.is_unused(entry, now, wall)) {
            victim = &entry;
            break;
        }
        if (victim == nullptr && !settings.is_limited(entry, now, wall)) victim = &entry;
    }
    if (victim == nullptr) return nullptr;
    UsageRow last = row_of(*victim, settings);
    if (victim->is_changed()) {
        journal_->departed(std::move(last));
    } else if (last.used_that_day > 0) {
        // Should the address return today it starts a new row: keep this one as history.
        journal_->finished(
            {plan_id_, std::move(last.key), last.day, last.used_that_day, last.remaining});
    }
    shard.unindex(*victim);
    victim->reset();
    victim->bucket.reset();
    ++shard.evictions;
    return victim;
}

SourceMeter::Pin SourceMeter::overflow(std::size_t slot) {
    overflows_.fetch_add(1, std::memory_order_relaxed);
    const std::lock_guard lock(overflow_mutex_);
    while (overflow_.size() <= slot) {
        overflow_.emplace_back().shard = Entry::kOverflow;
    }
    overflow_[slot].pins.fetch_add(1, std::memory_order_relaxed);
    return Pin{overflow_[slot]};
}

void SourceMeter::changed(QuotaCounter& counter) noexcept { journal_->changed(counter); }

// The entry is pinned by the request that rolled its day, so its address stands still.
void SourceMeter::finished(const QuotaCounter& counter, const Day& day) noexcept {
    const auto& entry = static_cast<const Entry&>(counter);
    journal_->finished({plan_id_, std::string{kKeyPrefix} + entry.address.to_string(), day.day,
                        day.used, day.remaining});
}

UsageRow SourceMeter::row(const QuotaCounter& counter) const {
    const auto& entry = static_cast<const Entry&>(counter);
    Shard& shard = shards_[entry.shard];
    const std::lock_guard lock(shard.mutex);
    return row_of(entry, *shard.settings);
}

UsageRow SourceMeter::row_of(const Entry& entry, const Settings& settings) const {
    return usage_row(plan_id_, std::string{kKeyPrefix} + entry.address.to_string(), entry,
                     settings.rule);
}

bool SourceMeter::restore(const UsageRow& row) {
    if (!row.key.starts_with(kKeyPrefix)) return false;
    const auto address = IpAddress::parse(std::string_view{row.key}.substr(kKeyPrefix.size()));
    if (!address || address->masked(v4_bits_, v6_bits_) != *address) return false;
    const std::uint64_t hash = hash_of(*address, kPlanSlot);
    Shard& shard = shard_of(hash);
    const std::lock_guard lock(shard.mutex);
    Entry* entry = shard.find(*address, kPlanSlot, static_cast<std::uint32_t>(hash));
    if (entry == nullptr && shard.size < shard.cap) {
        entry = add(shard, *address, kPlanSlot, hash, TimePoint{}, WallTime{});
    }
    if (entry == nullptr) return false;
    entry->restore({row.window, row.used, row.extension, row.day, row.used_that_day});
    return true;
}

std::vector<UsageRow> SourceMeter::usage() const {
    std::vector<UsageRow> rows;
    for (std::size_t n = 0; n < shard_count_; ++n) {
        const std::lock_guard lock(shards_[n].mutex);
        for (std::size_t i = 0; i < shards_[n].size; ++i) {
            const Entry& entry = shards_[n].at(i);
            if (entry.usage().used > 0) rows.push_back(row_of(entry, *shards_[n].settings));
        }
    }
    return rows;
}

bool SourceMeter::is_idle(TimePoint now, WallTime wall) const {
    for (std::size_t n = 0; n < shard_count_; ++n) {
        const std::lock_guard lock(shards_[n].mutex);
        for (std::size_t i = 0; i < shards_[n].size; ++i) {
            const Entry& entry = shards_[n].at(i);
            if (entry.is_changed() || !shards_[n].settings->is_unused(entry, now, wall)) {
                return false;
            }
        }
    }
    return true;
}

SourceMeter::Stats SourceMeter::stats() const {
    Stats stats;
    stats.overflows = overflows_.load(std::memory_order_relaxed);
    for (std::size_t n = 0; n < shard_count_; ++n) {
        const std::lock_guard lock(shards_[n].mutex);
        stats.entries += shards_[n].size;
        stats.bytes += shards_[n].bytes();
        stats.evictions += shards_[n].evictions;
    }
    return stats;
}

}  // namespace sluice::state
