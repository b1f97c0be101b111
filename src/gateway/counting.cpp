// SPDX-License-Identifier: Apache-2.0
#include "gateway/counting.hpp"

#include "gateway/snapshot.hpp"

namespace sluice::gateway {
namespace {

constexpr int kClientLeft = 499;  // before there was an answer (nginx's word for it)

telemetry::Counter& errors(telemetry::SeriesCells& cells, int status) {
    return status >= 500 ? cells.errors_5xx : cells.errors_4xx;
}

bool is_hit(const Exchange& x) { return x.cache == CacheStatus::hit; }

/// CloudWatch: 1 when the backend answered (aws-semantics 5.7), so a bypass is a miss too.
bool is_miss(const Exchange& x) {
    return x.cache == CacheStatus::miss || x.cache == CacheStatus::bypass;
}

void count_refusal(telemetry::SeriesCells& cells, const Exchange& x) {
    if (x.refused_by) cells.throttled[static_cast<std::size_t>(*x.refused_by)].add();
    if (x.reply_type == Reply::quota_exceeded) cells.quota_exceeded.add();
    if (is_hit(x)) cells.cache_hits.add();
    if (is_miss(x)) cells.cache_misses.add();
}

}  // namespace

void count_response(Exchange& x, int status) {
    const int before = x.counted_status;
    x.counted_status = status;
    if (x.stage == nullptr) {
        if (before == 0) x.worker.cells.unrouted.add();
        return;
    }
    telemetry::SeriesCells& cells = x.method->series->cells(x.worker.index);
    if (before == 0) {
        cells.requests.add();
        count_refusal(cells, x);
    } else {
        cells.uncount_status(before);
        if (before >= 400) errors(cells, before).sub();
    }
    cells.count_status(status);
    if (status >= 400) errors(cells, status).add();
}

void count_end(Exchange& x, Duration latency) {
    if (x.counted_status == 0) count_response(x, kClientLeft);
    if (x.stage == nullptr) return;
    const Duration elsewhere = x.integration_latency.value_or(Duration::zero()) + x.waited;
    const telemetry::Finished done{.status = x.counted_status,
                                   .cache_hit = is_hit(x),
                                   .cache_miss = is_miss(x),
                                   .latency = latency,
                                   .integration = x.integration_latency,
                                   .overhead = latency - elsewhere};
    telemetry::SeriesCells& cells = x.method->series->cells(x.worker.index);
    cells.latency.record(done.latency);
    if (done.integration) cells.integration_latency.record(*done.integration);
    cells.overhead.record(done.overhead);
    x.method->series->count_minute(x.worker.index, done);
}

}  // namespace sluice::gateway
