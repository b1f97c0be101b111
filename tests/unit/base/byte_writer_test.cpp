// SPDX-License-Identifier: Apache-2.0
#include "sluice/base/byte_writer.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <limits>
#include <string>

namespace sluice {
namespace {

TEST(ByteWriter, WritesTextNumbersAndFields) {
    ByteWriter out{64};
    out.text("HTTP/1.1 ").number(200).text(" OK\r\n").field("Age", "7").field("Empty", "");
    EXPECT_EQ(out.view(), "HTTP/1.1 200 OK\r\nAge: 7\r\nEmpty: \r\n");
    EXPECT_EQ(out.size(), out.view().size());
}

TEST(ByteWriter, WritesTheSmallestAndTheLargestNumber) {
    ByteWriter out{1};
    out.number(0).text(" ").number(std::numeric_limits<std::uint64_t>::max());
    EXPECT_EQ(out.view(), "0 18446744073709551615");
}

TEST(ByteWriter, GrowsWithoutLosingWhatIsThere) {
    ByteWriter out{1};
    std::string expected;
    for (int i = 0; i < 500; ++i) {
        const std::string value(static_cast<std::size_t>(i), 'v');
        out.field("n", value);
        expected += "n: " + value + "\r\n";
    }
    EXPECT_EQ(out.view(), expected);
}

TEST(ByteWriter, StartsAnewInTheSameMemory) {
    ByteWriter out{16};
    out.text("first");
    const char* memory = out.data();
    out.clear();
    out.text("next");
    EXPECT_EQ(out.view(), "next");
    EXPECT_EQ(out.data(), memory);
}

TEST(ByteWriter, LetsSomebodyElseWriteAtItsEnd) {
    ByteWriter out{4};
    out.text("ab");
    out.reserve(100);
    std::memset(out.end(), 'c', 100);
    out.advance_to(out.end() + 3);
    EXPECT_EQ(out.view(), "abccc");
}

}  // namespace
}  // namespace sluice
