// SPDX-License-Identifier: Apache-2.0
#include "app/housekeeping.hpp"

#include <malloc.h>

#include <algorithm>

#include "app/huge_pages.hpp"

namespace sluice::app {
namespace {

constexpr std::chrono::seconds kLayoutPeriod{10};
constexpr int kRestPerSweep = 100;             // however many keys: a hundredth of one CPU
constexpr std::size_t kManyConnections = 512;  // fewer leave too little behind to matter

}  // namespace

void Housekeeping::run() {
    sweep_limits();
    return_memory();
    lay_out_memory();
}

void Housekeeping::sweep_limits() {
    const TimePoint begun = std::chrono::steady_clock::now();
    if (begun < next_sweep_) return;
    limits_.sweep(begun, wall_now());
    const TimePoint ended = std::chrono::steady_clock::now();
    next_sweep_ = ended + (ended - begun) * kRestPerSweep;
}

/// After a flood the allocator would keep what it needed then.
void Housekeeping::return_memory() {
    const std::size_t open = admission_.open();
    most_connections_ = std::max(most_connections_, open);
    if (most_connections_ < kManyConnections || open > most_connections_ / 2) return;
    ::malloc_trim(0);
    most_connections_ = open;
}

/// Again and again: cells and buckets are made when they are first used.
void Housekeeping::lay_out_memory() {
    const TimePoint now = std::chrono::steady_clock::now();
    if (now < next_layout_) return;
    use_huge_pages();
    next_layout_ = now + kLayoutPeriod;
}

}  // namespace sluice::app
