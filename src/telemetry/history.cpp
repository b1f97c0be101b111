// SPDX-License-Identifier: Apache-2.0
#include "sluice/telemetry/history.hpp"

#include <algorithm>
#include <utility>

#include "telemetry/packed_totals.hpp"

namespace sluice::telemetry {
namespace {

History::Minute minute_of(WallTime now) { return std::chrono::floor<std::chrono::minutes>(now); }

/// Buckets first: what they count was added to the other three before.
void add(Spread& spread, const SpreadCells& cells) {
    std::uint64_t count = 0;
    for (std::size_t i = 0; i < spread.buckets.size(); ++i) {
        const std::uint64_t here = cells.buckets[i].value();
        spread.buckets[i] += here;
        count += here;
    }
    if (count == 0) return;
    spread.count += count;
    spread.sum += cells.sum.value();
    spread.least = std::min(spread.least, cells.least.value());
    spread.most = std::max(spread.most, cells.most.value());
}

}  // namespace

bool sum_minute(const Series& series, std::uint32_t number, Totals& out) {
    bool found = false;
    for (const SeriesCells& cells : series.cells()) {
        const MinutePair* pair = cells.minutes.load(std::memory_order_acquire);
        if (pair == nullptr) continue;
        const MinuteCells& minute = pair->cells[number % 2];
        if (minute.number.load(std::memory_order_acquire) != number) continue;
        found = true;
        add(out.latency, minute.latency);
        add(out.integration, minute.integration);
        add(out.overhead, minute.overhead);
        out.requests += minute.requests.value();
        out.errors_4xx += minute.errors_4xx.value();
        out.errors_5xx += minute.errors_5xx.value();
        out.cache_hits += minute.cache_hits.value();
        out.cache_misses += minute.cache_misses.value();
    }
    return found;
}

std::size_t History::Sample::bytes() const {
    return sizeof(Sample) + entries.capacity() * sizeof(Entry) + packed.capacity();
}

History::History(Metrics& metrics, std::size_t max_bytes, WallTime now)
    : metrics_{metrics}, max_bytes_{max_bytes}, running_{minute_of(now)} {
    if (is_kept()) metrics_.minute = 1;
}

bool History::cut(WallTime now) {
    // Still collecting after a whole minute: a worker hangs, and the minute grows.
    if (!is_kept() || is_collecting_ || minute_of(now) == running_) return false;
    ended_ = std::exchange(running_, minute_of(now));
    is_collecting_ = true;
    ++metrics_.minute;
    return true;
}

void History::collect() {
    if (!std::exchange(is_collecting_, false)) return;
    const std::uint32_t ended = metrics_.minute - 1;
    Sample sample{.minute = ended_};
    Totals totals;
    for (const Series* series : metrics_.all_series()) {
        if (!sum_minute(*series, ended, totals)) continue;
        sample.entries.push_back({static_cast<std::uint32_t>(series->index()),
                                  static_cast<std::uint32_t>(sample.packed.size())});
        pack(sample.packed, totals);
        totals = {};
    }
    if (!sample.entries.empty()) {
        sample.entries.shrink_to_fit();
        sample.packed.shrink_to_fit();
        bytes_ += sample.bytes();
        samples_.push_back(std::move(sample));
    }
    drop_old();
}

void History::drop_old() {
    const Minute oldest = running_ - std::chrono::minutes{kMinutes};
    while (!samples_.empty() && (bytes_ > max_bytes_ || samples_.size() > kMinutes ||
                                 samples_.front().minute < oldest)) {
        bytes_ -= samples_.front().bytes();
        samples_.pop_front();
    }
}

void History::visit(Minute from, Minute to, const Wanted& is_wanted, const Visitor& see) const {
    if (!is_kept()) return;
    std::vector<const Series*> wanted = metrics_.all_series();
    for (const Series*& series : wanted) {
        if (!is_wanted(series->labels())) series = nullptr;
    }
    for (const Sample& sample : samples_) {
        if (sample.minute < from || sample.minute >= to) continue;
        for (const Entry& entry : sample.entries) {
            if (wanted[entry.series] == nullptr) continue;
            Totals totals;
            unpack(std::string_view{sample.packed}.substr(entry.offset), totals);
            see(sample.minute, wanted[entry.series]->labels(), totals);
        }
    }
    const auto show = [&](Minute minute, std::uint32_t number) {
        if (minute < from || minute >= to) return;
        for (const Series* series : wanted) {
            if (series == nullptr) continue;
            Totals totals;
            if (sum_minute(*series, number, totals)) see(minute, series->labels(), totals);
        }
    };
    if (is_collecting_) show(ended_, metrics_.minute - 1);
    show(running_, metrics_.minute);
}

}  // namespace sluice::telemetry
