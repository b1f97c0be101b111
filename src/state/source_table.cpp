// SPDX-License-Identifier: Apache-2.0
#include "state/source_table.hpp"

namespace sluice::state {

SourceMeter::Entry* SourceMeter::Shard::find(const IpAddress& address, std::size_t slot,
                                             std::uint32_t hash) const {
    if (places.empty()) return nullptr;
    for (std::size_t p = hash & (places.size() - 1); places[p] != 0; p = after(p)) {
        Entry& entry = at(places[p] - 1);
        if (entry.hash == hash && entry.slot == slot && entry.address == address) return &entry;
    }
    return nullptr;
}

SourceMeter::Entry& SourceMeter::Shard::append() {
    if (size == chunks.size() * kChunk) chunks.push_back(std::make_unique<Entry[]>(kChunk));
    if ((size + 1) * 2 > places.size()) {  // at most half full: short probes
        places.assign(std::max<std::size_t>(places.size() * 2, 16), 0);
        for (std::size_t n = 0; n < size; ++n) {
            place(static_cast<std::uint32_t>(n + 1));
        }
    }
    Entry& entry = at(size);
    entry.number = static_cast<std::uint32_t>(size++);
    entry.shard = number;
    earn_candidates();
    return entry;
}

SourceMeter::Entry& SourceMeter::Shard::advance() {
    Entry& entry = at(hand);
    hand = hand + 1 < size ? hand + 1 : 0;
    return entry;
}

void SourceMeter::Shard::place(std::uint32_t number_plus_1) {
    std::size_t p = home(at(number_plus_1 - 1));
    while (places[p] != 0)
        p = after(p);
    places[p] = number_plus_1;
}

void SourceMeter::Shard::index(const Entry& entry) { place(entry.number + 1); }

void SourceMeter::Shard::unindex(const Entry& entry) {
    std::size_t hole = home(entry);
    while (&at(places[hole] - 1) != &entry)
        hole = after(hole);
    for (std::size_t p = after(hole); places[p] != 0; p = after(p)) {
        // Whoever would be found earlier moves into the hole: its home is not between them.
        const std::size_t from_home = (p - home(at(places[p] - 1))) & (places.size() - 1);
        const std::size_t from_hole = (p - hole) & (places.size() - 1);
        if (from_home < from_hole) continue;
        places[hole] = places[p];
        hole = p;
    }
    places[hole] = 0;
}

void SourceMeter::Shard::adopt(std::shared_ptr<const Settings> next, const Settings* before,
                               TimePoint now) {
    const std::lock_guard lock(mutex);
    settings = std::move(next);
    if (before == nullptr) return;
    for (std::size_t n = 0; n < size; ++n) {
        Entry& entry = at(n);
        const BucketShape& from = before->shapes[entry.slot];
        const BucketShape& to = settings->shapes[entry.slot];
        if (from != to) entry.bucket.reshape(from, to, now);
    }
}

}  // namespace sluice::state
