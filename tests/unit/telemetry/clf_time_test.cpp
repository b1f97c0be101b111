// SPDX-License-Identifier: Apache-2.0
#include "telemetry/clf_time.hpp"

#include <gtest/gtest.h>

#include <ctime>
#include <random>

namespace sluice::telemetry {
namespace {

using namespace std::chrono_literals;

TEST(ClfTime, IsTheTimeInUtc) {
    EXPECT_EQ(clf_time(WallTime(0ms)), "01/Jan/1970:00:00:00 +0000");
    EXPECT_EQ(clf_time(WallTime(1709251199999ms)), "29/Feb/2024:23:59:59 +0000");
    EXPECT_EQ(clf_time(WallTime(1709251200000ms)), "01/Mar/2024:00:00:00 +0000");
    EXPECT_EQ(clf_time(WallTime(-1ms)), "31/Dec/1969:23:59:59 +0000");
}

TEST(ClfTime, AgreesWithTheLibrary) {
    std::mt19937_64 random(1);
    for (int i = 0; i < 10'000; ++i) {
        const auto second = static_cast<std::time_t>(random() % 8'000'000'000);
        std::tm parts{};
        gmtime_r(&second, &parts);
        char expected[64];
        std::strftime(expected, sizeof expected, "%d/%b/%Y:%H:%M:%S +0000", &parts);
        ASSERT_EQ(clf_time(WallTime(std::chrono::seconds(second))), expected);
    }
}

}  // namespace
}  // namespace sluice::telemetry
