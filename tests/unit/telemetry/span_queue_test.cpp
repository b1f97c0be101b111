// SPDX-License-Identifier: Apache-2.0
#include "telemetry/span_queue.hpp"

#include <gtest/gtest.h>

#include <thread>

namespace sluice::telemetry {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

Span span_named(const std::string& name) {
    Span span;
    span.name = name;
    return span;
}

TEST(SpanQueueTest, WhatAWorkerFlushedIsTaken) {
    SpanQueue queue{2};
    queue.add(0, span_named("a"));
    queue.add(1, span_named("b"));
    queue.flush(0);
    queue.flush(1);
    const auto taken = queue.take(2, hours{1});
    ASSERT_EQ(taken.size(), 2U);
    EXPECT_EQ(taken[0].name, "a");
    EXPECT_EQ(taken[1].name, "b");
}

TEST(SpanQueueTest, AFullBufferIsHandedOverByItself) {
    SpanQueue queue{1};
    for (int i = 0; i < 64; ++i)
        queue.add(0, span_named("x"));
    EXPECT_EQ(queue.take(64, hours{1}).size(), 64U);
}

TEST(SpanQueueTest, AShortBatchComesAfterTheDelay) {
    SpanQueue queue{1};
    queue.add(0, span_named("x"));
    queue.flush(0);
    EXPECT_EQ(queue.take(100, milliseconds{5}).size(), 1U);
}

TEST(SpanQueueTest, BatchesAreBounded) {
    SpanQueue queue{1};
    for (int i = 0; i < 5; ++i)
        queue.add(0, span_named(std::to_string(i)));
    queue.flush(0);
    EXPECT_EQ(queue.take(2, hours{1}).size(), 2U);
    EXPECT_EQ(queue.take(2, hours{1}).at(0).name, "2");
    EXPECT_EQ(queue.take(1, hours{1}).at(0).name, "4");
}

TEST(SpanQueueTest, BeyondTheBoundSpansAreDroppedAndCounted) {
    SpanQueue queue{1};
    queue.set_limit(10);
    for (int i = 0; i < 25; ++i)
        queue.add(0, span_named("x"));
    queue.flush(0);
    EXPECT_EQ(queue.dropped(), 15U);
    EXPECT_EQ(queue.take(10, hours{1}).size(), 10U);
    queue.add(0, span_named("y"));
    queue.flush(0);
    EXPECT_EQ(queue.dropped(), 15U) << "there is room again";
}

TEST(SpanQueueTest, ClosingEndsTheWaitAndLosesNothing) {
    SpanQueue queue{1};
    queue.add(0, span_named("x"));
    queue.flush(0);
    queue.close();
    EXPECT_EQ(queue.take(100, hours{1}).size(), 1U);
    EXPECT_TRUE(queue.take(100, hours{1}).empty());
    EXPECT_TRUE(queue.wait_closed(hours{1}));
}

TEST(SpanQueueTest, NothingIsLostBetweenThreads) {
    constexpr int kEach = 5'000;
    SpanQueue queue{2};
    queue.set_limit(2 * kEach);
    std::thread first{[&] {
        for (int i = 0; i < kEach; ++i)
            queue.add(0, span_named("a"));
        queue.flush(0);
    }};
    std::thread second{[&] {
        for (int i = 0; i < kEach; ++i)
            queue.add(1, span_named("b"));
        queue.flush(1);
    }};
    std::size_t taken = 0;
    while (taken < 2 * kEach)
        taken += queue.take(100, milliseconds{10}).size();
    first.join();
    second.join();
    EXPECT_EQ(taken, 2U * kEach);
    EXPECT_EQ(queue.dropped(), 0U);
}

}  // namespace
}  // namespace sluice::telemetry
