// SPDX-License-Identifier: Apache-2.0
#include "sluice/base/buffer.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace sluice {
namespace {

TEST(Buffer, HoldsNoMemoryUntilUsed) {
    const Buffer buffer;
    EXPECT_TRUE(buffer.empty());
    EXPECT_EQ(buffer.capacity(), 0U);
    EXPECT_EQ(buffer.view(), "");
}

TEST(Buffer, IsConsumedFromTheFrontAndFilledAtTheBack) {
    Buffer buffer;
    buffer.append("hello world");
    buffer.consume(6);
    EXPECT_EQ(buffer.view(), "world");
    buffer.append("!");
    EXPECT_EQ(buffer.view(), "world!");
    EXPECT_EQ(buffer.size(), 6U);
    buffer.clear();
    EXPECT_TRUE(buffer.empty());
    EXPECT_GT(buffer.capacity(), 0U);
}

TEST(Buffer, MovesItsBytesToTheFrontBeforeItGrows) {
    Buffer buffer;
    buffer.append(std::string(100, 'a') + "tail");
    const std::size_t capacity = buffer.capacity();
    buffer.consume(100);
    buffer.reserve(capacity - 4);
    EXPECT_EQ(buffer.capacity(), capacity);
    EXPECT_EQ(buffer.view(), "tail");
    EXPECT_GE(buffer.room(), capacity - 4);
}

TEST(Buffer, KeepsItsBytesWhenItGrows) {
    Buffer buffer;
    buffer.append("front");
    buffer.consume(1);
    buffer.reserve(5000);
    EXPECT_EQ(buffer.view(), "ront");
    EXPECT_GE(buffer.room(), 5000U);
}

TEST(Buffer, LeavesNothingBehindWhenMovedFrom) {
    Buffer a;
    a.append("bytes");
    Buffer b{std::move(a)};
    EXPECT_EQ(b.view(), "bytes");
    EXPECT_EQ(a.capacity(), 0U);  // NOLINT: what is left is the point
    a.append("new");
    b = std::move(a);
    EXPECT_EQ(b.view(), "new");
    EXPECT_EQ(a.capacity(), 0U);
    Buffer& self = b;
    b = std::move(self);
    EXPECT_EQ(b.view(), "new");
}

TEST(Buffer, GivesItsMemoryBack) {
    Buffer buffer;
    buffer.append(std::string(3000, 'x'));
    buffer.release();
    EXPECT_EQ(buffer.capacity(), 0U);
    EXPECT_TRUE(buffer.empty());
    buffer.append("again");
    EXPECT_EQ(buffer.view(), "again");
}

TEST(Buffer, BehavesLikeAString) {
    std::mt19937 random{7};
    Buffer buffer;
    std::string model;
    for (int step = 0; step < 20'000; ++step) {
        const std::size_t n = random() % 700;
        switch (random() % 4) {
            case 0:
            case 1: {
                const std::string bytes(n, static_cast<char>('a' + random() % 26));
                buffer.append(bytes);
                model += bytes;
                break;
            }
            case 2:
                buffer.consume(std::min(n, buffer.size()));
                model.erase(0, std::min(n, model.size()));
                break;
            default:
                if (random() % 50 == 0) {
                    buffer.release();
                    model.clear();
                } else {
                    buffer.reserve(n);
                }
        }
        ASSERT_EQ(buffer.view(), model) << "step " << step;
    }
}

}  // namespace
}  // namespace sluice
