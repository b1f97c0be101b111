// SPDX-License-Identifier: Apache-2.0
#include "http/message_parts.hpp"

#include <gtest/gtest.h>

#include <string>

namespace sluice::http {
namespace {

std::string joined(const MessageParts& parts) {
    std::string all;
    for (const iovec& part : parts.all())
        all.append(static_cast<const char*>(part.iov_base), part.iov_len);
    return all;
}

TEST(MessageParts, AreHeadAndBody) {
    const std::string head = "head:";
    const std::string body = "body";
    const MessageParts parts{Framing::length, head, body, true};
    EXPECT_EQ(joined(parts), "head:body");
    EXPECT_EQ(parts.all().size(), 2U);
}

TEST(MessageParts, AreOneWhenTheyLieSideBySide) {
    const std::string_view whole = "head:body";
    const MessageParts parts{Framing::length, whole.substr(0, 5), whole.substr(5), true};
    EXPECT_EQ(joined(parts), "head:body");
    EXPECT_EQ(parts.all().size(), 1U);
}

TEST(MessageParts, PutAChunksSizeBetweenPartsThatLieSideBySide) {
    const std::string_view whole = "head:body";
    const MessageParts parts{Framing::chunked, whole.substr(0, 5), whole.substr(5), true};
    EXPECT_EQ(joined(parts), "head:4\r\nbody\r\n0\r\n\r\n");
}

TEST(MessageParts, EndChunksEvenWithoutAPiece) {
    EXPECT_EQ(joined(MessageParts{Framing::chunked, {}, {}, true}), "0\r\n\r\n");
    EXPECT_TRUE((MessageParts{Framing::chunked, {}, {}, false}.empty()));
}

TEST(MessageParts, LeaveOutTheBodyThatMayNotBeThere) {
    EXPECT_EQ(joined(MessageParts{Framing::none, "head:", "body", true}), "head:");
}

}  // namespace
}  // namespace sluice::http
