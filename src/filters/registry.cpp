// SPDX-License-Identifier: Apache-2.0
#include "filters/registry.hpp"

#include <iterator>

#include "filters/api_key.hpp"
#include "filters/cache.hpp"
#include "filters/limits.hpp"

namespace sluice::filters {
namespace {

// The order is binding: aws-semantics 0.2, contract 4.
constexpr gateway::FilterEntry kRegistry[] = {
    {ApiKey::kName, &ApiKey::make},  // limits are counted per caller
    {Limits::kName, &Limits::make},
    {Cache::kName, &Cache::make},  // last: a hit is never served to a caller who would be refused
};

static_assert(std::size(kRegistry) <= gateway::Chain::kMost);

}  // namespace

std::span<const gateway::FilterEntry> registry() { return kRegistry; }

}  // namespace sluice::filters
