// SPDX-License-Identifier: Apache-2.0
//
// One leader per missing key: who leads, who waits, and what they get.
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <condition_variable>
#include <latch>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "sluice/state/cache_store.hpp"

namespace sluice::state {
namespace {

using std::chrono::seconds;

constexpr TimePoint kStart{seconds{1000}};
constexpr TimePoint kExpires = kStart + seconds{60};

class Waiter final : public CacheWaiter {
public:
    void resolved(CachedPtr answer) noexcept override {
        const std::lock_guard lock(mutex_);
        ++calls_;
        answer_ = std::move(answer);
        changed_.notify_all();
    }
    CachedPtr wait() {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return calls_ > 0; });
        return answer_;
    }
    int calls() {
        const std::lock_guard lock(mutex_);
        return calls_;
    }

private:
    std::mutex mutex_{};
    std::condition_variable changed_{};
    int calls_ = 0;
    CachedPtr answer_{};
};
using WaiterPtr = std::shared_ptr<Waiter>;

class CacheFillTest : public testing::Test {
protected:
    CacheStore::Lookup join(std::string_view key, const WaiterPtr& waiter = nullptr) {
        return store_->join(key, CacheStore::hash(key), kStart, waiter);
    }
    /// Joins while somebody leads.
    WaiterPtr wait_for(std::string_view key) {
        auto waiter = std::make_shared<Waiter>();
        const auto looked = join(key, waiter);
        EXPECT_EQ(looked.hit, nullptr);
        EXPECT_FALSE(looked.fill);
        EXPECT_EQ(waiter->calls(), 0);
        return waiter;
    }
    CacheFill refresh(std::string_view key) { return store_->refresh(key, CacheStore::hash(key)); }
    std::string stored(std::string_view key) {
        const auto hit = store_->find(key, CacheStore::hash(key), kStart, 0);
        return hit != nullptr ? hit->body : "(miss)";
    }
    static void commit(CacheFill& fill, std::string_view body) {
        ASSERT_TRUE(fill.append(body));
        fill.commit(200, "", kStart, kExpires, 0);
    }
    static std::string answer(const WaiterPtr& waiter) {
        EXPECT_EQ(waiter->calls(), 1);
        const auto got = waiter->wait();
        return got != nullptr ? got->body : "(none)";
    }

    std::optional<CacheStore> store_{std::in_place, 1 << 20, 1 << 16, 1};
};

TEST_F(CacheFillTest, CommitWakesEveryoneWithTheStoredEntry) {
    auto leader = join("k");
    ASSERT_TRUE(leader.fill);
    const auto first = wait_for("k");
    const auto second = wait_for("k");
    commit(leader.fill, "x");
    EXPECT_EQ(answer(first), "x");
    EXPECT_EQ(first->wait(), second->wait()) << "one copy for all";
    EXPECT_EQ(stored("k"), "x");
}

TEST_F(CacheFillTest, AbandonWakesEveryoneWithNothingAndTheNextOneLeads) {
    auto leader = join("k");
    const auto waiter = wait_for("k");
    leader.fill.abandon();
    EXPECT_FALSE(leader.fill);
    EXPECT_EQ(answer(waiter), "(none)");
    EXPECT_TRUE(join("k").fill);
}

TEST_F(CacheFillTest, ALeaderThatGoesAwayReleasesItsWaiters) {
    WaiterPtr waiter;
    {
        auto leader = join("k");
        waiter = wait_for("k");
    }
    EXPECT_EQ(answer(waiter), "(none)");
    EXPECT_TRUE(join("k").fill);
}

TEST_F(CacheFillTest, AMovedFillReleasesNobodyUntilItsNewOwnerDoes) {
    auto leader = join("k");
    const auto waiter = wait_for("k");
    CacheFill moved = std::move(leader.fill);
    EXPECT_EQ(waiter->calls(), 0);
    auto other = join("other");
    const auto others_waiter = wait_for("other");
    other.fill = std::move(moved);  // what it held before is given up
    EXPECT_EQ(answer(others_waiter), "(none)");
    commit(other.fill, "x");
    EXPECT_EQ(answer(waiter), "x");
    EXPECT_EQ(stored("other"), "(miss)");
}

TEST_F(CacheFillTest, GivingUpOnSizeReleasesTheWaitersAtOnce) {
    auto leader = join("k");
    const auto waiter = wait_for("k");
    EXPECT_TRUE(leader.fill.append(std::string(1 << 16, 'x')));
    EXPECT_EQ(waiter->calls(), 0);
    EXPECT_FALSE(leader.fill.append("y"));
    EXPECT_EQ(answer(waiter), "(none)");
    EXPECT_TRUE(join("k").fill);
}

TEST_F(CacheFillTest, AnswersTooLargeToStoreAreStillShared) {
    auto leader = join("k");
    const auto waiter = wait_for("k");
    ASSERT_TRUE(leader.fill.append(std::string(1 << 16, 'x')));
    leader.fill.commit(200, "Now-Too: large\r\n", kStart, kExpires, 0);
    EXPECT_EQ(answer(waiter).size(), 1U << 16);
    EXPECT_EQ(stored("k"), "(miss)");
    EXPECT_TRUE(join("k").fill);
}

TEST_F(CacheFillTest, AfterAFlushTheWaitersGetTheAnswerButItIsNotStored) {
    auto leader = join("k");
    const auto waiter = wait_for("k");
    store_->clear();
    auto next = join("k");
    EXPECT_TRUE(next.fill) << "what began before the flush answers no later request";
    commit(leader.fill, "before");
    EXPECT_EQ(answer(waiter), "before");
    EXPECT_EQ(stored("k"), "(miss)");
    commit(next.fill, "after");
    EXPECT_EQ(stored("k"), "after");
}

TEST_F(CacheFillTest, ARefreshMakesNobodyWaitWhileThereIsAnEntry) {
    auto first = join("k");
    commit(first.fill, "old");
    auto fill = refresh("k");
    const auto looked = join("k");
    ASSERT_NE(looked.hit, nullptr);
    EXPECT_EQ(looked.hit->body, "old");
    commit(fill, "new");
    EXPECT_EQ(stored("k"), "new");
}

TEST_F(CacheFillTest, ARefreshOfAMissingKeyIsWaitedFor) {
    auto fill = refresh("k");
    const auto waiter = wait_for("k");
    commit(fill, "x");
    EXPECT_EQ(answer(waiter), "x");
}

TEST_F(CacheFillTest, ALaterRefreshSupersedesWhateverOrderTheyEndIn) {
    for (const bool later_ends_first : {false, true}) {
        store_->clear();
        auto leader = join("k");
        const auto leaders_waiter = wait_for("k");
        auto later = refresh("k");
        const auto laters_waiter = wait_for("k");
        if (later_ends_first) {
            commit(later, "new");
            commit(leader.fill, "old");
        } else {
            commit(leader.fill, "old");
            EXPECT_EQ(stored("k"), "(miss)");
            commit(later, "new");
        }
        EXPECT_EQ(answer(leaders_waiter), "old");
        EXPECT_EQ(answer(laters_waiter), "new");
        EXPECT_EQ(stored("k"), "new");
    }
}

TEST_F(CacheFillTest, ASupersededFillThatGivesUpLeavesItsSuccessorAlone) {
    auto leader = join("k");
    auto later = refresh("k");
    leader.fill.abandon();
    const auto waiter = wait_for("k");
    commit(later, "new");
    EXPECT_EQ(answer(waiter), "new");
}

TEST_F(CacheFillTest, AFillOutlivesTheStore) {
    auto leader = join("k");
    const auto waiter = wait_for("k");
    store_.reset();
    EXPECT_EQ(waiter->calls(), 0);
    commit(leader.fill, "x");
    EXPECT_EQ(answer(waiter), "x");
}

/// Calls back into the store while it is resolved: deadlocks if a lock were held.
class ReentrantWaiter final : public CacheWaiter {
public:
    explicit ReentrantWaiter(CacheStore& store) : store_(store) {}
    void resolved(CachedPtr) noexcept override {
        const auto hash = CacheStore::hash("k");
        store_.clear();
        led = static_cast<bool>(store_.join("k", hash, kStart, nullptr).fill);
    }
    bool led = false;

private:
    CacheStore& store_;
};

TEST_F(CacheFillTest, WaitersAreResolvedWithNoLockHeld) {
    auto leader = join("k");
    const auto waiter = std::make_shared<ReentrantWaiter>(*store_);
    store_->join("k", CacheStore::hash("k"), kStart, waiter);
    commit(leader.fill, "x");
    EXPECT_TRUE(waiter->led);
}

constexpr int kThreads = 8;
constexpr int kKeys = 16;
constexpr int kGenerations = 40;

/// Every thread asks for every key once per generation; a generation begins with a flush.
TEST(CacheFillThreads, FetchEachKeyOncePerGeneration) {
    CacheStore store(1 << 24, 1 << 16, kThreads);
    std::array<std::atomic<int>, kKeys> fetched{};
    std::atomic<int> wrong{0};
    for (int generation = 0; generation < kGenerations; ++generation) {
        std::latch start(kThreads);
        std::vector<std::jthread> threads;
        for (unsigned worker = 0; worker < kThreads; ++worker) {
            threads.emplace_back([&, worker] {
                std::mt19937 random(worker);
                start.arrive_and_wait();
                for (int i = 0; i < 2 * kKeys; ++i) {
                    const auto number = static_cast<std::size_t>(i % kKeys);
                    const std::string key = "key" + std::to_string(number);
                    const auto hash = CacheStore::hash(key);
                    CachedPtr got = store.find(key, hash, kStart, worker);
                    if (got == nullptr) {
                        const auto waiter = std::make_shared<Waiter>();
                        auto looked = store.join(key, hash, kStart, waiter);
                        got = looked.hit;
                        if (looked.fill) {
                            ++fetched[number];
                            if (random() % 4 == 0) {
                                std::this_thread::yield();
                            }
                            looked.fill.append(key);
                            looked.fill.commit(200, "", kStart, kExpires, 0);
                            continue;
                        }
                        if (got == nullptr) {
                            got = waiter->wait();
                        }
                    }
                    wrong += got == nullptr || got->body != key;
                }
            });
        }
        threads.clear();
        for (int key = 0; key < kKeys; ++key) {
            EXPECT_EQ(fetched[static_cast<std::size_t>(key)].exchange(0), 1)
                << key << " in generation " << generation;
        }
        store.clear();
    }
    EXPECT_EQ(wrong, 0);
}

/// Leaders that fail, flushes, refreshes and evictions at random on all threads: every waiter is
/// resolved exactly once, and nobody reads another key's answer.
TEST(CacheFillThreads, SurviveEverythingAtOnce) {
    constexpr std::uint64_t kCapacity = 24 * 1024;
    CacheStore store(kCapacity, 4096, kThreads);
    std::atomic<int> wrong{0};
    std::atomic<int> over{0};
    std::vector<std::jthread> threads;
    for (unsigned worker = 0; worker < kThreads; ++worker) {
        threads.emplace_back([&, worker] {
            std::mt19937 random(worker + 1);
            for (int i = 0; i < 6000; ++i) {
                const std::string key = "key" + std::to_string(random() % 40);
                const auto hash = CacheStore::hash(key);
                const TimePoint now = kStart + std::chrono::milliseconds{i};
                const auto waiter = std::make_shared<Waiter>();
                const auto dice = random() % 100;
                CacheStore::Lookup looked;
                looked.hit = store.find(key, hash, now, worker);
                if (dice == 0) {
                    store.clear();
                } else if (dice < 10) {
                    looked.fill = store.refresh(key, hash);
                } else if (looked.hit == nullptr) {
                    looked = store.join(key, hash, now, waiter);
                    if (looked.hit == nullptr && !looked.fill) {
                        const auto got = waiter->wait();
                        wrong += got != nullptr && !got->body.starts_with(key + ":");
                        wrong += waiter->calls() != 1;
                    }
                }
                wrong += looked.hit != nullptr && !looked.hit->body.starts_with(key + ":");
                if (looked.fill && random() % 5 != 0) {
                    looked.fill.append(key + ":" + std::string(random() % 2000, 'x'));
                    looked.fill.commit(200, "", now, now + std::chrono::milliseconds{300}, 0);
                }
                over += store.stats().bytes > kCapacity;
                if (i % 64 == 0) {
                    store.sweep_front(worker);
                }
            }
        });
    }
    threads.clear();
    EXPECT_EQ(wrong, 0);
    EXPECT_EQ(over, 0);
    EXPECT_GT(store.stats().evictions, 0U);
}

}  // namespace
}  // namespace sluice::state
