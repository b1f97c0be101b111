// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

#include "sluice/base/time.hpp"
#include "sluice/state/limit_registry.hpp"
#include "sluice/state/usage_store.hpp"

namespace sluice::state {

/// Carries changed counters from the registry to the store, all that changed in one transaction,
/// from one thread. What could not be saved is kept and tried again. Registry and store outlive
/// it.
class UsageWriter {
public:
    struct Options {
        /// Between two saves; longer, up to 700 ms, when they have much to write. The second
        /// that may be lost also holds the save itself.
        std::chrono::milliseconds interval{200};
        std::function<WallTime()> wall = wall_now;
        /// Called from the writing thread: on the first of a row of failures, and after it.
        std::function<void(const Error&)> on_failure{};
        std::function<void()> on_recovery{};
    };
    UsageWriter(LimitRegistry&, UsageStore&, Options);
    UsageWriter(LimitRegistry& registry, UsageStore& store)
        : UsageWriter(registry, store, Options{}) {}
    UsageWriter(const UsageWriter&) = delete;
    UsageWriter& operator=(const UsageWriter&) = delete;
    ~UsageWriter();

    /// Gives the registry what the store knows. Once, before traffic. Returns how many rows.
    Result<std::size_t> restore();
    void start();
    /// Saves a last time. Returns what that said; a second call does nothing.
    Result<void> stop();
    /// Saves now, in the calling thread.
    Result<void> flush_now();

    struct Stats {
        std::uint64_t saved_rows = 0, saves = 0, failures = 0;
        std::uint64_t waiting_rows = 0;  ///< kept after a failure
        std::uint64_t dropped = 0;       ///< given up because too much was waiting
        Duration lag{0};                 ///< since the first of the failures that still go on
    };
    Stats stats() const;

private:
    using Identity = std::pair<std::string, std::string>;
    void run();
    Result<void> save();
    void keep(UsageJournal::Batch&&);
    UsageJournal::Batch waiting() const;
    void report(const Result<void>&);

    LimitRegistry& registry_;
    UsageStore& store_;
    const Options options_;

    std::mutex saving_;  ///< one save at a time; guards the four below
    std::map<Identity, UsageRow> waiting_;
    std::vector<DayRow> waiting_days_;
    bool is_failing_ = false;
    std::int32_t pruned_day_ = 0;

    std::mutex mutex_;  ///< guards is_stopping_ and thread_
    std::condition_variable wake_;
    bool is_stopping_ = false;
    std::thread thread_;
    std::atomic<TimePoint> failing_since_{TimePoint{}};
    std::atomic<std::uint64_t> saved_rows_{0}, saves_{0}, failures_{0}, waiting_rows_{0},
        dropped_{0};
};

}  // namespace sluice::state
