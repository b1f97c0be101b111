// SPDX-License-Identifier: Apache-2.0
#include "sluice/telemetry/minute_cells.hpp"

namespace sluice::telemetry {

void SpreadCells::record(const Measured& elapsed) {
    sum.add(elapsed.value);
    if (elapsed.value < least.value()) least.set(elapsed.value);
    if (elapsed.value > most.value()) most.set(elapsed.value);
    buckets[elapsed.bucket].add();
}

void SpreadCells::clear() {
    sum.set(0);
    least.set(~std::uint64_t{0});
    most.set(0);
    for (auto& bucket : buckets)
        bucket.set(0);
}

void MinuteCells::record(const Finished& request) {
    requests.add();
    if (request.status >= 500) {
        errors_5xx.add();
    } else if (request.status >= 400) {
        errors_4xx.add();
    }
    if (request.cache_hit) cache_hits.add();
    if (request.cache_miss) cache_misses.add();
    latency.record(request.latency);
    if (request.integration) integration.record(*request.integration);
    overhead.record(request.overhead);
}

void MinuteCells::clear() {
    for (auto* counter : {&requests, &errors_4xx, &errors_5xx, &cache_hits, &cache_misses})
        counter->set(0);
    for (SpreadCells* spread : {&latency, &integration, &overhead})
        spread->clear();
}

void MinutePair::begin(MinuteCells& one, std::uint32_t number) {
    one.clear();
    // Whoever finds the number finds what was there before it cleared.
    one.number.store(number, std::memory_order_release);
}

}  // namespace sluice::telemetry
