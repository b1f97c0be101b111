// SPDX-License-Identifier: Apache-2.0
#include "telemetry/output.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "telemetry/quiet_thread.hpp"
#include "unit/telemetry/files.hpp"

namespace sluice::telemetry {
namespace {

const std::atomic<bool> kPatient{false};
const std::atomic<bool> kHurry{true};

/// Takes back a signal that a failed write left pending: it must not outlive its block.
void forget(int signal) {
    sigset_t only;
    sigemptyset(&only);
    sigaddset(&only, signal);
    const timespec now{};
    sigtimedwait(&only, nullptr, &now);
}

/// A disk that is full after `bytes`: the kernel cuts the write that crosses the limit short.
class FileSizeLimit {
public:
    explicit FileSizeLimit(rlim_t bytes) {
        getrlimit(RLIMIT_FSIZE, &before_);
        const rlimit limit{bytes, before_.rlim_max};
        setrlimit(RLIMIT_FSIZE, &limit);
    }
    ~FileSizeLimit() {
        setrlimit(RLIMIT_FSIZE, &before_);
        forget(SIGXFSZ);
    }

private:
    SignalsBlocked no_sigxfsz_;
    rlimit before_{};
};

TEST(Output, AppendsToWhatIsThere) {
    const test::TempFolder folder;
    std::ofstream(folder / "log") << "old\n";
    Output output(folder / "log", 1);
    std::string error;
    ASSERT_TRUE(output.open(error)) << error;
    EXPECT_EQ(output.write("new\n", kPatient), 0u);
    EXPECT_EQ(test::read_file(folder / "log"), "old\nnew\n");
}

TEST(Output, KeepsOtherUsersOut) {
    const test::TempFolder folder;
    Output output(folder / "log", 1);
    std::string error;
    ASSERT_TRUE(output.open(error));
    EXPECT_EQ(
        std::filesystem::status(folder / "log").permissions() & std::filesystem::perms::others_all,
        std::filesystem::perms::none);
}

TEST(Output, SaysWhyItCannotOpen) {
    const test::TempFolder folder;
    Output output(folder / "absent/log", 1);
    std::string error;
    EXPECT_FALSE(output.open(error));
    EXPECT_EQ(error, "No such file or directory");
    EXPECT_EQ(output.write("a\nb\n", kPatient), 2u);
    std::filesystem::create_directory(folder / "absent");
    EXPECT_EQ(output.write("c\n", kPatient), 0u);  // tried again by itself
    EXPECT_EQ(output.problem(), "");
    EXPECT_EQ(test::read_file(folder / "absent/log"), "c\n");
}

TEST(Output, KeepsTheOldFileWhileTheNewOneCannotBeOpened) {
    const test::TempFolder folder;
    std::filesystem::create_directory(folder / "logs");
    Output output(folder / "logs/log", 1);
    std::string error;
    ASSERT_TRUE(output.open(error));
    std::filesystem::rename(folder / "logs", folder / "moved");
    EXPECT_FALSE(output.open(error));
    EXPECT_EQ(output.write("a\n", kPatient), 0u);
    EXPECT_FALSE(output.problem().empty());
    EXPECT_EQ(test::read_file(folder / "moved/log"), "a\n");
    std::filesystem::create_directory(folder / "logs");
    EXPECT_EQ(output.write("b\n", kPatient), 0u);
    EXPECT_TRUE(output.problem().empty());
    EXPECT_EQ(test::read_file(folder / "logs/log"), "b\n");
}

TEST(Output, CountsExactlyWhatAFullDiskLoses) {
    Output output("/dev/full", 1);
    std::string error;
    ASSERT_TRUE(output.open(error));
    EXPECT_EQ(output.write("a\nb\nc\n", kPatient), 3u);
    EXPECT_EQ(output.problem(), "No space left on device");
}

TEST(Output, CutsALineThatFitsOnlyInPart) {
    for (rlim_t limit = 0; limit <= 12; ++limit) {
        const test::TempFolder folder;
        Output output(folder / "log", 1);
        std::string error;
        ASSERT_TRUE(output.open(error));
        std::size_t lost = 0;
        {
            const FileSizeLimit full(limit);
            lost = output.write("one\ntwo\nsix\n", kPatient);
        }
        EXPECT_EQ(lost, 3 - limit / 4);
        EXPECT_EQ(output.write("ten\n", kPatient), 0u);
        EXPECT_EQ(test::read_file(folder / "log"),
                  std::string("one\ntwo\nsix\n").substr(0, limit / 4 * 4) + "ten\n");
    }
}

TEST(Output, EndsATornLineThatItMayNotCut) {
    const test::TempFolder folder;
    const int shared = open((folder / "log").c_str(), O_WRONLY | O_CREAT, 0600);
    ASSERT_EQ(::write(shared, "##############", 14), 14);  // another writer, further on
    ASSERT_EQ(lseek(shared, 0, SEEK_SET), 0);
    Output output("-", shared);
    std::string error;
    ASSERT_TRUE(output.open(error));
    std::size_t lost = 0;
    {
        const FileSizeLimit full(6);
        lost = output.write("one\ntwo\nsix\n", kPatient);
    }
    EXPECT_EQ(lost, 2u);
    EXPECT_EQ(output.write("ten\n", kPatient), 0u);
    EXPECT_EQ(test::read_file(folder / "log"), "one\ntw\nten\n###");
    close(shared);
}

TEST(Output, DoesNotWaitForeverForAReader) {
    const test::TempFolder folder;
    ASSERT_EQ(mkfifo((folder / "fifo").c_str(), 0600), 0);
    Output output(folder / "fifo", 1);
    std::string error;
    EXPECT_FALSE(output.open(error));  // nobody has the other end
    const int reader = open((folder / "fifo").c_str(), O_RDONLY | O_NONBLOCK);
    std::string lines;
    for (int i = 0; i < 20'000; ++i)
        lines += "0123456789\n";
    const std::size_t lost = output.write(lines, kHurry);
    EXPECT_EQ(output.problem(), "nobody reads it");
    std::string read(lines.size(), '\0');
    const ssize_t size = ::read(reader, read.data(), read.size());
    read.resize(static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
    EXPECT_EQ(count_lines(read) + lost, 20'000u);
    close(reader);
}

TEST(Output, SurvivesAReaderThatGoesAway) {
    const test::TempFolder folder;
    ASSERT_EQ(mkfifo((folder / "fifo").c_str(), 0600), 0);
    const int reader = open((folder / "fifo").c_str(), O_RDONLY | O_NONBLOCK);
    Output output(folder / "fifo", 1);
    std::string error;
    ASSERT_TRUE(output.open(error)) << error;
    close(reader);
    const SignalsBlocked no_sigpipe;
    EXPECT_EQ(output.write("a\n", kPatient), 1u);
    EXPECT_EQ(output.problem(), "Broken pipe");
    const int again = open((folder / "fifo").c_str(), O_RDONLY | O_NONBLOCK);
    EXPECT_EQ(output.write("b\n", kPatient), 0u);
    char read[8] = {};
    EXPECT_EQ(::read(again, read, sizeof read), 2);
    EXPECT_STREQ(read, "b\n");
    close(again);
    forget(SIGPIPE);
}

}  // namespace
}  // namespace sluice::telemetry
