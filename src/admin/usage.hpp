// SPDX-License-Identifier: Apache-2.0
//
// GET /usage: GetUsage of aws-semantics 4.4. Pure.
#pragma once

#include "admin/hooks.hpp"
#include "admin/message.hpp"
#include "sluice/base/result.hpp"

namespace sluice::admin {

/// A query with what belongs to the presentation only.
struct UsageRequest {
    UsageQuery query{};
    std::size_t limit = 25;  ///< keys per plan in one reply, at most 500
    std::string position{};  ///< last key id of the page before
};

/// Dates default to today (UTC), a missing start to the end. The error's detail is for the client.
Result<UsageRequest> parse_usage(const std::map<std::string, std::string>& parameters,
                                 std::chrono::sys_days today);

/// One plan: {"usagePlanId","startDate","endDate","position"?,"values"}. Without a plan in the
/// request: {"item":[...]} with one of those for each.
Reply usage_reply(const UsageRequest&, const std::vector<PlanUsage>&);

}  // namespace sluice::admin
