// SPDX-License-Identifier: Apache-2.0
#include "base/random.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace sluice {
namespace {

TEST(Random, DiffersFromOneGeneratorToTheNext) {
    Random a;
    Random b;
    EXPECT_NE(a.next(), b.next());
    EXPECT_NE(a.next(), a.next());
}

TEST(Random, UsesEveryBit) {
    Random random;
    std::uint64_t seen = 0;
    std::uint64_t missing = 0;
    for (int i = 0; i < 200; ++i) {
        const std::uint64_t n = random.next();
        seen |= n;
        missing |= ~n;
    }
    EXPECT_EQ(seen, ~0ULL);
    EXPECT_EQ(missing, ~0ULL);
}

TEST(Uuid, IsAVersion4UuidOfRfc9562) {
    Random random;
    std::set<std::string> seen;
    for (int i = 0; i < 1000; ++i) {
        const Uuid id = Uuid::make(random);
        const std::string text{id.view()};
        ASSERT_TRUE(Uuid::is_uuid(text)) << text;
        ASSERT_EQ(text[14], '4') << text;
        ASSERT_NE(std::string{"89ab"}.find(text[19]), std::string::npos) << text;
        ASSERT_TRUE(seen.insert(text).second) << text;
    }
}

TEST(Uuid, IsRecognisedByItsFormOnly) {
    EXPECT_TRUE(Uuid::is_uuid("00000000-0000-0000-0000-000000000000"));
    EXPECT_TRUE(Uuid::is_uuid("ABCDEFab-1234-5678-9abc-def012345678"));
    EXPECT_FALSE(Uuid::is_uuid(""));
    EXPECT_FALSE(Uuid::is_uuid("00000000-0000-0000-0000-00000000000"));
    EXPECT_FALSE(Uuid::is_uuid("00000000-0000-0000-0000-0000000000000"));
    EXPECT_FALSE(Uuid::is_uuid("000000000000-0000-0000-0000-00000000"));
    EXPECT_FALSE(Uuid::is_uuid("g0000000-0000-0000-0000-000000000000"));
    EXPECT_FALSE(Uuid::is_uuid("00000000-0000-0000-0000-0000000000\r\n"));
}

TEST(ExtendedId, IsSixteenCharactersOfBase64) {
    Random random;
    const ExtendedId a = ExtendedId::make(random);
    EXPECT_EQ(a.view().size(), 16U);
    EXPECT_EQ(a.view().find_first_not_of(
                  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"),
              std::string_view::npos);
    EXPECT_NE(a.view(), ExtendedId::make(random).view());
}

TEST(ExtendedId, UsesSixteenLetters) {
    Random random;
    std::set<char> seen;
    for (int i = 0; i < 200; ++i) {
        for (const char c : ExtendedId::make(random).text)
            seen.insert(c);
    }
    EXPECT_EQ(std::string(seen.begin(), seen.end()), "ABCDEFGHIJKLMNOP");
}

}  // namespace
}  // namespace sluice
