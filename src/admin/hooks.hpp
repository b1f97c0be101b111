// SPDX-License-Identifier: Apache-2.0
//
// All that the admin server asks of the rest of the program. It knows nothing else about it.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/base/time.hpp"
#include "sluice/config/load.hpp"
#include "sluice/telemetry/history.hpp"

namespace sluice::admin {

/// GetUsage (aws-semantics 4.4), checked: start <= end, at most 366 days.
struct UsageQuery {
    std::string usage_plan_id{};  ///< empty = every plan
    std::string key_id{};         ///< empty = every key
    std::chrono::sys_days start{};
    std::chrono::sys_days end{};  ///< inclusive
    std::size_t days() const { return static_cast<std::size_t>((end - start).count()) + 1; }
};

/// Requests of a day and what was left at its end (now, for today); -1 = the plan has no quota.
struct UsageDay {
    std::int64_t used = 0;
    std::int64_t remaining = -1;
};

struct PlanUsage {
    std::string usage_plan_id{};
    std::map<std::string, std::vector<UsageDay>> keys{};  ///< key id -> one entry per day
};

struct StageObject {
    std::string name{};
    std::string description{};
    bool cache_enabled = false;
    std::map<std::string, std::string> variables{};
};

/// An API as monitoring sees it (aws-semantics 17).
struct ApiObject {
    std::string id{};
    std::string name{};
    std::string description{};
    std::string created_date{};  ///< ISO 8601, or empty
    std::string protocol_type = "HTTP";
    std::string api_key_selection_expression = "$request.header.x-api-key";
    std::vector<StageObject> stages{};
};

struct ReloadResult {
    bool ok = false;
    config::Problems problems{};  ///< errors when refused; perhaps warnings when not
};

/// Called on the io_context's thread, never after Server::stop(). An empty function makes its
/// endpoint answer 404.
struct Hooks {
    /// Prometheus text 0.0.4.
    std::function<std::string()> metrics{};
    /// Why the gateway should get no traffic; empty = it should. Absent: always ready.
    std::function<std::optional<std::string>()> ready{};
    /// The effective configuration as JSON, secrets masked.
    std::function<std::string()> config_json{};
    /// Empty = no such usage plan. An unknown key of a known plan is a plan without keys.
    std::function<std::optional<std::vector<PlanUsage>>(const UsageQuery&)> usage{};
    std::function<std::vector<ApiObject>()> apis{};
    /// What the status page shows, as JSON.
    std::function<std::string()> status{};
    /// Null makes the endpoints that show it answer 404.
    const telemetry::History* history = nullptr;
    /// Calls `done` once, from any thread, now or later.
    std::function<void(std::function<void(ReloadResult)> done)> reload{};
    /// False = no such API or stage.
    std::function<bool(std::string_view api, std::string_view stage)> flush_cache{};
    /// One line per call that changes something or was refused to (ecosystem 3). Printable ASCII.
    std::function<void(const std::string& line)> audit{};
    std::function<WallTime()> now = wall_now;
};

}  // namespace sluice::admin
