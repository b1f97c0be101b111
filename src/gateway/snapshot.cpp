// SPDX-License-Identifier: Apache-2.0
#include "gateway/snapshot.hpp"

#include <algorithm>
#include <functional>

namespace sluice::gateway {

bool Plan::covers(std::uint32_t stage) const {
    return std::binary_search(stages.begin(), stages.end(), stage);
}

const Plan::MethodLimit* Plan::limit_of(const Method& method) const {
    const auto it = std::lower_bound(
        method_limits.begin(), method_limits.end(), &method,
        [](const MethodLimit& l, const Method* m) { return std::less<>{}(l.method, m); });
    return it != method_limits.end() && it->method == &method ? &*it : nullptr;
}

KeyRecord KeyRecord::of(bool enabled, std::vector<PlanUse> uses) {
    KeyRecord key{.enabled = enabled};
    if (uses.empty()) return key;
    key.first = std::move(uses.front());
    uses.erase(uses.begin());
    if (!uses.empty()) key.others = std::make_unique<const std::vector<PlanUse>>(std::move(uses));
    return key;
}

const PlanUse* KeyRecord::use_at(std::uint32_t stage) const {
    if (first.plan == nullptr) return nullptr;
    if (first.plan->covers(stage)) return &first;
    if (!others) return nullptr;
    const auto found =
        std::ranges::find_if(*others, [&](const PlanUse& use) { return use.plan->covers(stage); });
    return found == others->end() ? nullptr : &*found;
}

}  // namespace sluice::gateway
