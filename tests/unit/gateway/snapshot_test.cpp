// SPDX-License-Identifier: Apache-2.0
#include "gateway/snapshot.hpp"

#include <gtest/gtest.h>

namespace sluice::gateway {
namespace {

TEST(Plan, CoversTheStagesItNames) {
    Plan plan;
    plan.stages = {1, 4};
    EXPECT_TRUE(plan.covers(1));
    EXPECT_TRUE(plan.covers(4));
    EXPECT_FALSE(plan.covers(0));
    EXPECT_FALSE(plan.covers(3));
    EXPECT_FALSE(Plan{}.covers(0));
}

TEST(Plan, FindsTheLimitOfAMethod) {
    std::array<Method, 5> methods{};
    Plan plan;
    for (const std::size_t i : {0U, 2U, 3U}) {
        plan.method_limits.push_back(
            {.method = &methods[i], .slot = i, .shape = state::BucketShape{1, 1}});
    }
    for (const std::size_t i : {0U, 2U, 3U}) {
        const auto* limit = plan.limit_of(methods[i]);
        ASSERT_NE(limit, nullptr) << i;
        EXPECT_EQ(limit->slot, i);
    }
    EXPECT_EQ(plan.limit_of(methods[1]), nullptr);
    EXPECT_EQ(plan.limit_of(methods[4]), nullptr);
}

TEST(Hold, KeepsTheSnapshotAndCountsItsUsersByItself) {
    auto snapshot = std::make_shared<const Snapshot>();
    const std::weak_ptr<const Snapshot> watch = snapshot;
    const LocalSnapshotPtr first = hold(snapshot);
    const LocalSnapshotPtr second = hold(snapshot);
    EXPECT_EQ(first.get(), snapshot.get());
    const long users = snapshot.use_count();
    const LocalSnapshotPtr request = first;  // what every request does
    EXPECT_EQ(first.local_use_count(), 2);
    EXPECT_EQ(second.local_use_count(), 1);
    EXPECT_EQ(snapshot.use_count(), users) << "no worker writes to another one's count";
    snapshot.reset();
    EXPECT_FALSE(watch.expired());
}

TEST(Hold, LetsTheSnapshotGoAfterTheLastRequest) {
    auto snapshot = std::make_shared<const Snapshot>();
    const std::weak_ptr<const Snapshot> watch = snapshot;
    LocalSnapshotPtr held = hold(std::move(snapshot));
    {
        const LocalSnapshotPtr request = held;
        held.reset();
        EXPECT_FALSE(watch.expired());
    }
    EXPECT_TRUE(watch.expired());
}

}  // namespace
}  // namespace sluice::gateway
