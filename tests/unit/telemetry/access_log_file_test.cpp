// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <map>
#include <thread>

#include "sluice/telemetry/access_log.hpp"
#include "sluice/telemetry/log.hpp"
#include "unit/telemetry/files.hpp"

namespace sluice::telemetry {
namespace {

class AccessLogFileTest : public ::testing::Test {
protected:
    // What the writer says about broken files is not what is tested here.
    void SetUp() override {
        config::Log quiet;
        quiet.level = config::LogLevel::off;
        ASSERT_TRUE(log::start(quiet, error));
    }
    void TearDown() override {
        log::stop();
        log::start(config::Log(), error);
        log::stop();
    }

    test::TempFolder folder;
    std::atomic<std::uint64_t> dropped{0};
    std::string error;
};

void append(AccessLogFile& file, unsigned worker, const std::string& text) {
    file.buffer(worker) += text + '\n';
    file.filled(worker);
}

TEST_F(AccessLogFileTest, WritesWhatIsHandedOver) {
    AccessLogs logs(2, dropped);
    const auto file = logs.open(folder / "log", error);
    ASSERT_NE(file, nullptr) << error;
    append(*file, 0, "zero");
    append(*file, 1, "one");
    logs.drain();
    EXPECT_EQ(test::read_file(folder / "log"), "");
    file->flush(1);
    file->flush(0);
    file->flush(0);
    logs.drain();
    EXPECT_EQ(test::read_file(folder / "log"), "one\nzero\n");
    EXPECT_EQ(dropped, 0u);
}

TEST_F(AccessLogFileTest, HandsOverAFullBufferByItself) {
    AccessLogs logs(1, dropped);
    const auto file = logs.open(folder / "log", error);
    const std::string text(1023, 'x');
    for (int i = 0; i < 63; ++i)
        append(*file, 0, text);
    EXPECT_EQ(file->buffer(0).size(), 63u * 1024);
    append(*file, 0, text);
    EXPECT_EQ(file->buffer(0).size(), 0u);
    logs.drain();
    EXPECT_EQ(test::read_file(folder / "log").size(), 64u * 1024);
}

TEST_F(AccessLogFileTest, IsOneObjectForOnePath) {
    AccessLogs logs(1, dropped);
    const auto file = logs.open(folder / "log", error);
    EXPECT_EQ(logs.open(folder / "./log", error), file);
    EXPECT_EQ(logs.open(folder / "x/../log", error), file);
    EXPECT_NE(logs.open(folder / "other", error), file);
    EXPECT_EQ(logs.open("-", error), logs.open("-", error));
}

TEST_F(AccessLogFileTest, NamesAFileItCannotOpen) {
    AccessLogs logs(1, dropped);
    EXPECT_EQ(logs.open(folder / "absent/log", error), nullptr);
    EXPECT_EQ(error, (folder / "absent/log").string() + ": No such file or directory");
}

TEST_F(AccessLogFileTest, WritesEverythingBeforeItEnds) {
    {
        AccessLogs logs(1, dropped);
        const auto file = logs.open(folder / "log", error);
        for (int i = 0; i < 50'000; ++i)
            append(*file, 0, std::to_string(i));
        file->flush(0);
    }
    const auto lines = test::split_lines(test::read_file(folder / "log"));
    ASSERT_EQ(lines.size(), 50'000u);
    EXPECT_EQ(lines.back(), "49999");
    EXPECT_EQ(dropped, 0u);
}

TEST_F(AccessLogFileTest, LosesNoLineWhileFilesRotateUnderLoad) {
    constexpr unsigned kWorkers = 4;
    constexpr int kLines = 50'000, kRotations = 50;
    std::atomic<int> written{0};
    {
        AccessLogs logs(kWorkers, dropped);
        const auto file = logs.open(folder / "log", error);
        std::vector<std::thread> workers;
        for (unsigned worker = 0; worker < kWorkers; ++worker) {
            workers.emplace_back([&, worker] {
                for (int i = 0; i < kLines; ++i) {
                    append(*file, worker, std::to_string(worker) + ' ' + std::to_string(i));
                    if (i % 100 == 99) file->flush(worker);
                    ++written;
                    written.notify_all();
                }
                file->flush(worker);
            });
        }
        for (int rotation = 0; rotation < kRotations; ++rotation) {
            const int target = (rotation + 1) * static_cast<int>(kWorkers) * kLines / 60;
            for (int now = written; now < target; now = written)
                written.wait(now);
            std::filesystem::rename(folder / "log", folder / ("log." + std::to_string(rotation)));
            logs.reopen();
            logs.drain();
        }
        for (auto& worker : workers)
            worker.join();
    }
    EXPECT_EQ(dropped, 0u);
    std::map<char, int> next;
    for (int rotation = 0; rotation <= kRotations; ++rotation) {
        const bool last = rotation == kRotations;
        const std::string name = last ? "log" : "log." + std::to_string(rotation);
        for (const std::string& line : test::split_lines(test::read_file(folder / name))) {
            ASSERT_EQ(line.substr(1), ' ' + std::to_string(next[line[0]]++)) << name;
        }
    }
    for (char worker = '0'; worker < '4'; ++worker)
        EXPECT_EQ(next[worker], kLines);
}

TEST_F(AccessLogFileTest, WritesOldLinesToTheOldFile) {
    AccessLogs logs(1, dropped);
    const auto file = logs.open(folder / "log", error);
    append(*file, 0, "before");
    file->flush(0);
    std::filesystem::rename(folder / "log", folder / "log.1");
    logs.reopen();
    append(*file, 0, "after");
    file->flush(0);
    logs.drain();
    EXPECT_EQ(test::read_file(folder / "log.1"), "before\n");
    EXPECT_EQ(test::read_file(folder / "log"), "after\n");
}

TEST_F(AccessLogFileTest, CountsWhatAFullDiskLoses) {
    AccessLogs logs(2, dropped);
    const auto full = logs.open("/dev/full", error);
    const auto good = logs.open(folder / "log", error);
    for (int i = 0; i < 12'345; ++i) {
        append(*full, static_cast<unsigned>(i % 2), "lost " + std::to_string(i));
        append(*good, 0, "kept");
    }
    for (unsigned worker = 0; worker < 2; ++worker)
        full->flush(worker);
    good->flush(0);
    logs.drain();
    EXPECT_EQ(dropped, 12'345u);
    EXPECT_EQ(test::split_lines(test::read_file(folder / "log")).size(), 12'345u);
}

TEST_F(AccessLogFileTest, DropsAndCountsWhatADiskThatStallsCannotTake) {
    const std::string path = (folder / "fifo").string();
    ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
    const int reader = open(path.c_str(), O_RDONLY | O_NONBLOCK);
    constexpr std::uint64_t kLines = 25'000;
    const std::string text(1023, 'x');
    std::uint64_t read_lines = 0;
    bool whole = true;
    {
        AccessLogs logs(1, dropped);
        const auto file = logs.open(path, error);
        ASSERT_NE(file, nullptr) << error;
        for (std::uint64_t i = 0; i < kLines; ++i)
            append(*file, 0, text);  // never waits
        file->flush(0);
        // 16 MiB wait and some hundred KiB are in the pipe; the rest of 25 MB is gone.
        EXPECT_GT(dropped, kLines - 17 * 1024);
        EXPECT_LT(dropped, kLines - 16 * 1000);
        fcntl(reader, F_SETFL, 0);
        std::string line;
        std::vector<char> buffer(65'536);
        while (read_lines + dropped < kLines) {
            const ssize_t size = ::read(reader, buffer.data(), buffer.size());
            ASSERT_GT(size, 0);
            for (ssize_t i = 0; i < size; ++i) {
                if (buffer[static_cast<std::size_t>(i)] != '\n') {
                    line += buffer[static_cast<std::size_t>(i)];
                    continue;
                }
                whole &= line == text;
                line.clear();
                ++read_lines;
            }
        }
        EXPECT_TRUE(line.empty());
    }
    EXPECT_TRUE(whole);
    EXPECT_EQ(read_lines + dropped, kLines);
    close(reader);
}

TEST_F(AccessLogFileTest, EndsInTimeWhenNobodyReads) {
    const std::string path = (folder / "fifo").string();
    ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
    const int reader = open(path.c_str(), O_RDONLY | O_NONBLOCK);
    const auto started = std::chrono::steady_clock::now();
    {
        AccessLogs logs(1, dropped);
        const auto file = logs.open(path, error);
        for (int i = 0; i < 4000; ++i)
            append(*file, 0, std::string(1023, 'x'));
        file->flush(0);
    }
    EXPECT_LT(std::chrono::steady_clock::now() - started, std::chrono::seconds(20));
    std::string read(1 << 20, '\0');
    const ssize_t size = ::read(reader, read.data(), read.size());
    read.resize(static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
    EXPECT_EQ(test::split_lines(read).size() + dropped, 4000u);
    close(reader);
}

}  // namespace
}  // namespace sluice::telemetry
