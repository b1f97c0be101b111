// SPDX-License-Identifier: Apache-2.0
#include "sluice/telemetry/metrics.hpp"

#include <algorithm>
#include <cassert>
#include <map>
#include <mutex>

#include "telemetry/metrics_text.hpp"
#include "telemetry/prometheus_text.hpp"

namespace sluice::telemetry {
namespace {

SeriesLabels valid_labels(const SeriesLabels& labels) {
    return {valid_utf8(labels.api), valid_utf8(labels.stage), valid_utf8(labels.resource),
            valid_utf8(labels.method)};
}

}  // namespace

void Histogram::record(const Measured& elapsed) {
    buckets[kBuckets.coarse[elapsed.bucket]].add();
    sum_nanoseconds.add(elapsed.value);
}

void SeriesCells::count_status(int status) {
    assert(status >= 100 && status <= 599);
    if (status < 100 || status > 599) status = 599;
    auto& slot = codes[static_cast<std::size_t>(status) / 100];
    // Only this worker writes the pointer; the release lets a scrape see zeroed counters.
    Codes* table = slot.load(std::memory_order_relaxed);
    if (table == nullptr) {
        table = std::make_unique<Codes>().release();
        slot.store(table, std::memory_order_release);
    }
    table->count[static_cast<std::size_t>(status) % 100].add();
}

void SeriesCells::uncount_status(int status) {
    Codes* table = codes[static_cast<std::size_t>(status) / 100].load(std::memory_order_relaxed);
    table->count[static_cast<std::size_t>(status) % 100].sub();
}

SeriesCells::~SeriesCells() {
    for (auto& slot : codes) {
        const std::unique_ptr<Codes> table(slot.load(std::memory_order_acquire));
    }
    const std::unique_ptr<MinutePair> pair(minutes.load(std::memory_order_acquire));
}

Series::Series(SeriesLabels labels, unsigned workers, const std::atomic<std::uint32_t>& minute,
               std::size_t index)
    : cells_(workers), minute_(minute), index_(index), labels_(std::move(labels)) {
    append_label(label_text_, "api", labels_.api);
    append_label(label_text_ += ',', "stage", labels_.stage);
    append_label(label_text_ += ',', "resource", labels_.resource);
    append_label(label_text_ += ',', "method", labels_.method);
}

void Series::count_minute(unsigned worker, const Finished& request) {
    const std::uint32_t number = minute_.load(std::memory_order_relaxed);
    if (number == 0) return;
    auto& slot = cells_[worker].minutes;
    MinutePair* pair = slot.load(std::memory_order_relaxed);
    if (pair == nullptr) {
        pair = std::make_unique<MinutePair>().release();
        slot.store(pair, std::memory_order_release);  // as in count_status
    }
    pair->at(number).record(request);
}

BackendSeries::BackendSeries(std::string backend, unsigned workers)
    : name_(std::move(backend)), cells_(workers) {
    append_label(label_text_, "backend", name_);
}

std::string_view to_string(UpstreamError error) {
    switch (error) {
        case UpstreamError::connect_refused:
            return "connect_refused";
        case UpstreamError::connect_timeout:
            return "connect_timeout";
        case UpstreamError::connect_failed:
            return "connect_failed";
        case UpstreamError::resolve_failed:
            return "resolve_failed";
        case UpstreamError::tls_failed:
            return "tls_failed";
        case UpstreamError::reset:
            return "reset";
        case UpstreamError::closed_early:
            return "closed_early";
        case UpstreamError::first_byte_timeout:
            return "first_byte_timeout";
        case UpstreamError::timeout:
            return "timeout";
        case UpstreamError::malformed:
            return "malformed";
        case UpstreamError::head_too_large:
            return "head_too_large";
        case UpstreamError::no_target:
            return "no_target";
        case UpstreamError::write_failed:
            return "write_failed";
        case UpstreamError::count_:
            break;
    }
    return "unknown";
}

struct Metrics::Impl {
    explicit Impl(unsigned count) : workers(count), worker_cells(count) {}

    const unsigned workers;
    std::vector<WorkerCells> worker_cells;
    mutable std::mutex mutex;  ///< guards the containers, not the cells
    std::map<SeriesLabels, std::unique_ptr<Series>> series;
    std::vector<const Series*> in_order;
    std::map<std::string, std::unique_ptr<BackendSeries>> backends;
    std::vector<std::shared_ptr<const Collector>> collectors;
    mutable std::atomic<std::size_t> last_size{0};
};

Metrics::Metrics(unsigned workers) : impl_(std::make_unique<Impl>(std::max(workers, 1u))) {}
Metrics::~Metrics() = default;

unsigned Metrics::workers() const { return impl_->workers; }

Series& Metrics::series(const SeriesLabels& wanted) {
    SeriesLabels labels = valid_labels(wanted);
    const std::lock_guard lock(impl_->mutex);
    auto& slot = impl_->series[labels];
    if (!slot) {
        slot = std::make_unique<Series>(std::move(labels), impl_->workers, minute,
                                        impl_->in_order.size());
        impl_->in_order.push_back(slot.get());
    }
    return *slot;
}

BackendSeries& Metrics::backend(const std::string& wanted) {
    std::string name = valid_utf8(wanted);
    const std::lock_guard lock(impl_->mutex);
    auto& slot = impl_->backends[name];
    if (!slot) slot = std::make_unique<BackendSeries>(std::move(name), impl_->workers);
    return *slot;
}

WorkerCells& Metrics::worker(unsigned index) { return impl_->worker_cells[index]; }
std::span<const WorkerCells> Metrics::worker_cells() const { return impl_->worker_cells; }

std::vector<const Series*> Metrics::all_series() const {
    const std::lock_guard lock(impl_->mutex);
    return impl_->in_order;
}

std::vector<const BackendSeries*> Metrics::all_backends() const {
    const std::lock_guard lock(impl_->mutex);
    std::vector<const BackendSeries*> all;
    for (const auto& [name, one] : impl_->backends)
        all.push_back(one.get());
    return all;
}

void Metrics::add_collector(Collector collector) {
    const std::lock_guard lock(impl_->mutex);
    impl_->collectors.push_back(std::make_shared<const Collector>(std::move(collector)));
}

std::string Metrics::render() const {
    std::vector<SeriesView> series;
    std::vector<BackendView> backends;
    std::vector<std::shared_ptr<const Collector>> collectors;
    {
        const std::lock_guard lock(impl_->mutex);
        for (const auto& [labels, one] : impl_->series) {
            series.push_back({one->label_text_, one->cells_});
        }
        for (const auto& [name, one] : impl_->backends) {
            backends.push_back({one->label_text_, one->cells_});
        }
        collectors = impl_->collectors;
    }
    std::string out;
    const std::size_t last = impl_->last_size.load(std::memory_order_relaxed);
    out.reserve(last + last / 8 + 16'384);
    write_series_families(out, series);
    write_backend_families(out, backends);
    write_worker_families(out, impl_->worker_cells);
    write_reload_families(out, *this);
    write_process_families(out, *this);
    for (const auto& collector : collectors)
        (*collector)(out);
    impl_->last_size.store(out.size(), std::memory_order_relaxed);
    return out;
}

}  // namespace sluice::telemetry
