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

}  // namespace sluice::gateway
