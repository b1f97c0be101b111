// SPDX-License-Identifier: Apache-2.0
#include "sluice/state/usage_writer.hpp"

#include <algorithm>
#include <chrono>
#include <exception>

namespace sluice::state {

namespace {

using std::chrono::milliseconds;

// While the store fails: a row per key that was used, then no more.
constexpr std::size_t kMaxWaiting = 2'000'000;

// A save that has much to write is followed by a longer pause, so that many busy keys cost about
// a hundredth of one CPU. With the save itself it stays below the second that may be lost.
constexpr int kRestPerWork = 100;
constexpr milliseconds kLongestPause{700};

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
    milliseconds pause = options_.interval;
    while (!wake_.wait_for(lock, pause, [&] { return is_stopping_; })) {
        lock.unlock();
        const auto begun = std::chrono::steady_clock::now();
        (void)flush_now();
        const auto took = std::chrono::steady_clock::now() - begun;
        pause = std::clamp(std::chrono::duration_cast<milliseconds>(took * kRestPerWork),
                           options_.interval, std::max(options_.interval, kLongestPause));
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
    const std::int32_t today = day_at(options_.wall());
    const bool behind = !waiting_.empty() || !waiting_days_.empty();
    if (behind) {  // what failed before goes with what is new, each counter once
        keep(std::move(batch));
        batch = waiting();
    }
    // An idle gateway writes once a day, to drop what is too old.
    if (batch.empty() && pruned_day_ == today) return {};

    const Result<void> result = store_.save(batch.counters, batch.days, today);
    if (!result) {
        if (!behind) keep(std::move(batch));
        return result;
    }
    saved_rows_.fetch_add(batch.counters.size(), std::memory_order_relaxed);
    saves_.fetch_add(1, std::memory_order_relaxed);
    waiting_.clear();
    waiting_days_.clear();
    pruned_day_ = today;
    return {};
}

void UsageWriter::keep(UsageJournal::Batch&& batch) {
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
}

UsageJournal::Batch UsageWriter::waiting() const {
    UsageJournal::Batch all;
    all.counters.reserve(waiting_.size());
    for (const auto& [identity, row] : waiting_) {
        all.counters.push_back(row);
    }
    all.days = waiting_days_;
    return all;
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
    return {
        .saved_rows = saved_rows_.load(relaxed),
        .saves = saves_.load(relaxed),
        .failures = failures_.load(relaxed),
        .waiting_rows = waiting_rows_.load(relaxed),
        .dropped = dropped_.load(relaxed) + registry_.journal().dropped(),
        .lag = since == TimePoint{} ? Duration::zero() : std::chrono::steady_clock::now() - since};
}

}  // namespace sluice::state
