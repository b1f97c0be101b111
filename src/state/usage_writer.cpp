// SPDX-License-Identifier: Apache-2.0
#include "sluice/state/usage_writer.hpp"

#include <exception>

namespace sluice::state {

namespace {

// While the store fails: a row per key that was used, then no more.
constexpr std::size_t kMaxWaiting = 2'000'000;

}  // namespace

UsageWriter::UsageWriter(LimitRegistry& registry, UsageStore& store, Options options)
    : registry_(registry), store_(store), options_(std::move(options)) {}

UsageWriter::~UsageWriter() { (void)stop(); }

Result<std::size_t> UsageWriter::restore() {
    const Result<std::vector<UsageRow>> rows = store_.load();
    if (!rows) return rows.error();
    registry_.restore(*rows);
    return rows->size();
}

void UsageWriter::start() {
    const std::lock_guard lock(mutex_);
    if (is_stopping_ || thread_.joinable()) return;
    thread_ = std::thread([this] { run(); });
}

void UsageWriter::run() {
    std::unique_lock lock(mutex_);
    while (!wake_.wait_for(lock, options_.interval, [&] { return is_stopping_; })) {
        lock.unlock();
        (void)flush_now();
        lock.lock();
    }
}

Result<void> UsageWriter::stop() {
    std::thread finished;
    {
        const std::lock_guard lock(mutex_);
        if (std::exchange(is_stopping_, true)) return {};
        finished = std::move(thread_);
    }
    wake_.notify_all();
    if (finished.joinable()) finished.join();
    return flush_now();
}

Result<void> UsageWriter::flush_now() {
    const std::lock_guard lock(saving_);
    Result<void> result;
    try {
        result = save();
    } catch (const std::exception& broken) {  // out of memory: what waits stays
        result = Error{.origin = Origin::internal,
                       .code = "state_failed",
                       .detail = broken.what(),
                       .retry = Retry::always};
    }
    report(result);
    return result;
}

Result<void> UsageWriter::save() {
    UsageJournal::Batch batch;
    registry_.journal().collect(batch);
    for (UsageRow& row : batch.counters) {
        Identity identity{row.plan, row.key};
        if (waiting_.size() >= kMaxWaiting && !waiting_.contains(identity)) {
            dropped_.fetch_add(1, std::memory_order_relaxed);
            continue;
        }
        waiting_.insert_or_assign(std::move(identity), std::move(row));
    }
    for (DayRow& day : batch.days) {
        if (waiting_days_.size() >= kMaxWaiting) {
            dropped_.fetch_add(1, std::memory_order_relaxed);
            continue;
        }
        waiting_days_.push_back(std::move(day));
    }
    const std::int32_t today = day_at(options_.wall());
    // An idle gateway writes once a day, to drop what is too old.
    if (waiting_.empty() && waiting_days_.empty() && pruned_day_ == today) return {};

    std::vector<UsageRow> rows;
    rows.reserve(waiting_.size());
    for (const auto& [identity, row] : waiting_) {
        rows.push_back(row);
    }
    const Result<void> result = store_.save(rows, waiting_days_, today);
    if (!result) return result;
    saved_rows_.fetch_add(rows.size(), std::memory_order_relaxed);
    saves_.fetch_add(1, std::memory_order_relaxed);
    waiting_.clear();
    waiting_days_.clear();
    pruned_day_ = today;
    return {};
}

void UsageWriter::report(const Result<void>& result) {
    waiting_rows_.store(waiting_.size() + waiting_days_.size(), std::memory_order_relaxed);
    if (!result) {
        failures_.fetch_add(1, std::memory_order_relaxed);
        if (std::exchange(is_failing_, true)) return;
        failing_since_.store(std::chrono::steady_clock::now(), std::memory_order_relaxed);
        if (options_.on_failure) options_.on_failure(result.error());
        return;
    }
    failing_since_.store(TimePoint{}, std::memory_order_relaxed);
    if (std::exchange(is_failing_, false) && options_.on_recovery) options_.on_recovery();
}

UsageWriter::Stats UsageWriter::stats() const {
    constexpr auto relaxed = std::memory_order_relaxed;
    const TimePoint since = failing_since_.load(relaxed);
    return {.saved_rows = saved_rows_.load(relaxed),
            .saves = saves_.load(relaxed),
            .failures = failures_.load(relaxed),
            .waiting_rows = waiting_rows_.load(relaxed),
            .dropped = dropped_.load(relaxed) + registry_.journal().dropped(),
            .lag = since == TimePoint{} ? Duration::zero()
                                        : std::chrono::steady_clock::now() - since};
}

}  // namespace sluice::state
