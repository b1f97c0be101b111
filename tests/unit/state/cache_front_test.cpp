// SPDX-License-Identifier: Apache-2.0
#include "state/cache_front.hpp"

#include <gtest/gtest.h>

#include <string>

namespace sluice::state {
namespace {

using std::chrono::seconds;

constexpr TimePoint kStart{seconds{1000}};
constexpr std::uint64_t kHash = std::uint64_t{5} << 24;

std::shared_ptr<CacheEntry> entry_of(std::string key, std::uint64_t hash, std::uint64_t cost) {
    auto entry = std::make_shared<CacheEntry>();
    entry->key = std::move(key);
    entry->hash = hash;
    entry->cost = cost;
    entry->response.expires = kStart + seconds{10};
    return entry;
}

TEST(CacheFront, AnswersForTheVeryKeyOnly) {
    CacheFront front(100'000);
    const auto entry = entry_of("k", kHash, 500);
    front.offer(entry);
    EXPECT_EQ(front.find("k", kHash, kStart).get(), &entry->response);
    EXPECT_EQ(front.find("other", kHash, kStart), nullptr);
    EXPECT_EQ(front.find("k", kHash + 1, kStart), nullptr);
    EXPECT_NE(front.find("k", kHash, kStart), nullptr) << "a stranger's look evicts nothing";
}

TEST(CacheFront, LeasesDoNotTouchTheSharedCount) {
    CacheFront front(100'000);
    const auto entry = entry_of("k", kHash, 500);
    front.offer(entry);
    const auto users = entry.use_count();
    const auto first = front.find("k", kHash, kStart);
    const auto second = front.find("k", kHash, kStart);
    EXPECT_EQ(entry.use_count(), users);
    EXPECT_EQ(first.use_count(), 3);
}

TEST(CacheFront, ALeaseKeepsTheEntryAfterTheFrontLetItGo) {
    CacheFront front(100'000);
    auto entry = entry_of("k", kHash, 500);
    entry->response.body = "text";
    const CachedPtr lease = front.offer(std::move(entry));
    front.clear();
    EXPECT_EQ(lease->body, "text");
    EXPECT_EQ(front.bytes(), 0U);
}

TEST(CacheFront, ReleasesDeadAndExpiredEntriesWhenItMeetsThem) {
    CacheFront front(100'000);
    const auto dead = entry_of("k", kHash, 500);
    front.offer(dead);
    dead->alive = false;
    EXPECT_EQ(front.find("k", kHash, kStart), nullptr);
    EXPECT_EQ(dead.use_count(), 1);
    const auto old = entry_of("k", kHash, 500);
    front.offer(old);
    EXPECT_EQ(front.find("k", kHash, kStart + seconds{10}), nullptr);
    EXPECT_EQ(old.use_count(), 1);
    EXPECT_EQ(front.bytes(), 0U);
}

TEST(CacheFront, AnEntryThatIsHitStaysUntilAnotherWasOfferedAgainAndAgain) {
    CacheFront front(100'000);
    constexpr std::uint64_t kSameSlot = kHash + 1;
    const auto hot = entry_of("hot", kHash, 500);
    const auto other = entry_of("other", kSameSlot, 500);
    front.offer(hot);
    for (int i = 0; i < 10; ++i) {
        EXPECT_NE(front.find("hot", kHash, kStart), nullptr);
        EXPECT_EQ(front.offer(other).get(), &other->response) << "offered in vain, yet the answer";
        EXPECT_EQ(front.find("other", kSameSlot, kStart), nullptr);
    }
    for (int i = 0; i < 10; ++i) {
        front.offer(other);
    }
    EXPECT_NE(front.find("other", kSameSlot, kStart), nullptr);
    EXPECT_EQ(front.find("hot", kHash, kStart), nullptr);
    EXPECT_EQ(hot.use_count(), 1);
    EXPECT_EQ(front.bytes(), 500U);

    front.find("other", kSameSlot, kStart);
    other->alive = false;
    front.offer(hot);
    EXPECT_NE(front.find("hot", kHash, kStart), nullptr) << "the dead defend no place";
}

TEST(CacheFront, HoldsNoMoreBytesThanItMay) {
    constexpr std::uint64_t kMax = 50'000;
    CacheFront front(kMax);
    for (std::uint64_t i = 0; i < 2000; ++i) {
        front.offer(entry_of(std::to_string(i), (i * 7) << 24, 100 + i * 37 % 9000));
        ASSERT_LE(front.bytes(), kMax);
    }
    EXPECT_GT(front.bytes(), kMax / 2);
    EXPECT_FALSE(front.takes(*entry_of("k", 0, kMax + 1)));
    EXPECT_FALSE(CacheFront(1 << 30).takes(*entry_of("k", 0, 16 * 1024 + 1)));
    EXPECT_FALSE(CacheFront(0).takes(*entry_of("k", 0, 1)));
}

}  // namespace
}  // namespace sluice::state
