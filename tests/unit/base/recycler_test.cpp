// SPDX-License-Identifier: Apache-2.0
#include "sluice/base/recycler.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <thread>
#include <vector>

namespace sluice {
namespace {

TEST(Recycler, RoundsSizesUpToTheNextClass) {
    EXPECT_EQ(recycler::usable(1), 128U);
    EXPECT_EQ(recycler::usable(128), 128U);
    EXPECT_EQ(recycler::usable(129), 256U);
    EXPECT_EQ(recycler::usable(4096), 4096U);
    EXPECT_EQ(recycler::usable(4097), 8192U);
    EXPECT_EQ(recycler::usable(524'288), 524'288U);
    EXPECT_EQ(recycler::usable(524'289), 524'289U) << "above the largest class nothing is kept";
}

TEST(Recycler, ProvidesEveryByteItPromises) {
    for (const std::size_t size : {1U, 127U, 128U, 129U, 1000U, 524'288U, 524'289U, 1'000'000U}) {
        void* block = recycler::allocate(size);
        std::memset(block, 0x5a, recycler::usable(size));  // sanitizers watch the bounds
        recycler::release(block, recycler::usable(size));
    }
}

#if !defined(__SANITIZE_ADDRESS__)
TEST(Recycler, GivesTheLastReleasedBlockOfTheClassAgain) {
    void* small = recycler::allocate(200);
    void* large = recycler::allocate(2000);
    recycler::release(small, 200);
    recycler::release(large, 2000);
    EXPECT_EQ(recycler::allocate(130), small) << "another size of the same class";
    EXPECT_EQ(recycler::allocate(2048), large);
    recycler::release(small, 130);
    recycler::release(large, 2048);
}
#endif

TEST(Recycler, KeepsBlocksOfOneThreadApartFromAnother) {
    void* mine = recycler::allocate(512);
    recycler::release(mine, 512);
    void* other = nullptr;
    std::thread{[&] {
        other = recycler::allocate(512);
        recycler::release(other, 512);
    }}.join();
    void* again = recycler::allocate(512);
    EXPECT_NE(again, other);
    recycler::release(again, 512);
}

/// Outlives the lists of its thread, which are first used after it.
struct LateRelease {
    void* block = nullptr;
    ~LateRelease() {
        if (block != nullptr) recycler::release(block, 256);
    }
};

TEST(Recycler, FreesWhatIsReleasedAfterTheListsOfItsThreadAreGone) {
    std::thread{[] {
        thread_local LateRelease late;
        late.block = nullptr;
        late.block = recycler::allocate(256);
    }}.join();  // a leak or a use of the dead list is the sanitizers' to find
}

}  // namespace
}  // namespace sluice
