// SPDX-License-Identifier: Apache-2.0
#include "telemetry/process_metrics.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <ctime>

namespace sluice::telemetry {
namespace {

double value(std::string_view name) {
    std::string text;
    write_process_metrics(text);
    const auto at = text.find("\n" + std::string(name) + " ");
    if (at == std::string::npos) return -1;
    return std::stod(text.substr(at + name.size() + 2));
}

TEST(ProcessMetrics, DescribeThisProcess) {
    EXPECT_GT(value("process_resident_memory_bytes"), 1e5);
    EXPECT_GT(value("process_virtual_memory_bytes"), value("process_resident_memory_bytes"));
    EXPECT_GT(value("process_max_fds"), 3);
    const auto now = static_cast<double>(std::time(nullptr));
    EXPECT_LT(value("process_start_time_seconds"), now + 2);
    EXPECT_GT(value("process_start_time_seconds"), now - 3600);
}

TEST(ProcessMetrics, SeeDescriptorsOpened) {
    const double before = value("process_open_fds");
    const int opened = open("/dev/null", O_RDONLY);
    EXPECT_EQ(value("process_open_fds"), before + 1);
    close(opened);
}

TEST(ProcessMetrics, SeeTimeSpent) {
    const double before = value("process_cpu_seconds_total");
    ASSERT_GE(before, 0);
    const std::clock_t until = std::clock() + CLOCKS_PER_SEC / 20;
    while (std::clock() < until) {
    }
    EXPECT_GT(value("process_cpu_seconds_total"), before);
}

}  // namespace
}  // namespace sluice::telemetry
