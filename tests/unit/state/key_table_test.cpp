// SPDX-License-Identifier: Apache-2.0
#include "sluice/state/key_table.hpp"

#include <gtest/gtest.h>

#include <string>

namespace sluice::state {
namespace {

using Table = KeyTable<std::uint32_t>;

std::optional<std::uint32_t> found(const Table& table, std::string_view value) {
    const std::uint32_t* record = table.find(value);
    return record == nullptr ? std::nullopt : std::optional{*record};
}

TEST(KeyTable, FindsWhatWasAddedAndNothingElse) {
    Table::Builder builder;
    for (std::uint32_t n = 0; n < 10'000; ++n) {
        ASSERT_TRUE(builder.add("key-" + std::to_string(n), n * 3));
    }
    const Table table = std::move(builder).build();
    EXPECT_EQ(table.size(), 10'000u);
    for (std::uint32_t n = 0; n < 10'000; ++n) {
        ASSERT_EQ(found(table, "key-" + std::to_string(n)), n * 3);
        ASSERT_EQ(found(table, "kez-" + std::to_string(n)), std::nullopt);
    }
    EXPECT_EQ(found(table, ""), std::nullopt);
    EXPECT_EQ(found(table, "key-1 "), std::nullopt);
    EXPECT_EQ(found(table, "KEY-1"), std::nullopt);
    EXPECT_EQ(found(table, std::string(100'000, 'x')), std::nullopt);
}

TEST(KeyTable, RefusesASecondKeyOfTheSameValue) {
    Table::Builder builder;
    EXPECT_TRUE(builder.add("same", 1));
    EXPECT_FALSE(builder.add("same", 2));
    EXPECT_TRUE(builder.add(std::string_view{"same\0", 5}, 3)) << "a NUL is part of the value";
    const Table table = std::move(builder).build();
    EXPECT_EQ(found(table, "same"), 1u);
    EXPECT_EQ(table.size(), 2u);
}

TEST(KeyTable, TellsValuesOfEveryLengthApart) {
    Table::Builder builder;
    for (std::uint32_t n = 1; n < 130; ++n)
        ASSERT_TRUE(builder.add(std::string(n, 'k'), n));
    const Table table = std::move(builder).build();
    for (std::uint32_t n = 1; n < 130; ++n) {
        EXPECT_EQ(found(table, std::string(n, 'k')), n);
        EXPECT_EQ(found(table, std::string(n, 'k') + std::string(1, '\0')), std::nullopt) << n;
        EXPECT_EQ(found(table, std::string(n, 'k') + static_cast<char>(n | 0x80)), std::nullopt)
            << n;
    }
}

TEST(KeyTable, WithoutKeysFindsNone) {
    EXPECT_EQ(found(Table{}, "x"), std::nullopt);
    EXPECT_EQ(found(Table::Builder{}.build(), ""), std::nullopt);
}

TEST(KeyTable, KeepsTheLargestRecord) {
    Table::Builder builder;
    EXPECT_TRUE(builder.add("last", 0xffff'fffe));
    EXPECT_EQ(found(std::move(builder).build(), "last"), 0xffff'fffe);
}

}  // namespace
}  // namespace sluice::state
