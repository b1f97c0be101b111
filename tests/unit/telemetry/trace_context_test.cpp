// SPDX-License-Identifier: Apache-2.0
#include "telemetry/trace_context.hpp"

#include <gtest/gtest.h>

namespace sluice::telemetry {
namespace {

constexpr TraceId kId{0x0af7651916cd43dd, 0x8448eb211c80319c};
constexpr std::uint64_t kParent = 0xb7ad6b7169203331;
constexpr std::string_view kText = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

TEST(TraceparentTest, IsRead) {
    const auto context = read_traceparent(kText);
    ASSERT_TRUE(context);
    EXPECT_EQ(context->id, kId);
    EXPECT_EQ(context->parent, kParent);
    EXPECT_EQ(context->sampled, true);
    std::string other{kText};
    other.replace(53, 2, "fe");
    EXPECT_EQ(read_traceparent(other)->sampled, false) << "only the lowest bit";
}

TEST(TraceparentTest, LaterVersionsMayHaveMore) {
    std::string later{kText};
    later.replace(0, 2, "cc");
    EXPECT_TRUE(read_traceparent(later));
    EXPECT_TRUE(read_traceparent(later + "-what-the-future-brings"));
    EXPECT_FALSE(read_traceparent(later + ".what"));
}

TEST(TraceparentTest, WhatIsMalformedIsNotThere) {
    const auto changed = [](std::size_t at, std::string_view with) {
        std::string text{kText};
        return text.replace(at, with.size(), with);
    };
    for (const std::string& text :
         {std::string{}, std::string{kText.substr(0, 54)}, std::string{kText} + "-x",
          std::string{kText} + "0", changed(0, "ff"), changed(0, "0x"), changed(2, "_"),
          changed(3, "00000000000000000000000000000000"), changed(36, "0000000000000000"),
          changed(3, "0A"), changed(36, "B7"), changed(53, "0g"), changed(35, "0"),
          changed(52, "0"), " " + std::string{kText}}) {
        EXPECT_FALSE(read_traceparent(text)) << text;
    }
}

TEST(TraceparentTest, IsWritten) {
    ByteWriter out{64};
    write_traceparent(out, kId, kParent, true);
    write_traceparent(out, kId, 1, false);
    EXPECT_EQ(out.view(), "traceparent: " + std::string{kText} +
                              "\r\ntraceparent: 00-0af7651916cd43dd8448eb211c80319c-"
                              "0000000000000001-00\r\n");
}

TEST(AmznTraceTest, WhatIsNoFieldIsNotThere) {
    for (const std::string_view text : {"6.6.6.6", "Root", "=x", "a=", "Sampled=1;6.6.6.6"})
        EXPECT_FALSE(read_amzn_trace(text)) << text;
}

TEST(AmznTraceTest, IsReadInAnyOrder) {
    for (const std::string_view text :
         {"Root=1-0af76519-16cd43dd8448eb211c80319c;Parent=b7ad6b7169203331;Sampled=1",
          "Sampled=1; Root=1-0AF76519-16CD43DD8448EB211C80319C ;Parent=B7AD6B7169203331;"}) {
        const auto trace = read_amzn_trace(text);
        ASSERT_TRUE(trace) << text;
        EXPECT_EQ(trace->context.id, kId);
        EXPECT_EQ(trace->context.parent, kParent);
        EXPECT_EQ(trace->context.sampled, true);
        EXPECT_TRUE(trace->is_complete);
        EXPECT_EQ(trace->rest, "");
    }
}

TEST(AmznTraceTest, OtherFieldsGoOn) {
    const std::string root = "Root=1-0af76519-16cd43dd8448eb211c80319c";
    EXPECT_EQ(read_amzn_trace(root + ";Self=1-x;Lineage=a:1")->rest, "Self=1-x;Lineage=a:1");
    EXPECT_EQ(read_amzn_trace("Self=1-x;" + root)->rest, "Self=1-x");
    EXPECT_FALSE(read_amzn_trace(root)->is_complete);
    EXPECT_EQ(read_amzn_trace(root)->context.sampled, std::nullopt);
    EXPECT_FALSE(read_amzn_trace("Sampled=1")->context.id.is_set());
}

TEST(AmznTraceTest, WhatIsMalformedIsNotThere) {
    for (const std::string& text :
         {std::string{"Root=1-0af76519-16cd43dd8448eb211c80319"},
          std::string{"Root=2-0af76519-16cd43dd8448eb211c80319c"},
          std::string{"Root=1-0af76519-16cd43dd8448eb211c80319x"},
          std::string{"Root=1-00000000-000000000000000000000000"},
          "Root=1-0af76519-16cd43dd8448eb211c80319c;X=" + std::string(300, 'a'),
          std::string{"Root=1-0af76519-16cd43dd8448eb211c80319c;X=\x01"}}) {
        EXPECT_FALSE(read_amzn_trace(text)) << text;
    }
    EXPECT_EQ(read_amzn_trace("Parent=xyz;Sampled=2")->context.parent, 0U);
    EXPECT_EQ(read_amzn_trace("Parent=xyz;Sampled=2")->context.sampled, std::nullopt);
}

TEST(AmznTraceTest, IsWritten) {
    ByteWriter out{64};
    write_amzn_trace(out, kId, kParent, true, "Self=1");
    EXPECT_EQ(out.view(),
              "X-Amzn-Trace-Id: Root=1-0af76519-16cd43dd8448eb211c80319c;"
              "Parent=b7ad6b7169203331;Sampled=1;Self=1\r\n");
}

TEST(TracestateTest, IsBoundedAndPrintable) {
    EXPECT_TRUE(is_tracestate("vendor=value,other=x"));
    EXPECT_FALSE(is_tracestate(""));
    EXPECT_FALSE(is_tracestate(std::string(513, 'a')));
    EXPECT_FALSE(is_tracestate("a=\xff"));
}

}  // namespace
}  // namespace sluice::telemetry
