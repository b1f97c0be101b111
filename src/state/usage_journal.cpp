// SPDX-License-Identifier: Apache-2.0
#include "sluice/state/usage_journal.hpp"

#include <algorithm>
#include <new>
#include <utility>

namespace sluice::state {

namespace {

/// Marks the end of the list: a listed counter never has a null successor.
QuotaCounter* end_of_list() {
    static QuotaCounter end;
    return &end;
}

}  // namespace

struct UsageJournal::Waiting {
    Waiting* next = nullptr;
    bool is_counter = false;
    UsageRow counter{};
    DayRow day{};
};

UsageJournal::~UsageJournal() {
    Waiting* first = waiting_.exchange(nullptr);
    while (first != nullptr)
        delete std::exchange(first, first->next);
}

void UsageJournal::changed(QuotaCounter& counter) noexcept {
    QuotaCounter* unlisted = nullptr;
    if (!counter.next_changed_.compare_exchange_strong(unlisted, end_of_list())) return;
    QuotaCounter* head = changed_.load(std::memory_order_relaxed);
    do {
        counter.next_changed_.store(head == nullptr ? end_of_list() : head);
    } while (!changed_.compare_exchange_weak(head, &counter));
}

void UsageJournal::push(std::unique_ptr<Waiting> waiting) noexcept {
    if (!waiting || waiting_count_.load(std::memory_order_relaxed) >= kMaxWaiting) {
        dropped_.fetch_add(1, std::memory_order_relaxed);
        return;
    }
    waiting_count_.fetch_add(1, std::memory_order_relaxed);
    Waiting* node = waiting.release();
    node->next = waiting_.load(std::memory_order_relaxed);
    while (!waiting_.compare_exchange_weak(node->next, node, std::memory_order_release,
                                           std::memory_order_relaxed)) {
    }
}

void UsageJournal::finished(DayRow day) noexcept {
    std::unique_ptr<Waiting> node{new (std::nothrow) Waiting};
    if (node) node->day = std::move(day);
    push(std::move(node));
}

void UsageJournal::departed(UsageRow row) noexcept {
    std::unique_ptr<Waiting> node{new (std::nothrow) Waiting};
    if (node) {
        node->is_counter = true;
        node->counter = std::move(row);
    }
    push(std::move(node));
}

void UsageJournal::collect(Batch& batch) {
    const auto lock = guard();
    // First what is over, oldest first: a counter of the same name that is on today replaces it.
    Waiting* first = waiting_.exchange(nullptr, std::memory_order_acquire);
    const std::size_t counters_before = batch.counters.size();
    const std::size_t days_before = batch.days.size();
    while (first != nullptr) {
        const std::unique_ptr<Waiting> node{std::exchange(first, first->next)};
        waiting_count_.fetch_sub(1, std::memory_order_relaxed);
        if (node->is_counter) {
            batch.counters.push_back(std::move(node->counter));
        } else {
            batch.days.push_back(std::move(node->day));
        }
    }
    std::reverse(batch.counters.begin() + static_cast<std::ptrdiff_t>(counters_before),
                 batch.counters.end());
    std::reverse(batch.days.begin() + static_cast<std::ptrdiff_t>(days_before), batch.days.end());

    QuotaCounter* counter = changed_.exchange(nullptr);
    while (counter != nullptr && counter != end_of_list()) {
        // Off the list before it is read: a request that counts from now on lists it again.
        QuotaCounter* const next = counter->next_changed_.exchange(nullptr);
        batch.counters.push_back(static_cast<const UsageOwner*>(counter->observer_)->row(*counter));
        counter = next;
    }
}

}  // namespace sluice::state
