// SPDX-License-Identifier: Apache-2.0
#include "telemetry/execution_lines.hpp"

#include <gtest/gtest.h>

namespace sluice::telemetry {
namespace {

std::string line_of(std::string_view text) {
    std::string out;
    ExecutionLines{out, "id", false}.line(text);
    return out;
}

TEST(ExecutionLinesTest, ALineIsTheIdAndTheText) {
    EXPECT_EQ(line_of("Starting"), "(id) Starting\n");
    std::string out;
    ExecutionLines lines{out, "id", false};
    lines.line("Status: ", std::int64_t{200}, ", latency: ", std::int64_t{7}, " ms");
    EXPECT_EQ(out, "(id) Status: 200, latency: 7 ms\n");
}

TEST(ExecutionLinesTest, TimesAreUtcWithMilliseconds) {
    std::string out;
    ExecutionLines lines{out, "id", true};
    lines.at(WallTime{std::chrono::milliseconds{1'700'000'000'042}});
    lines.line("x");
    EXPECT_EQ(out, "2023-11-14T22:13:20.042Z (id) x\n");
}

TEST(ExecutionLinesTest, ControlCharactersAndBrokenUtf8AreEscaped) {
    EXPECT_EQ(line_of("a\nb\r\x1b\x7f"), "(id) a\\x0Ab\\x0D\\x1B\\x7F\n");
    EXPECT_EQ(line_of("\xff\xfe"), "(id) \\xFF\\xFE\n");
    EXPECT_EQ(line_of("\xe2\x80\xa8"), "(id) \\xE2\\x80\\xA8\n") << "a line separator";
    EXPECT_EQ(line_of("gr\xc3\xbc\xc3\x9f"), "(id) gr\xc3\xbc\xc3\x9f\n");
}

TEST(ExecutionLinesTest, TextIsCutAt1024Bytes) {
    EXPECT_EQ(line_of(std::string(1024, 'a')), "(id) " + std::string(1024, 'a') + "\n");
    EXPECT_EQ(line_of(std::string(1025, 'a')), "(id) " + std::string(1024, 'a') + " [TRUNCATED]\n");
    EXPECT_EQ(line_of(std::string(1'000'000, 'a')),
              "(id) " + std::string(1024, 'a') + " [TRUNCATED]\n");
}

TEST(ExecutionLinesTest, ACutSplitsNeitherCharactersNorEscapes) {
    EXPECT_EQ(line_of(std::string(1023, 'a') + "\xc3\xbc"),
              "(id) " + std::string(1023, 'a') + " [TRUNCATED]\n");
    for (std::size_t before = 1020; before < 1025; ++before) {
        const std::string line = line_of(std::string(before, 'a') + "\n\n");
        EXPECT_TRUE(line.ends_with(before == 1020 ? "a\\x0A [TRUNCATED]\n" : "a [TRUNCATED]\n"))
            << before << line.substr(line.size() - 30);
    }
}

TEST(ExecutionLinesTest, MapsAreCutAt998) {
    MapText map;
    for (int i = 0; i < 1000; ++i)
        map.add("name", "value");
    EXPECT_TRUE(map.is_full());
    std::string out;
    ExecutionLines{out, "id", false}.map("Headers: ", map.view());
    EXPECT_EQ(out.size(), std::string("(id) Headers: ").size() + 998 + kTruncated.size() + 1);
    EXPECT_TRUE(out.ends_with(" [TRUNCATED]\n"));
}

TEST(ExecutionLinesTest, MapsReadLikeJavas) {
    MapText empty;
    EXPECT_EQ(empty.view(), "{}");
    MapText map;
    map.add("a", "1");
    map.add("b", "2");
    EXPECT_EQ(map.view(), "{a=1, b=2}");
    EXPECT_EQ(map.view(), "{a=1, b=2}");
}

TEST(MaskedTest, OnlyTheLastSixAreShown) {
    EXPECT_EQ(masked(""), "");
    EXPECT_EQ(masked("secret"), "******");
    EXPECT_EQ(masked("1234567"), "*234567");
    EXPECT_EQ(masked(std::string(34, 'x') + "F0yrv6"), std::string(34, '*') + "F0yrv6");
    EXPECT_EQ(masked(std::string(100'000, 'x') + "F0yrv6"), std::string(122, '*') + "F0yrv6");
}

}  // namespace
}  // namespace sluice::telemetry
