// SPDX-License-Identifier: Apache-2.0
#include "telemetry/prometheus_text.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace sluice::telemetry {
namespace {

std::string number(double value) {
    std::string out;
    append_number(out, value);
    return out;
}

std::string seconds(std::uint64_t nanoseconds) {
    std::string out;
    append_seconds(out, nanoseconds);
    return out;
}

TEST(PrometheusText, WritesNumbersAsTheFormatWants) {
    EXPECT_EQ(number(0), "0");
    EXPECT_EQ(number(1'000'000), "1000000");
    EXPECT_EQ(number(-3), "-3");
    EXPECT_EQ(number(0.0005), "0.0005");
    EXPECT_EQ(number(2.5), "2.5");
    EXPECT_EQ(number(1e300), "1e+300");
    EXPECT_EQ(number(std::numeric_limits<double>::infinity()), "+Inf");
    EXPECT_EQ(number(-std::numeric_limits<double>::infinity()), "-Inf");
    EXPECT_EQ(number(std::numeric_limits<double>::quiet_NaN()), "NaN");
}

TEST(PrometheusText, KeepsEveryNanosecondOfASum) {
    EXPECT_EQ(seconds(0), "0");
    EXPECT_EQ(seconds(1), "0.000000001");
    EXPECT_EQ(seconds(1'500'000'000), "1.5");
    EXPECT_EQ(seconds(9'007'199'254'740'993), "9007199.254740993");
    EXPECT_EQ(seconds(std::numeric_limits<std::uint64_t>::max()), "18446744073.709551615");
}

TEST(PrometheusText, ReplacesOnlyWhatIsNotUtf8) {
    EXPECT_EQ(valid_utf8("caf\xC3\xA9"), "caf\xC3\xA9");
    EXPECT_EQ(valid_utf8("\xFFx\xC3"), "\xEF\xBF\xBDx\xEF\xBF\xBD");
}

}  // namespace
}  // namespace sluice::telemetry
