// SPDX-License-Identifier: Apache-2.0
#include "net/timer_wheel.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <random>
#include <vector>

namespace sluice::net {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr TimePoint kStart{seconds{1'000'000}};

struct TestTimer final : Timer {
    void expired() override {
        ++count;
        if (then) then();
    }
    int count = 0;
    std::function<void()> then{};
};

TEST(TimerWheel, IsNeverEarlyAndAtMostOneTickLate) {
    for (int us = 0; us < 40'000; us += 777) {
        TimerWheel wheel{kStart};
        TestTimer timer;
        const TimePoint deadline = kStart + microseconds{us};
        wheel.arm(timer, deadline);
        wheel.advance(deadline - microseconds{1});
        ASSERT_EQ(timer.count, 0) << us;
        wheel.advance(deadline + TimerWheel::kTick);
        ASSERT_EQ(timer.count, 1) << us;
        EXPECT_FALSE(timer.is_set());
    }
}

TEST(TimerWheel, FollowsADeadlineThatMovesLater) {
    TimerWheel wheel{kStart};
    TestTimer timer;
    for (int i = 0; i < 100; ++i) {
        wheel.advance(kStart + milliseconds{10 * i});
        wheel.arm(timer, kStart + milliseconds{10 * i + 100});
    }
    EXPECT_EQ(timer.count, 0);
    wheel.advance(kStart + milliseconds{1089});
    EXPECT_EQ(timer.count, 0);
    wheel.advance(kStart + milliseconds{1098});
    EXPECT_EQ(timer.count, 1);
}

TEST(TimerWheel, FollowsADeadlineThatMovesEarlier) {
    TimerWheel wheel{kStart};
    TestTimer timer;
    wheel.arm(timer, kStart + seconds{5});
    wheel.arm(timer, kStart + milliseconds{50});
    wheel.advance(kStart + milliseconds{58});
    EXPECT_EQ(timer.count, 1);
}

TEST(TimerWheel, KeepsDeadlinesBeyondOneRound) {
    TimerWheel wheel{kStart};
    TestTimer timer;
    wheel.arm(timer, kStart + seconds{60});
    for (int s = 1; s < 60; ++s) {
        wheel.advance(kStart + seconds{s});
        ASSERT_EQ(timer.count, 0) << s;
    }
    wheel.advance(kStart + seconds{60} + TimerWheel::kTick);
    EXPECT_EQ(timer.count, 1);
}

TEST(TimerWheel, LeavesDisarmedTimersAlone) {
    TimerWheel wheel{kStart};
    TestTimer timer;
    wheel.arm(timer, kStart + milliseconds{20});
    timer.disarm();
    wheel.advance(kStart + seconds{1});
    EXPECT_EQ(timer.count, 0);
    wheel.arm(timer, TimePoint::max());
    wheel.advance(kStart + seconds{100});
    EXPECT_EQ(timer.count, 0);
    wheel.arm(timer, kStart + seconds{101});
    wheel.advance(kStart + seconds{102});
    EXPECT_EQ(timer.count, 1);
}

TEST(TimerWheel, CatchesUpAfterALongPause) {
    TimerWheel wheel{kStart};
    std::vector<std::unique_ptr<TestTimer>> timers;
    for (int i = 0; i < 50; ++i) {
        timers.push_back(std::make_unique<TestTimer>());
        wheel.arm(*timers.back(), kStart + seconds{i});
    }
    wheel.advance(kStart + std::chrono::hours{1});
    for (const auto& timer : timers)
        EXPECT_EQ(timer->count, 1);
    TestTimer later;
    wheel.arm(later, kStart + std::chrono::hours{1} + milliseconds{10});
    wheel.advance(kStart + std::chrono::hours{1} + milliseconds{18});
    EXPECT_EQ(later.count, 1);
}

TEST(TimerWheel, LetsAnExpiredTimerArmItselfAgain) {
    TimerWheel wheel{kStart};
    TestTimer timer;
    TimePoint now = kStart;
    timer.then = [&] { wheel.arm(timer, now + milliseconds{100}); };
    wheel.arm(timer, now + milliseconds{100});
    for (int i = 0; i < 1000; ++i) {
        now += milliseconds{10};
        wheel.advance(now);
    }
    // Every round takes 100 ms, up to a tick and this loop's own 10 ms more.
    EXPECT_GE(timer.count, 10'000 / 118);
    EXPECT_LE(timer.count, 100);
}

TEST(TimerWheel, LetsAnExpiredTimerDestroyItsNeighbour) {
    TimerWheel wheel{kStart};
    TestTimer first;
    auto second = std::make_unique<TestTimer>();
    auto third = std::make_unique<TestTimer>();
    first.then = [&] { second.reset(); };
    third->then = [&] { third.reset(); };
    wheel.arm(first, kStart + milliseconds{20});
    wheel.arm(*second, kStart + milliseconds{20});
    wheel.arm(*third, kStart + milliseconds{20});
    wheel.advance(kStart + milliseconds{40});
    EXPECT_EQ(first.count, 1);
    EXPECT_FALSE(second);
    EXPECT_FALSE(third);
}

TEST(TimerWheel, ForgetsTimersThatAreDestroyedBeforeIt) {
    TimerWheel wheel{kStart};
    {
        TestTimer timer;
        wheel.arm(timer, kStart + milliseconds{20});
    }
    wheel.advance(kStart + seconds{1});
}

TEST(TimerWheel, LetsTimersOutliveIt) {
    TestTimer timer;
    {
        TimerWheel wheel{kStart};
        wheel.arm(timer, kStart + milliseconds{20});
    }
    EXPECT_EQ(timer.count, 0);
}

TEST(TimerWheel, SaysWhenToLookNext) {
    TimerWheel wheel{kStart};
    EXPECT_EQ(wheel.next(), TimePoint::max());
    TestTimer timer;
    wheel.arm(timer, kStart + seconds{3});
    const TimePoint next = wheel.next();
    EXPECT_GE(next, kStart + seconds{3});
    EXPECT_LE(next, kStart + seconds{3} + TimerWheel::kTick);
    wheel.advance(next);
    EXPECT_EQ(timer.count, 1);
    EXPECT_EQ(wheel.next(), TimePoint::max());
}

/// Sleeping until next() and no longer must serve every timer in time, whatever happens to it.
TEST(TimerWheel, ServesRandomDeadlinesInTime) {
    std::mt19937 random{42};
    const auto up_to = [&](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };
    TimerWheel wheel{kStart};
    TimePoint now = kStart;
    std::vector<std::unique_ptr<TestTimer>> timers;
    std::vector<TimePoint> due(60, TimePoint::max());
    for (std::size_t i = 0; i < due.size(); ++i) {
        timers.push_back(std::make_unique<TestTimer>());
        timers[i]->then = [&, i] {
            EXPECT_GE(now, due[i]) << "early";
            due[i] = TimePoint::max();
        };
    }
    for (int step = 0; step < 20'000; ++step) {
        const auto i = static_cast<std::size_t>(up_to(60));
        if (up_to(8) == 0) {
            timers[i]->disarm();
            due[i] = TimePoint::max();
        } else {
            due[i] = now + milliseconds{up_to(4) == 0 ? up_to(20'000) : up_to(200)};
            wheel.arm(*timers[i], due[i]);
        }
        const TimePoint next = wheel.next();
        now += microseconds{up_to(12'000)};
        if (next != TimePoint::max() && up_to(3) == 0) now = std::max(now, next);
        wheel.advance(now);
        for (const TimePoint t : due)
            ASSERT_GT(t, now - TimerWheel::kTick) << "late";
    }
}

}  // namespace
}  // namespace sluice::net
