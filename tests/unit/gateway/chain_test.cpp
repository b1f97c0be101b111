// SPDX-License-Identifier: Apache-2.0
#include "gateway/chain.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

namespace sluice::gateway {
namespace {

struct Passes final : Filter {};

TEST(Chain, HoldsAsManyFiltersAsThereAre) {
    const Passes filter;
    Chain chain;
    for (std::size_t i = 0; i < Chain::kMost; ++i)
        chain.add(filter);
    EXPECT_THROW(chain.add(filter), std::logic_error);
}

}  // namespace
}  // namespace sluice::gateway
