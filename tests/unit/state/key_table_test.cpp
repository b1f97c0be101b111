// SPDX-License-Identifier: Apache-2.0
#include "sluice/state/key_table.hpp"

#include <gtest/gtest.h>

#include <string>

namespace sluice::state {
namespace {

TEST(KeyTable, FindsWhatWasAddedAndNothingElse) {
    KeyTable::Builder builder;
    for (std::uint32_t n = 0; n < 10'000; ++n) {
        ASSERT_TRUE(builder.add("key-" + std::to_string(n), n * 3));
    }
    const KeyTable table = std::move(builder).build();
    EXPECT_EQ(table.size(), 10'000u);
    for (std::uint32_t n = 0; n < 10'000; ++n) {
        ASSERT_EQ(table.find("key-" + std::to_string(n)), n * 3);
        ASSERT_EQ(table.find("kez-" + std::to_string(n)), std::nullopt);
    }
    EXPECT_EQ(table.find(""), std::nullopt);
    EXPECT_EQ(table.find("key-1 "), std::nullopt);
    EXPECT_EQ(table.find("KEY-1"), std::nullopt);
    EXPECT_EQ(table.find(std::string(100'000, 'x')), std::nullopt);
}

TEST(KeyTable, RefusesASecondKeyOfTheSameValue) {
    KeyTable::Builder builder;
    EXPECT_TRUE(builder.add("same", 1));
    EXPECT_FALSE(builder.add("same", 2));
    EXPECT_TRUE(builder.add(std::string_view{"same\0", 5}, 3)) << "a NUL is part of the value";
    const KeyTable table = std::move(builder).build();
    EXPECT_EQ(table.find("same"), 1u);
    EXPECT_EQ(table.size(), 2u);
}

TEST(KeyTable, TellsValuesOfEveryLengthApart) {
    KeyTable::Builder builder;
    for (std::uint32_t n = 1; n < 130; ++n)
        ASSERT_TRUE(builder.add(std::string(n, 'k'), n));
    const KeyTable table = std::move(builder).build();
    for (std::uint32_t n = 1; n < 130; ++n) {
        EXPECT_EQ(table.find(std::string(n, 'k')), n);
        EXPECT_EQ(table.find(std::string(n, 'k') + std::string(1, '\0')), std::nullopt) << n;
        EXPECT_EQ(table.find(std::string(n, 'k') + static_cast<char>(n | 0x80)), std::nullopt) << n;
    }
}

TEST(KeyTable, WithoutKeysFindsNone) {
    EXPECT_EQ(KeyTable{}.find("x"), std::nullopt);
    EXPECT_EQ(KeyTable::Builder{}.build().find(""), std::nullopt);
}

TEST(KeyTable, KeepsTheLargestIndex) {
    KeyTable::Builder builder;
    EXPECT_TRUE(builder.add("last", 0xffff'fffe));
    EXPECT_EQ(std::move(builder).build().find("last"), 0xffff'fffe);
}

}  // namespace
}  // namespace sluice::state
