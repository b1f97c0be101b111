// SPDX-License-Identifier: Apache-2.0
#include "sluice/base/inline_list.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace sluice {
namespace {

using Three = InlineList<int, 3>;

std::vector<int> contents(const Three& list) { return {list.all().begin(), list.all().end()}; }

TEST(InlineList, HoldsUpToItsBound) {
    Three list;
    EXPECT_TRUE(list.empty());
    for (int i = 1; i <= 3; ++i)
        EXPECT_TRUE(list.push(i));
    EXPECT_FALSE(list.push(4));
    EXPECT_EQ(contents(list), (std::vector{1, 2, 3}));
    list.truncate(1);
    EXPECT_EQ(list.size(), 1U);
    EXPECT_TRUE(list.push(5));
    EXPECT_EQ(contents(list), (std::vector{1, 5}));
}

TEST(InlineList, CopiesWhatItHolds) {
    Three list;
    list.push(7);
    Three copy = list;
    list.push(8);
    EXPECT_EQ(contents(copy), std::vector{7});
    copy = list;
    EXPECT_EQ(contents(copy), (std::vector{7, 8}));
}

}  // namespace
}  // namespace sluice
