// SPDX-License-Identifier: Apache-2.0
//
// A day of one-minute samples of every series (ADR 0013). Belongs to the control thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/base/time.hpp"
#include "sluice/telemetry/metrics.hpp"
#include "sluice/telemetry/statistics.hpp"

namespace sluice::telemetry {

class History {
public:
    using Minute = std::chrono::sys_time<std::chrono::minutes>;
    static constexpr std::size_t kMinutes = 24 * 60;

    /// Keeps at most `max_bytes`, the latest minutes first; 0 = keeps nothing, and workers count
    /// nothing for it. `metrics` outlives it.
    History(Metrics& metrics, std::size_t max_bytes, WallTime now);

    bool is_kept() const { return max_bytes_ > 0; }
    /// Ends the running minute if the clock shows another one. True: call collect() as soon as
    /// every worker has left whatever it was doing.
    bool cut(WallTime now);
    /// Takes what the workers counted in the minute that cut() ended.
    void collect();

    using Wanted = std::function<bool(const SeriesLabels&)>;
    using Visitor = std::function<void(Minute, const SeriesLabels&, const Totals&)>;
    /// Minutes in [from, to) with requests, in the order they were sampled; the running one last,
    /// as far as it has come.
    void visit(Minute from, Minute to, const Wanted&, const Visitor&) const;

    Minute running() const { return running_; }
    /// The last minute that is complete.
    Minute last_full() const { return running_ - std::chrono::minutes{1}; }
    std::size_t bytes() const { return bytes_; }
    std::size_t minutes() const { return samples_.size(); }

private:
    struct Entry {
        std::uint32_t series;
        std::uint32_t offset;  ///< in Sample::packed
    };
    struct Sample {
        Minute minute{};
        std::vector<Entry> entries{};
        std::string packed{};
        std::size_t bytes() const;
    };
    void drop_old();

    Metrics& metrics_;
    const std::size_t max_bytes_;
    Minute running_;
    Minute ended_{};
    bool is_collecting_ = false;
    std::size_t bytes_ = 0;
    std::deque<Sample> samples_{};
};

/// What the workers counted of this series in the minute of that number; false: nothing.
bool sum_minute(const Series&, std::uint32_t number, Totals& out);

}  // namespace sluice::telemetry
