// SPDX-License-Identifier: Apache-2.0
#include "net/ticket_keys.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace sluice::net {
namespace {

using std::chrono::hours;

const TimePoint kStart{hours{1000}};

auto find(TicketKeys& keys, const TicketKey& key, TimePoint now) {
    unsigned char name[16];
    std::ranges::copy(key.name, name);
    return keys.find(name, now);
}

TEST(TicketKeys, KeepsOneKeyForItsLifetime) {
    TicketKeys keys{hours{8}};
    const auto first = keys.current(kStart);
    const auto same = keys.current(kStart + hours{7});
    ASSERT_TRUE(first && same);
    EXPECT_EQ(first->name, same->name);
    EXPECT_EQ(first->cipher, same->cipher);
    const auto found = find(keys, *first, kStart + hours{7});
    ASSERT_TRUE(found);
    EXPECT_FALSE(found->renew);
}

TEST(TicketKeys, OpensWithTheTwoKeysBeforeAndAsksForAFreshTicket) {
    TicketKeys keys{hours{8}};
    const auto first = keys.current(kStart);
    const auto second = keys.current(kStart + hours{8});
    const auto third = keys.current(kStart + hours{16});
    EXPECT_NE(first->name, second->name);
    EXPECT_NE(second->name, third->name);
    const TimePoint now = kStart + hours{17};
    for (const auto& key : {*first, *second}) {
        const auto found = find(keys, key, now);
        ASSERT_TRUE(found);
        EXPECT_TRUE(found->renew);
        EXPECT_EQ(found->key.cipher, key.cipher);
        EXPECT_EQ(found->key.mac, key.mac);
    }
    EXPECT_FALSE(find(keys, *third, now)->renew);
    keys.current(kStart + hours{24});
    EXPECT_FALSE(find(keys, *first, kStart + hours{24}));
    EXPECT_TRUE(find(keys, *second, kStart + hours{24}));
}

TEST(TicketKeys, ForgetsOldKeysEvenWhenNobodyDrewNewOnes) {
    TicketKeys keys{hours{8}};
    const auto first = keys.current(kStart);
    EXPECT_TRUE(find(keys, *first, kStart + hours{23})->renew);
    EXPECT_FALSE(find(keys, *first, kStart + hours{24}));
}

TEST(TicketKeys, KnowsNoForeignName) {
    TicketKeys keys;
    TicketKeys others;
    ASSERT_TRUE(keys.current(kStart));
    EXPECT_FALSE(find(keys, *others.current(kStart), kStart));
}

}  // namespace
}  // namespace sluice::net
