// SPDX-License-Identifier: Apache-2.0
#include "http/body_framing.hpp"

#include <gtest/gtest.h>

#include <string>

namespace sluice::http {
namespace {

struct Taken {
    std::string body{};
    std::string rest{};
    bool malformed = false;
    bool finished = false;
};

/// Feeds the bytes in pieces of `step`.
Taken take(BodyFraming framing, const std::string& bytes, std::size_t step) {
    Taken taken;
    for (std::size_t at = 0; at < bytes.size();) {
        std::string piece = bytes.substr(at, step);
        const auto p = framing.take(piece.data(), piece.size());
        taken.body.append(piece, 0, p.data);
        taken.malformed = p.malformed;
        at += p.consumed;
        if (p.malformed || p.consumed < piece.size()) {
            taken.rest = bytes.substr(at);
            break;
        }
    }
    taken.finished = framing.finished();
    return taken;
}

TEST(BodyFraming, IsFinishedAtOnceWithoutABody) {
    BodyFraming none{Framing::none, 0};
    EXPECT_TRUE(none.finished());
    EXPECT_TRUE(BodyFraming(Framing::none, 5).finished()) << "the length of a HEAD's answer";
    EXPECT_TRUE(BodyFraming(Framing::length, 0).finished());
    EXPECT_TRUE(BodyFraming{}.finished());
    char next[] = "GET";
    EXPECT_EQ(none.take(next, 3).consumed, 0U);
}

TEST(BodyFraming, TakesAsManyBytesAsTheLengthSays) {
    for (const std::size_t step : {1U, 2U, 100U}) {
        const Taken t = take({Framing::length, 5}, "helloNEXT", step);
        EXPECT_EQ(t.body, "hello");
        EXPECT_EQ(t.rest, "NEXT");
        EXPECT_TRUE(t.finished);
    }
    EXPECT_FALSE(take({Framing::length, 5}, "hell", 10).finished);
}

TEST(BodyFraming, MovesChunksTogetherInPlace) {
    for (const std::size_t step : {1U, 3U, 7U, 100U}) {
        const Taken t =
            take({Framing::chunked, 0},
                 "5\r\nhello\r\n1;x=y\r\n \r\n5\r\nworld\r\n0\r\nT: v\r\n\r\nNEXT", step);
        EXPECT_EQ(t.body, "hello world") << step;
        EXPECT_EQ(t.rest, "NEXT") << step;
        EXPECT_TRUE(t.finished) << step;
        EXPECT_FALSE(t.malformed) << step;
    }
}

TEST(BodyFraming, RefusesABrokenChunk) {
    EXPECT_TRUE(take({Framing::chunked, 0}, "5\r\nhelloX", 100).malformed);
    EXPECT_TRUE(take({Framing::chunked, 0}, "-1\r\n", 100).malformed);
}

TEST(BodyFraming, IsCompleteAtTheEndOfTheConnectionOnlyWhereNothingElseMarksIt) {
    BodyFraming until_close{Framing::until_close, 0};
    char bytes[] = "abc";
    const auto piece = until_close.take(bytes, 3);
    EXPECT_EQ(piece.data, 3U);
    EXPECT_EQ(piece.consumed, 3U);
    EXPECT_FALSE(until_close.finished());
    EXPECT_TRUE(until_close.complete_at_eof());
    EXPECT_FALSE(BodyFraming(Framing::length, 1).complete_at_eof());
    EXPECT_FALSE(BodyFraming(Framing::chunked, 0).complete_at_eof());
    EXPECT_TRUE(BodyFraming(Framing::length, 0).complete_at_eof());
}

}  // namespace
}  // namespace sluice::http
