// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "gateway/filter_entry.hpp"

namespace sluice::filters {

/// Every filter of this build, in the order a chain runs them.
std::span<const gateway::FilterEntry> registry();

}  // namespace sluice::filters
