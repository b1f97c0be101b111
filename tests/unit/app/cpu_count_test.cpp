// SPDX-License-Identifier: Apache-2.0
#include "app/cpu_count.hpp"

#include <gtest/gtest.h>
#include <sched.h>

#include <thread>

namespace sluice::app {
namespace {

TEST(UsableCpus, IsAtLeastOneAndAtMostWhatTheProcessMayRunOn) {
    cpu_set_t set;
    CPU_ZERO(&set);
    ASSERT_EQ(::sched_getaffinity(0, sizeof set, &set), 0);
    EXPECT_GE(usable_cpus(), 1U);
    EXPECT_LE(usable_cpus(), static_cast<unsigned>(CPU_COUNT(&set)));
}

TEST(UsableCpus, FollowsTheAffinityMask) {
    unsigned count = 0;
    std::thread{[&] {  // the mask belongs to the thread, and ends with it
        cpu_set_t set;
        CPU_ZERO(&set);
        ::sched_getaffinity(0, sizeof set, &set);
        int first = 0;
        while (!CPU_ISSET(first, &set))
            ++first;
        CPU_ZERO(&set);
        CPU_SET(first, &set);
        ::sched_setaffinity(0, sizeof set, &set);
        count = usable_cpus();
    }}
        .join();
    EXPECT_EQ(count, 1U);
}

}  // namespace
}  // namespace sluice::app
