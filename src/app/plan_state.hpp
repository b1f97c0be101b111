// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "sluice/base/time.hpp"
#include "sluice/config/model.hpp"
#include "sluice/state/limit_registry.hpp"

namespace sluice::app {

/// A key in the quota's present period.
struct KeyState {
    std::string key{};
    std::int64_t used = 0;
    std::int64_t remaining = -1;  ///< -1 = no quota
    double share = 0;             ///< of the quota that is used
};

/// A usage plan in its quota's present period; a plan without quota counts days.
struct PlanState {
    std::string id{};
    std::string name{};
    std::optional<std::int64_t> limit{};  ///< of each key
    std::string period{};                 ///< "day", "week" or "month"
    bool by_address = false;              ///< meterBy: sourceIp
    std::int64_t used = 0;                ///< by all keys together
    std::size_t keys = 0;                 ///< that have used something
    double highest_share = 0;             ///< of the quota, by the key that used most of its own
    std::int64_t lowest_remaining = -1;   ///< -1 = no quota
    std::vector<KeyState> top_keys{};     ///< those that used most; none for addresses
};

/// Reads the plans' counters for reports. Walking the addresses of a plan with meterBy: sourceIp
/// takes the locks that requests take, so those numbers are up to ten seconds old.
class PlanReporter {
public:
    explicit PlanReporter(const state::LimitRegistry& limits) : limits_{limits} {}

    /// With at most `top` keys of each plan.
    std::vector<PlanState> read(const config::Config&, std::size_t top, TimePoint now,
                                WallTime wall);

private:
    struct Remembered {
        TimePoint at{};
        PlanState state{};
    };
    const state::LimitRegistry& limits_;
    std::map<std::string, Remembered> by_address_{};
};

/// sluice_plan_* of every plan; sluice_key_* of `per_key` keys, the rest as "_other".
void write_plan_metrics(const std::vector<PlanState>&, std::size_t per_key, std::string& out);

}  // namespace sluice::app
