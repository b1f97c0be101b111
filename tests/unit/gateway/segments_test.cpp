// SPDX-License-Identifier: Apache-2.0
#include "gateway/segments.hpp"

#include <gtest/gtest.h>

namespace sluice::gateway {
namespace {

constexpr auto kStandard = Compatibility::standard;
constexpr auto kAws = Compatibility::aws;

std::optional<std::uint32_t> find(const SegmentTable& table, std::string_view segment,
                                  Compatibility personality) {
    return table.find(0, segment, SegmentTable::reading_of(segment, personality));
}

TEST(Segments, AreTakenUpToTheNextSlash) {
    std::string_view rest = "a//b";
    EXPECT_EQ(take_segment(rest), "a");
    EXPECT_EQ(take_segment(rest), "");
    EXPECT_EQ(take_segment(rest), "b");
    EXPECT_TRUE(rest.empty());
}

TEST(SegmentTable, FindsOnlyBelowTheSameParent) {
    SegmentTable table;
    EXPECT_EQ(table.insert(0, "pets", 7), 7U);
    EXPECT_EQ(table.insert(0, "pets", 8), 7U) << "known already";
    EXPECT_EQ(table.find(0, "pets", {}), 7U);
    EXPECT_FALSE(table.find(1, "pets", {}));
    EXPECT_FALSE(table.find(0, "Pets", {})) << "case matters";
    EXPECT_FALSE(table.find(0, "pet", {}));
    EXPECT_FALSE(table.find(0, "", {}));
}

TEST(SegmentTable, ComparesPercentDecodedBytes) {
    SegmentTable table;
    table.insert(0, "a b", 1);
    table.insert(0, "caf%C3%A9", 2);
    for (const auto personality : {kStandard, kAws}) {
        EXPECT_EQ(find(table, "a%20b", personality), 1U);
        EXPECT_EQ(find(table, "%61%20%62", personality), 1U);
        EXPECT_EQ(find(table, "caf%c3%a9", personality), 2U);
        EXPECT_FALSE(find(table, "a%2520b", personality)) << "decoded once";
        EXPECT_FALSE(find(table, "a%20b%", personality));
    }
}

TEST(SegmentTable, LeavesParametersOutInStandardOnly) {
    SegmentTable table;
    table.insert(0, "admin", 1);
    EXPECT_EQ(find(table, "admin;x", kStandard), 1U);
    EXPECT_EQ(find(table, "admin;", kStandard), 1U);
    EXPECT_EQ(find(table, "%61dmin;a=%20;b", kStandard), 1U);
    EXPECT_FALSE(find(table, "admin%3Bx", kStandard)) << "an escaped ; is data";
    EXPECT_FALSE(find(table, "admin;x", kAws));
}

TEST(SegmentTable, RefusesWhatIsLongerThanALiteralMayBe) {
    SegmentTable table;
    const std::string longest(SegmentTable::kMaxLiteral, 'x');
    EXPECT_EQ(table.insert(0, longest, 1), 1U);
    EXPECT_FALSE(table.insert(0, longest + "x", 2));
    EXPECT_EQ(find(table, "%78" + longest.substr(1), kAws), 1U);
    EXPECT_FALSE(find(table, "%78" + longest, kAws));
    EXPECT_FALSE(find(table, std::string(1'000'000, '%'), kAws));
}

TEST(SegmentTable, TellsLiteralsOfEveryLengthApart) {
    SegmentTable table;
    const auto literal = [](std::size_t length, char last) {
        return std::string(length - 1, 'a') + last;
    };
    for (std::uint32_t length = 1; length <= 100; ++length) {
        ASSERT_EQ(table.insert(0, literal(length, 'x'), 2 * length), 2 * length);
        ASSERT_EQ(table.insert(0, literal(length, 'y'), 2 * length + 1), 2 * length + 1);
    }
    for (std::uint32_t length = 1; length <= 100; ++length) {
        ASSERT_EQ(table.find(0, literal(length, 'x'), {}), 2 * length);
        ASSERT_EQ(table.find(0, literal(length, 'y'), {}), 2 * length + 1);
        ASSERT_FALSE(table.find(0, literal(length, 'z'), {})) << length;
    }
}

TEST(SegmentTable, KeepsEveryEntryWhileGrowing) {
    SegmentTable table;
    for (std::uint32_t i = 0; i < 20'000; ++i) {
        ASSERT_EQ(table.insert(i % 7, "literal" + std::to_string(i), i), i);
    }
    for (std::uint32_t i = 0; i < 20'000; ++i) {
        ASSERT_EQ(table.find(i % 7, "literal" + std::to_string(i), {}), i);
        ASSERT_FALSE(table.find(i % 7 + 1, "literal" + std::to_string(i), {}));
    }
}

}  // namespace
}  // namespace sluice::gateway
