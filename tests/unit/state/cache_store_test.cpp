// SPDX-License-Identifier: Apache-2.0
#include "sluice/state/cache_store.hpp"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "state/cache_entry.hpp"

namespace sluice::state {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::uint64_t kKiB = 1024;
constexpr std::uint64_t kMiB = 1024 * kKiB;
constexpr TimePoint kStart{seconds{1000}};

struct Waiter final : CacheWaiter {
    void resolved(CachedPtr answer) noexcept override {
        ++calls;
        got = std::move(answer);
    }
    int calls = 0;
    CachedPtr got{};
};

std::uint64_t hash_of(std::string_view key) { return CacheStore::hash(key); }

void put(CacheStore& store, std::string_view key, std::string_view body, TimePoint now = kStart,
         seconds ttl = seconds{300}) {
    auto fill = store.refresh(key, hash_of(key));
    ASSERT_TRUE(fill.append(body));
    fill.commit(200, "Content-Type: text/plain\r\n", now, now + ttl, 0);
}

CachedPtr get(CacheStore& store, std::string_view key, TimePoint now = kStart) {
    return store.find(key, hash_of(key), now, 0);
}

std::string body_of(const CachedPtr& hit) { return hit != nullptr ? hit->body : "(miss)"; }

TEST(CacheStore, AnswersWithWhatTheLeaderCommitted) {
    CacheStore store(kMiB, 64 * kKiB, 1);
    EXPECT_EQ(get(store, "k"), nullptr);
    auto looked = store.join("k", hash_of("k"), kStart, nullptr);
    ASSERT_TRUE(looked.fill);
    EXPECT_TRUE(looked.fill.append("hel"));
    EXPECT_TRUE(looked.fill.append("lo"));
    EXPECT_EQ(get(store, "k"), nullptr) << "a partial body must not be served";
    looked.fill.commit(203, "A: b\r\n", kStart, kStart + seconds{9}, 7);
    EXPECT_FALSE(looked.fill);

    const CachedPtr hit = get(store, "k");
    ASSERT_NE(hit, nullptr);
    EXPECT_EQ(hit->status, 203);
    EXPECT_EQ(hit->fields, "A: b\r\n");
    EXPECT_EQ(hit->body, "hello");
    EXPECT_EQ(hit->stored, kStart);
    EXPECT_EQ(hit->expires, kStart + seconds{9});
    EXPECT_EQ(hit->initial_age, 7U);
}

TEST(CacheStore, EntriesLiveUntilTheirExpiryAndNotALongerMoment) {
    CacheStore store(kMiB, 64 * kKiB, 1);
    put(store, "k", "x", kStart, seconds{10});
    // Often enough to be in the front table as well.
    for (int i = 0; i < 5; ++i) {
        EXPECT_EQ(body_of(get(store, "k", kStart + seconds{10} - milliseconds{1})), "x");
    }
    EXPECT_EQ(store.stats().entries, 1U);
    EXPECT_EQ(get(store, "k", kStart + seconds{10}), nullptr);
    EXPECT_EQ(store.stats().entries, 0U) << "met when expired: dropped";
    EXPECT_EQ(store.stats().bytes, 0U);
    EXPECT_EQ(store.stats().evictions, 0U);
}

TEST(CacheStore, JoinAfterExpiryElectsALeader) {
    CacheStore store(kMiB, 64 * kKiB, 1);
    put(store, "k", "x", kStart, seconds{10});
    EXPECT_EQ(body_of(store.join("k", hash_of("k"), kStart + seconds{9}, nullptr).hit), "x");
    const auto late = store.join("k", hash_of("k"), kStart + seconds{10}, nullptr);
    EXPECT_EQ(late.hit, nullptr);
    EXPECT_TRUE(late.fill);
}

TEST(CacheStore, AnAnswerThatIsNeverFreshIsSharedButNotStored) {
    CacheStore store(kMiB, 64 * kKiB, 1);
    auto leader = store.join("k", hash_of("k"), kStart, nullptr);
    const auto waiter = std::make_shared<Waiter>();
    store.join("k", hash_of("k"), kStart, waiter);
    leader.fill.append("x");
    leader.fill.commit(200, "", kStart, kStart, 0);
    EXPECT_EQ(body_of(waiter->got), "x");
    EXPECT_EQ(store.stats().entries, 0U);
}

TEST(CacheStore, AReplacedEntryIsServedNoLongerButLivesWhileItIsSent) {
    CacheStore store(kMiB, 64 * kKiB, 2);
    put(store, "k", "old");
    CachedPtr sending;
    for (int i = 0; i < 4; ++i) {
        sending = get(store, "k");  // now also in worker 0's front table
    }
    put(store, "k", "new");
    EXPECT_EQ(body_of(get(store, "k")), "new");
    EXPECT_EQ(body_of(store.find("k", hash_of("k"), kStart, 1)), "new");
    EXPECT_EQ(body_of(sending), "old");
    EXPECT_EQ(store.stats().entries, 1U);
    EXPECT_EQ(store.stats().evictions, 0U);
}

TEST(CacheStore, FlushDropsEverythingOnEveryWorker) {
    CacheStore store(64 * kMiB, kKiB, 3);
    for (int i = 0; i < 100; ++i) {
        put(store, "k" + std::to_string(i), "x");
    }
    for (int round = 0; round < 4; ++round) {
        for (unsigned worker = 0; worker < 3; ++worker) {
            ASSERT_NE(store.find("k7", hash_of("k7"), kStart, worker), nullptr);
        }
    }
    EXPECT_EQ(store.stats().entries, 100U);
    store.clear();
    EXPECT_EQ(store.stats().entries, 0U);
    EXPECT_EQ(store.stats().bytes, 0U);
    for (unsigned worker = 0; worker < 3; ++worker) {
        EXPECT_EQ(store.find("k7", hash_of("k7"), kStart, worker), nullptr);
    }
}

TEST(CacheStore, SweepLetsGoOfWhatTheStoreDropped) {
    CacheStore store(kMiB, 64 * kKiB, 1);
    put(store, "k", "x");
    std::weak_ptr<const CachedResponse> stored;
    for (int i = 0; i < 4; ++i) {
        stored = get(store, "k");
    }
    store.clear();
    EXPECT_FALSE(stored.expired()) << "the front table was expected to hold it";
    store.sweep_front(0);
    EXPECT_TRUE(stored.expired());
}

TEST(CacheStore, AThreadThatIsNoWorkerMayLookToo) {
    CacheStore store(kMiB, 64 * kKiB, 1);
    put(store, "k", "x");
    for (int i = 0; i < 4; ++i) {
        EXPECT_EQ(body_of(store.find("k", hash_of("k"), kStart, 99)), "x");
    }
    store.sweep_front(99);
}

TEST(CacheStore, KeysOfEqualHashNeverAnswerForEachOther) {
    CacheStore store(kMiB, 64 * kKiB, 1);
    constexpr std::uint64_t kHash = 0x123456789abcdef0;
    const auto fill = [&store](std::string_view key) {
        auto looked = store.join(key, kHash, kStart, nullptr);
        ASSERT_TRUE(looked.fill) << key << " waits for a key that only collides with it";
        looked.fill.append(key);
        looked.fill.commit(200, "", kStart, kStart + seconds{60}, 0);
    };
    auto other = store.join("under way", kHash, kStart, nullptr);
    fill("one");
    fill("two");
    fill("three");
    for (int round = 0; round < 5; ++round) {
        for (const char* key : {"one", "two", "three"}) {
            EXPECT_EQ(body_of(store.find(key, kHash, kStart, 0)), key);
        }
        EXPECT_EQ(store.find("four", kHash, kStart, 0), nullptr);
        EXPECT_EQ(store.find("", kHash, kStart, 0), nullptr);
    }
    EXPECT_EQ(store.stats().entries, 3U);
}

TEST(CacheStore, RefusesWhatOneEntryMayNotHold) {
    CacheStore store(kMiB, 1000, 1);
    auto exact = store.refresh("exact", hash_of("exact"));
    EXPECT_TRUE(exact.append(std::string(990, 'x')));
    exact.commit(200, std::string(10, 'f'), kStart, kStart + seconds{9}, 0);
    EXPECT_NE(get(store, "exact"), nullptr);

    auto with_fields = store.refresh("fields", hash_of("fields"));
    EXPECT_TRUE(with_fields.append(std::string(990, 'x')));
    with_fields.commit(200, std::string(11, 'f'), kStart, kStart + seconds{9}, 0);
    EXPECT_EQ(get(store, "fields"), nullptr);

    auto body = store.refresh("body", hash_of("body"));
    EXPECT_TRUE(body.append(std::string(1000, 'x')));
    EXPECT_FALSE(body.append("y"));
    EXPECT_FALSE(body);
    EXPECT_FALSE(body.append(""));
    body.commit(200, "", kStart, kStart + seconds{9}, 0);
    EXPECT_EQ(get(store, "body"), nullptr);
}

TEST(CacheStore, ATooLargeSuccessorDropsTheEntryItCannotReplace) {
    CacheStore store(kMiB, 1000, 1);
    put(store, "k", "old");
    auto fill = store.refresh("k", hash_of("k"));
    EXPECT_FALSE(fill.append(std::string(1001, 'x')));
    EXPECT_EQ(get(store, "k"), nullptr);
}

TEST(CacheStore, AnAbandonedRefreshKeepsTheEntry) {
    CacheStore store(kMiB, 1000, 1);
    put(store, "k", "old");
    store.refresh("k", hash_of("k")).abandon();
    EXPECT_EQ(body_of(get(store, "k")), "old");
}

TEST(CacheStore, HoldsOneLargestEntryWheneverTheCapacityAllows) {
    for (const std::uint64_t capacity : {64 * kKiB, 2 * kMiB, 16 * kMiB, 100 * kMiB, 500 * kMiB}) {
        const std::uint64_t largest = std::min(kMiB, capacity / 2);
        CacheStore store(capacity, kMiB, 4);
        put(store, "big", std::string(largest - 64, 'x'));
        EXPECT_NE(get(store, "big"), nullptr) << capacity;
        EXPECT_LE(store.stats().bytes, capacity);
    }
}

TEST(CacheStore, WithoutCapacityItStillCoalesces) {
    for (const std::uint64_t capacity : {0, 1, 100}) {
        CacheStore store(capacity, kMiB, 1);
        auto leader = store.join("k", hash_of("k"), kStart, nullptr);
        const auto waiter = std::make_shared<Waiter>();
        store.join("k", hash_of("k"), kStart, waiter);
        leader.fill.commit(204, "", kStart, kStart + seconds{9}, 0);
        EXPECT_EQ(waiter->calls, 1);
        EXPECT_EQ(get(store, "k"), nullptr);
        EXPECT_EQ(store.stats().bytes, 0U);
    }
}

TEST(CacheStore, FillsUnderWayHaveALimitTogether) {
    CacheStore store(kMiB, kMiB, 1);  // a small cache: 64 largest entries may be under way
    std::vector<CacheFill> fills;
    const std::string body(kMiB, 'x');
    for (int i = 0; i < 64; ++i) {
        const std::string key = std::to_string(i);
        fills.push_back(store.refresh(key, hash_of(key)));
        ASSERT_TRUE(fills.back().append(body)) << i;
    }
    auto refused = store.join("one more", hash_of("one more"), kStart, nullptr);
    const auto waiter = std::make_shared<Waiter>();
    store.join("one more", hash_of("one more"), kStart, waiter);
    EXPECT_FALSE(refused.fill.append("x"));
    EXPECT_EQ(waiter->calls, 1) << "who waits must not wait for nothing";
    fills.pop_back();
    EXPECT_TRUE(store.refresh("after", hash_of("after")).append(body));
}

/// Random puts, refreshes, hits, expiries and flushes against a plain map: bytes and entries are
/// exact, nothing foreign or outdated is ever served, the capacity holds after every step.
class CacheWorkload : public testing::TestWithParam<std::uint64_t> {};

TEST_P(CacheWorkload, NeverExceedsItsCapacityAndCountsExactly) {
    const std::uint64_t capacity = GetParam();
    CacheStore store(capacity, std::min<std::uint64_t>(capacity, 32 * kKiB), 2);
    std::mt19937_64 random(capacity);
    struct Stored {
        std::string body;
        TimePoint expires;
    };
    std::map<std::string, Stored> model;
    TimePoint now = kStart;
    const auto key_name = [&random] {
        const auto number = random() % 500;
        return std::string(number % 90, 'k') + std::to_string(number);
    };
    for (int step = 0; step < 20'000; ++step) {
        now += milliseconds{random() % 20};
        const std::string key = key_name();
        const auto dice = random() % 1000;
        if (dice == 0) {
            store.clear();
            model.clear();
        } else if (dice < 500) {
            const auto length = dice < 20 ? random() % (33 * kKiB) : random() % 3000;
            const std::string body(length, static_cast<char>('a' + step % 26));
            const TimePoint expires = now + seconds{1 + random() % 30};
            auto fill = store.refresh(key, hash_of(key));
            model.erase(key);
            if (fill.append(body)) {
                fill.commit(200, std::string(random() % 200, 'f'), now, expires, 0);
                model[key] = {body, expires};
            }
        } else {
            const auto hit = store.find(key, hash_of(key), now, step % 2);
            if (hit != nullptr) {
                ASSERT_TRUE(model.contains(key));
                ASSERT_EQ(hit->body, model[key].body);
                ASSERT_LT(now, model[key].expires);
            }
        }
        const auto stats = store.stats();
        ASSERT_LE(stats.bytes, capacity);
        if (step % 500 == 0) {
            std::uint64_t bytes = 0;
            std::uint64_t entries = 0;
            for (const auto& [name, unused] : model) {
                if (const auto hit = store.find(name, hash_of(name), now, 99)) {
                    bytes += cache_entry_cost(std::string(name).capacity(), hit->fields.capacity(),
                                              hit->body.capacity());
                    ++entries;
                }
            }
            // Expired entries were dropped by the look itself.
            ASSERT_EQ(store.stats().bytes, bytes);
            ASSERT_EQ(store.stats().entries, entries);
        }
    }
    EXPECT_GT(store.stats().evictions, 100U);
}

INSTANTIATE_TEST_SUITE_P(Capacities, CacheWorkload,
                         testing::Values(8 * kKiB, 64 * kKiB, 200 * kKiB + 7),
                         [](const auto& one) { return std::to_string(one.param); });

}  // namespace
}  // namespace sluice::state
