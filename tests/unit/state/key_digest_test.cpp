// SPDX-License-Identifier: Apache-2.0
#include "sluice/state/key_digest.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace sluice::state {
namespace {

TEST(KeyDigest, IsTheSameForTheSameValueOnly) {
    for (const std::size_t size :
         {0U, 1U, 20U, 47U, 48U, 128U, 256U}) {  // 47: the last of one block
        const std::string value(size, 'k');
        const auto digest = KeyDigest::of(value);
        ASSERT_TRUE(digest);
        EXPECT_EQ(*digest, *KeyDigest::of(value)) << size;
        EXPECT_NE(*digest, *KeyDigest::of(value + 'k')) << size;
        EXPECT_NE(*digest, *KeyDigest::of(value + '\0')) << size;
    }
}

TEST(KeyDigest, SpreadsOverAllPlaces) {
    std::array<int, 16> hits{};
    for (int n = 0; n < 16'000; ++n)
        ++hits.at(KeyDigest::of("key-" + std::to_string(n))->place_among(hits.size()));
    for (const int count : hits)  // 1,000 each, give or take six standard deviations
        EXPECT_NEAR(count, 1000, 190);
}

}  // namespace
}  // namespace sluice::state
