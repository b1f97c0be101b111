// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "sluice/state/limits.hpp"
#include "sluice/state/usage_store.hpp"

namespace sluice::state {

/// An observer that can say whose counter it is.
class UsageOwner : public QuotaObserver {
public:
    virtual UsageRow row(const QuotaCounter&) const = 0;

protected:
    ~UsageOwner() = default;
};

/// Which counters changed since the last collection, and which days ended. Workers push without
/// a lock; the collector visits changed counters only, however many there are.
class UsageJournal {
public:
    /// Ended days and evicted counters waiting for a collector; beyond it they are dropped.
    static constexpr std::size_t kMaxWaiting = 250'000;

    UsageJournal() = default;
    UsageJournal(const UsageJournal&) = delete;
    UsageJournal& operator=(const UsageJournal&) = delete;
    ~UsageJournal();

    /// The counter's observer is a UsageOwner.
    void changed(QuotaCounter&) noexcept;
    void finished(DayRow) noexcept;
    /// The last state of a counter that is about to be forgotten.
    void departed(UsageRow) noexcept;

    struct Batch {
        std::vector<UsageRow> counters{};
        std::vector<DayRow> days{};
        bool empty() const { return counters.empty() && days.empty(); }
    };
    /// Appends what changed. Counters must not be destroyed meanwhile: see guard().
    void collect(Batch&);
    /// While held, nothing is collected and counters not marked as changed may be destroyed.
    std::unique_lock<std::mutex> guard() { return std::unique_lock{collecting_}; }
    std::uint64_t dropped() const { return dropped_.load(std::memory_order_relaxed); }

private:
    struct Waiting;
    void push(std::unique_ptr<Waiting>) noexcept;

    std::atomic<QuotaCounter*> changed_{nullptr};
    std::atomic<Waiting*> waiting_{nullptr};
    std::atomic<std::size_t> waiting_count_{0};
    std::atomic<std::uint64_t> dropped_{0};
    std::mutex collecting_;
};

}  // namespace sluice::state
