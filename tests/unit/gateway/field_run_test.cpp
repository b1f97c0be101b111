// SPDX-License-Identifier: Apache-2.0
#include "gateway/field_run.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace sluice::gateway {
namespace {

/// Reads the head and writes the fields that `chosen` names by their place.
std::string written(const std::string& lines, const std::vector<std::size_t>& chosen) {
    const std::string bytes = "GET / HTTP/1.1\r\nHost: h\r\n" + lines + "\r\n";
    http::RequestHead head;
    EXPECT_EQ(http::read_request_head(bytes, {}, head).state, http::HeadResult::State::complete);
    ByteWriter out{16};
    FieldRun run{out};
    for (const std::size_t place : chosen)
        run.add(head.fields.all()[place]);
    run.flush();
    return std::string{out.view()};
}

TEST(FieldRun, WritesWhatIsAsked) {
    const std::string lines = "A: 1\r\nB: 2\r\nC: 3\r\nD: 4\r\n";
    EXPECT_EQ(written(lines, {1, 2, 3, 4}), lines);
    EXPECT_EQ(written(lines, {1, 3, 4}), "A: 1\r\nC: 3\r\nD: 4\r\n");
    EXPECT_EQ(written(lines, {2, 4}), "B: 2\r\nD: 4\r\n");
    EXPECT_EQ(written(lines, {4, 3}), "D: 4\r\nC: 3\r\n");
    EXPECT_EQ(written(lines, {}), "");
}

TEST(FieldRun, WritesOneFormWhateverTheBlanks) {
    const std::string lines = "A:1\r\nB:\t2\r\nC:  3\r\nD: 4 \r\nE: 5\t\r\nF: 6\r\nG: 7\r\n";
    EXPECT_EQ(written(lines, {1, 2, 3, 4, 5, 6, 7}),
              "A: 1\r\nB: 2\r\nC: 3\r\nD: 4\r\nE: 5\r\nF: 6\r\nG: 7\r\n");
}

TEST(FieldRun, WritesEmptyValues) {
    const std::string lines = "A:\r\nB: \r\nC:   \r\nD: 4\r\n";
    EXPECT_EQ(written(lines, {1, 2, 3, 4}), "A: \r\nB: \r\nC: \r\nD: 4\r\n");
}

TEST(FieldRun, MayBeInterrupted) {
    const std::string bytes = "GET / HTTP/1.1\r\nHost: h\r\nA: 1\r\n\r\n";
    http::RequestHead head;
    ASSERT_EQ(http::read_request_head(bytes, {}, head).state, http::HeadResult::State::complete);
    ByteWriter out{16};
    FieldRun run{out};
    run.add(head.fields.all()[0]);
    run.flush();
    out.text("x-");
    run.add(head.fields.all()[1]);
    run.flush();
    run.flush();
    EXPECT_EQ(out.view(), "Host: h\r\nx-A: 1\r\n");
}

}  // namespace
}  // namespace sluice::gateway
