// SPDX-License-Identifier: Apache-2.0
#include "state/cache_s3fifo.hpp"

#include <gtest/gtest.h>

#include <cstdio>
#include <random>
#include <string>

#include "unit/state/cache_trace.hpp"

namespace sluice::state {
namespace {

using std::chrono::seconds;

constexpr TimePoint kStart{seconds{1000}};
constexpr TimePoint kLater = kStart + seconds{3600};

class S3FifoTest : public testing::Test {
protected:
    static constexpr std::uint64_t kEach = 1000;
    static constexpr std::uint64_t kPlaces = 100;

    void insert(std::uint64_t number, TimePoint expires = kLater, TimePoint now = kStart) {
        auto entry = std::make_shared<CacheEntry>();
        entry->key = std::to_string(number);
        entry->hash = test::object_hash(number);
        entry->cost = kEach;  // round numbers: how many fit is plain to see
        entry->response.expires = expires;
        DeadEntries dead;
        policy_.insert(std::move(entry), now, dead);
        EXPECT_LE(policy_.bytes(), policy_.capacity());
    }
    CacheEntry* find(std::uint64_t number) {
        return policy_.find(std::to_string(number), test::object_hash(number));
    }
    bool hit(std::uint64_t number) {
        CacheEntry* const entry = find(number);
        if (entry != nullptr) {
            entry->touch();
        }
        return entry != nullptr;
    }

    S3Fifo policy_{kEach * kPlaces};
};

TEST(GhostSet, RemembersAsLongAsAskedAndOnlyOnce) {
    GhostSet ghosts;
    ghosts.resize(1024);
    const auto fill = [&ghosts](std::uint64_t count) {
        for (std::uint64_t i = 0; i < count; ++i) {
            ghosts.add(test::object_hash(i) << 8 | 0x80);  // none in the set of hash 1
        }
    };
    const std::uint64_t hash = std::uint64_t{77} << 32 | 1;
    EXPECT_FALSE(ghosts.take(hash, 100));
    ghosts.add(hash);
    fill(99);
    EXPECT_TRUE(ghosts.take(hash, 100));
    EXPECT_FALSE(ghosts.take(hash, 100)) << "taken once";
    ghosts.add(hash);
    fill(100);
    EXPECT_FALSE(ghosts.take(hash, 100)) << "too long ago";
    ghosts.add(hash);
    ghosts.clear();
    EXPECT_FALSE(ghosts.take(hash, 100));
}

TEST(GhostSet, ForgetsTheOldestOfASet) {
    GhostSet ghosts;
    ghosts.resize(4);
    for (std::uint64_t i = 1; i <= 5; ++i) {
        ghosts.add(i << 32);
    }
    EXPECT_FALSE(ghosts.take(std::uint64_t{1} << 32, 100));
    for (std::uint64_t i = 2; i <= 5; ++i) {
        EXPECT_TRUE(ghosts.take(i << 32, 100)) << i;
    }
}

TEST_F(S3FifoTest, EvictsOnlyWhenFullAndAsLittleAsNeeded) {
    for (std::uint64_t i = 0; i < kPlaces; ++i) {
        insert(i);
    }
    EXPECT_EQ(policy_.entries(), kPlaces);
    EXPECT_EQ(policy_.evictions(), 0U);
    insert(kPlaces);
    EXPECT_EQ(policy_.entries(), kPlaces);
    EXPECT_EQ(policy_.evictions(), 1U);
    EXPECT_EQ(find(0), nullptr) << "first in, never hit: first out";
}

TEST_F(S3FifoTest, KeepsWhatIsHitWhileAScanPasses) {
    for (std::uint64_t i = 0; i < 50; ++i) {
        insert(i);
        EXPECT_TRUE(hit(i));
    }
    for (std::uint64_t i = 1000; i < 1000 + 20 * kPlaces; ++i) {
        insert(i);
    }
    for (std::uint64_t i = 0; i < 50; ++i) {
        EXPECT_TRUE(hit(i)) << i;
    }
}

TEST_F(S3FifoTest, WhatComesBackSoonAfterEvictionIsNotOnTrialAgain) {
    for (std::uint64_t i = 0; i <= kPlaces; ++i) {
        insert(i);
    }
    ASSERT_EQ(find(0), nullptr);
    insert(0);
    EXPECT_TRUE(find(0)->in_main);
    EXPECT_FALSE(find(kPlaces)->in_main);
    for (std::uint64_t i = 1000; i < 1000 + 20 * kPlaces; ++i) {
        insert(i);
    }
    insert(1);  // evicted 2000 evictions ago: forgotten
    EXPECT_FALSE(find(1)->in_main);
}

TEST_F(S3FifoTest, OldFavouritesLeaveOnceNobodyAsksForThem) {
    for (std::uint64_t i = 0; i < 90; ++i) {
        insert(i);
        hit(i);
    }
    for (std::uint64_t i = 1000; i < 4000; ++i) {
        insert(i);
        hit(i);
    }
    for (std::uint64_t i = 0; i < 90; ++i) {
        EXPECT_EQ(find(i), nullptr) << i;
    }
}

TEST_F(S3FifoTest, TakesExpiredEntriesBeforeFreshOnes) {
    const TimePoint now = kStart + seconds{10};
    for (std::uint64_t i = 0; i < kPlaces; ++i) {
        insert(i, i < 50 ? kLater : now);  // the fresh ones are the next in turn
    }
    for (std::uint64_t i = 1000; i < 1040; ++i) {
        insert(i, kLater, now);
    }
    EXPECT_LE(policy_.evictions(), 3U) << "the room was to come from expired entries";
    std::uint64_t fresh = 0;
    for (std::uint64_t i = 0; i < 50; ++i) {
        fresh += find(i) != nullptr ? 1 : 0;
    }
    EXPECT_GE(fresh, 47U);
}

TEST_F(S3FifoTest, AReplacedEntryKeepsItsStanding) {
    for (std::uint64_t i = 0; i <= kPlaces; ++i) {
        insert(i);
    }
    insert(0);  // from the ghosts into main
    hit(0);
    hit(0);
    insert(0);
    EXPECT_TRUE(find(0)->in_main);
    EXPECT_EQ(find(0)->hits.load(), 2);
    EXPECT_EQ(policy_.entries(), kPlaces);
}

TEST_F(S3FifoTest, APopularKeyThatExpiredReturnsToMain) {
    insert(1);
    insert(2);
    hit(1);
    DeadEntries dead;
    policy_.expire(*find(1), dead);
    policy_.expire(*find(2), dead);
    for (std::uint64_t i = 10; i < 20; ++i) {
        insert(i);  // a ghost is remembered for as many evictions as there are entries
    }
    insert(1);
    insert(2);
    EXPECT_TRUE(find(1)->in_main);
    EXPECT_FALSE(find(2)->in_main);
}

TEST_F(S3FifoTest, ManyHotEntriesDoNotKeepANewOneOut) {
    for (std::uint64_t i = 0; i < kPlaces; ++i) {
        insert(i);
        while (find(i)->hits.load() < CacheEntry::kMaxHits) {
            hit(i);
        }
    }
    for (std::uint64_t i = 1000; i < 1000 + kPlaces; ++i) {
        insert(i);
        EXPECT_NE(find(i), nullptr);
    }
}

TEST_F(S3FifoTest, TakesNothingLargerThanItself) {
    insert(1);
    auto entry = std::make_shared<CacheEntry>();
    entry->key = "1";
    entry->hash = test::object_hash(1);
    entry->cost = policy_.capacity() + 1;
    DeadEntries dead;
    policy_.insert(std::move(entry), kStart, dead);
    EXPECT_EQ(policy_.entries(), 0U) << "and what it was to replace is out of date";
    EXPECT_EQ(policy_.bytes(), 0U);
}

TEST_F(S3FifoTest, EqualHashesStayApartInEveryOrderOfRemoval) {
    constexpr std::uint64_t kHash = 42;
    for (const auto& order : {std::string("abc"), std::string("cab"), std::string("bca")}) {
        for (const char key : {'a', 'b', 'c'}) {
            auto entry = std::make_shared<CacheEntry>();
            entry->key = std::string(1, key);
            entry->hash = kHash;
            entry->cost = kEach;
            entry->response.expires = kLater;
            DeadEntries dead;
            policy_.insert(std::move(entry), kStart, dead);
        }
        EXPECT_EQ(policy_.entries(), 3U);
        std::uint64_t left = 3;
        for (const char key : order) {
            DeadEntries dead;
            policy_.remove(*policy_.find(std::string(1, key), kHash), dead);
            EXPECT_EQ(policy_.find(std::string(1, key), kHash), nullptr);
            EXPECT_EQ(policy_.recount().entries, --left);
        }
    }
}

TEST(S3Fifo, CountsAgreeWithItsEntriesUnderARandomWorkload) {
    constexpr std::uint64_t kCapacity = 300'000;
    S3Fifo policy(kCapacity);
    std::mt19937_64 random(7);
    TimePoint now = kStart;
    for (int step = 0; step < 30'000; ++step) {
        now += std::chrono::milliseconds{random() % 30};
        const auto object = random() % 2000;
        CacheEntry* const entry = policy.find(std::to_string(object), test::object_hash(object));
        DeadEntries dead;
        const auto dice = random() % 2000;
        if (dice == 0) {
            policy.clear(dead);
        } else if (entry == nullptr || dice < 200) {
            const TimePoint expires = now + seconds{random() % 20};
            policy.insert(test::make_entry(object, expires), now, dead);
        } else if (!entry->is_fresh(now)) {
            policy.expire(*entry, dead);
        } else if (dice < 300) {
            policy.remove(*entry, dead);
        } else {
            entry->touch();
        }
        ASSERT_LE(policy.bytes(), kCapacity);
        if (step % 20 == 0) {
            const auto sums = policy.recount();
            ASSERT_EQ(policy.bytes(), sums.bytes);
            ASSERT_EQ(policy.entries(), sums.entries);
        }
    }
    EXPECT_GT(policy.evictions(), 1000U);
}

TEST(S3Fifo, KeepsMoreHitsThanLruWhenScansPass) {
    const auto trace = test::make_trace({});
    for (const std::uint64_t capacity : {4'000'000, 16'000'000}) {
        const double s3fifo = test::hit_ratio<test::AskedS3Fifo>(trace, capacity);
        const double lru = test::hit_ratio<test::PlainLru>(trace, capacity);
        std::printf("zipf 0.9 + scans, %2d MB: hit ratio s3fifo %.4f, lru %.4f\n",
                    static_cast<int>(capacity / 1'000'000), s3fifo, lru);
        EXPECT_GT(s3fifo, lru + 0.02);
    }
}

TEST(S3Fifo, IsNoWorseThanLruWithoutScans) {
    const auto trace = test::make_trace({.scan_length = 0});
    for (const std::uint64_t capacity : {4'000'000, 16'000'000}) {
        const double s3fifo = test::hit_ratio<test::AskedS3Fifo>(trace, capacity);
        const double lru = test::hit_ratio<test::PlainLru>(trace, capacity);
        std::printf("zipf 0.9, %2d MB: hit ratio s3fifo %.4f, lru %.4f\n",
                    static_cast<int>(capacity / 1'000'000), s3fifo, lru);
        EXPECT_GE(s3fifo, lru);
    }
}

}  // namespace
}  // namespace sluice::state
