// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "sluice/base/time.hpp"

namespace sluice {
namespace {

using std::chrono::milliseconds;

TEST(Calendar, SaysWhatTheSystemSays) {
    Calendar calendar;
    const WallTime before = wall_now();
    const WallTime said = calendar.at(std::chrono::steady_clock::now());
    const WallTime after = wall_now();
    EXPECT_GE(said, before - milliseconds{1});
    EXPECT_LE(said, after);
}

TEST(Calendar, MovesWithMonotonicTimeBetweenTwoAnswersOfTheSystem) {
    Calendar calendar;
    const TimePoint start = std::chrono::steady_clock::now();
    const WallTime first = calendar.at(start);
    EXPECT_EQ(calendar.at(start), first);
    const auto later = calendar.at(start + milliseconds{50}) - first;
    EXPECT_GE(later, milliseconds{50});
    EXPECT_LE(later, milliseconds{51});
}

/// A point of another batch, long ago or not yet: the system is asked, and the distance counts.
TEST(Calendar, PointsFarAwayAreAsFarAwayInTheCalendar) {
    Calendar calendar;
    const TimePoint start = std::chrono::steady_clock::now();
    const WallTime first = calendar.at(start);
    for (const milliseconds distance : {milliseconds{-5000}, milliseconds{7000}}) {
        const auto passed = calendar.at(start + distance) - first;
        EXPECT_NEAR(static_cast<double>(passed.count()), static_cast<double>(distance.count()), 3);
    }
}

}  // namespace
}  // namespace sluice
