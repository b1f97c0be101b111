// SPDX-License-Identifier: Apache-2.0
#include "telemetry/span_queue.hpp"

#include <algorithm>
#include <iterator>

namespace sluice::telemetry {
namespace {

constexpr std::size_t kHandOver = 64;  // spans

}  // namespace

void SpanQueue::set_limit(std::size_t most_waiting) {
    const std::lock_guard lock{mutex_};
    limit_ = most_waiting;
}

void SpanQueue::add(unsigned worker, Span&& span) {
    std::vector<Span>& spans = buffers_[worker].spans;
    spans.push_back(std::move(span));
    if (spans.size() >= kHandOver) flush(worker);
}

void SpanQueue::flush(unsigned worker) {
    std::vector<Span>& spans = buffers_[worker].spans;
    if (spans.empty()) return;
    {
        const std::lock_guard lock{mutex_};
        if (waiting_.empty()) first_came_ = std::chrono::steady_clock::now();
        const std::size_t room = limit_ > waiting_.size() ? limit_ - waiting_.size() : 0;
        const std::size_t taken = std::min(room, spans.size());
        std::move(spans.begin(), spans.begin() + static_cast<std::ptrdiff_t>(taken),
                  std::back_inserter(waiting_));
        dropped_.fetch_add(spans.size() - taken, std::memory_order_relaxed);
        if (taken > 0 && (waiting_.size() >= wanted_ || waiting_.size() == taken)) {
            changed_.notify_all();
        }
    }
    spans.clear();
}

std::vector<Span> SpanQueue::take(std::size_t most, Duration delay) {
    std::unique_lock lock{mutex_};
    wanted_ = most;
    changed_.wait(lock, [&] { return closed_ || !waiting_.empty(); });
    changed_.wait_until(lock, first_came_ + delay,
                        [&] { return closed_ || waiting_.size() >= most; });
    const auto end =
        waiting_.begin() + static_cast<std::ptrdiff_t>(std::min(most, waiting_.size()));
    std::vector<Span> taken{std::make_move_iterator(waiting_.begin()),
                            std::make_move_iterator(end)};
    waiting_.erase(waiting_.begin(), end);
    first_came_ = std::chrono::steady_clock::now();
    return taken;
}

void SpanQueue::close() {
    const std::lock_guard lock{mutex_};
    closed_ = true;
    changed_.notify_all();
}

bool SpanQueue::wait_closed(Duration patience) {
    std::unique_lock lock{mutex_};
    return changed_.wait_for(lock, patience, [&] { return closed_; });
}

}  // namespace sluice::telemetry
