// SPDX-License-Identifier: Apache-2.0
#include "sluice/telemetry/log.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <thread>

#include "unit/telemetry/files.hpp"

namespace sluice::log {
namespace {

class LogTest : public ::testing::Test {
protected:
    void TearDown() override { stop(); }

    void begin(config::LogFormat format, Level level = Level::info) {
        config::Log settings;
        settings.file = (folder / "log").string();
        settings.format = format;
        settings.level = level;
        std::string problem;
        ASSERT_TRUE(start(settings, problem)) << problem;
    }
    std::vector<std::string> lines() {
        flush();
        return test::split_lines(test::read_file(folder / "log"));
    }

    test::TempFolder folder;
};

TEST_F(LogTest, WritesTextWithTimeAndLevel) {
    begin(config::LogFormat::text);
    info("listening on {}:{}", "127.0.0.1", 8080);
    warn("100%");
    const auto written = lines();
    ASSERT_EQ(written.size(), 2u);
    const std::string shape = "0000-00-00T00:00:00.000Z info listening on 127.0.0.1:8080";
    ASSERT_EQ(written[0].size(), shape.size()) << written[0];
    EXPECT_EQ(written[0].substr(23), shape.substr(23));
    for (std::size_t i = 0; i < 23; ++i) {
        const bool digit = written[0][i] >= '0' && written[0][i] <= '9';
        EXPECT_EQ(digit ? '0' : written[0][i], shape[i]) << written[0];
    }
    EXPECT_TRUE(written[1].ends_with("Z warning 100%")) << written[1];
}

TEST_F(LogTest, WritesJsonThatReadsBackAsSaid) {
    begin(config::LogFormat::json);
    const std::string hostile = "a\"b\\c\nd {} %v \x01 \xC3\xA9";
    error("{}", hostile);
    write(Level::warn, "\xFF{}");
    const auto written = lines();
    ASSERT_EQ(written.size(), 2u);
    const auto parsed = nlohmann::json::parse(written[0]);
    EXPECT_EQ(parsed["message"], hostile);
    EXPECT_EQ(parsed["level"], "error");
    EXPECT_EQ(parsed.size(), 3u);
    EXPECT_EQ(nlohmann::json::parse(written[1])["message"], "\xC3\xBF{}");
}

TEST_F(LogTest, LetsNobodyForgeALine) {
    begin(config::LogFormat::text);
    info("path {}", "/x\n2026-01-01T00:00:00.000Z error forged\x1B[2J");
    const auto written = lines();
    ASSERT_EQ(written.size(), 1u);
    EXPECT_TRUE(written[0].ends_with("path /x\\x0A2026-01-01T00:00:00.000Z error forged\\x1B[2J"));
}

TEST_F(LogTest, LeavesOutWhatIsBelowTheLevel) {
    begin(config::LogFormat::text, Level::warn);
    EXPECT_FALSE(enabled(Level::info));
    info("no");
    warn("yes");
    begin(config::LogFormat::text, Level::debug);  // a reload with another level
    debug("yes");
    begin(config::LogFormat::text, Level::off);
    error("no");
    EXPECT_EQ(lines().size(), 2u);
}

TEST_F(LogTest, KeepsTheOldFileWhenTheNewOneCannotBeOpened) {
    begin(config::LogFormat::text);
    config::Log broken;
    broken.file = (folder / "absent/log").string();
    std::string problem;
    EXPECT_FALSE(start(broken, problem));
    EXPECT_EQ(problem, broken.file + ": No such file or directory");
    info("still here");
    EXPECT_EQ(lines().size(), 1u);
}

TEST_F(LogTest, LosesNoLineWhileItRotates) {
    begin(config::LogFormat::text);
    constexpr int kThreads = 3, kLines = 2000, kRotations = 10;
    const std::uint64_t dropped_before = dropped();
    std::vector<std::thread> threads;
    for (int thread = 0; thread < kThreads; ++thread) {
        threads.emplace_back([thread] {
            for (int i = 0; i < kLines; ++i)
                info("{} {}", thread, i);
        });
    }
    for (int i = 0; i < kRotations; ++i) {
        std::filesystem::rename(folder / "log", folder / ("log." + std::to_string(i)));
        reopen();
    }
    for (auto& thread : threads)
        thread.join();
    std::size_t found = lines().size();
    for (int i = 0; i < kRotations; ++i) {
        found += test::split_lines(test::read_file(folder / ("log." + std::to_string(i)))).size();
    }
    EXPECT_EQ(found + dropped() - dropped_before, std::size_t{kThreads} * kLines);
    EXPECT_EQ(dropped(), dropped_before);  // 6000 lines fit the queue
}

TEST_F(LogTest, WritesEverythingBeforeItStops) {
    begin(config::LogFormat::text);
    for (int i = 0; i < 5000; ++i)
        info("{}", i);
    stop();
    const auto written = test::split_lines(test::read_file(folder / "log"));
    ASSERT_EQ(written.size(), 5000u);
    EXPECT_TRUE(written.back().ends_with(" 4999"));
}

TEST_F(LogTest, NeverWaitsForWhoReadsAndCountsWhatItDrops) {
    const std::string path = (folder / "fifo").string();
    ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
    const int reader = open(path.c_str(), O_RDONLY | O_NONBLOCK);
    config::Log settings;
    settings.file = path;
    std::string problem;
    ASSERT_TRUE(start(settings, problem)) << problem;
    const std::uint64_t dropped_before = dropped();
    constexpr std::size_t kLines = 20'000;
    for (std::size_t i = 0; i < kLines; ++i)
        info("{:0100}", i);  // returns though nobody reads
    EXPECT_GT(dropped(), dropped_before);
    stop();
    std::string read(1 << 20, '\0');
    const ssize_t size = ::read(reader, read.data(), read.size());
    read.resize(static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
    EXPECT_EQ(test::split_lines(read).size() + dropped() - dropped_before, kLines);
    close(reader);
}

TEST_F(LogTest, SpeaksBeforeItStarts) {
    ::testing::internal::CaptureStderr();
    info("early {}", 1);
    EXPECT_NE(::testing::internal::GetCapturedStderr().find(" info early 1\n"), std::string::npos);
}

}  // namespace
}  // namespace sluice::log
