// SPDX-License-Identifier: Apache-2.0
#include "telemetry/output.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <climits>
#include <mutex>
#include <system_error>
#include <utility>

namespace sluice::telemetry {
namespace {

using namespace std::chrono_literals;

/// How long a pipe nobody reads may hold up the end of the process.
constexpr auto kPatienceAtEnd = 2s;

std::string describe(int number) { return std::generic_category().message(number); }

bool is_regular(int fd) {
    struct stat info {};
    return fstat(fd, &info) == 0 && S_ISREG(info.st_mode);
}

bool same_file(int a, int b) {
    struct stat one {
    }, other{};
    return fstat(a, &one) == 0 && fstat(b, &other) == 0 && one.st_dev == other.st_dev &&
           one.st_ino == other.st_ino;
}

}  // namespace

std::size_t count_lines(std::string_view text) {
    return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

Output::~Output() { close(); }

void Output::close() {
    if (fd_ >= 0 && fd_ != standard_fd_) ::close(fd_);
    fd_ = -1;
}

bool Output::open(std::string& error) {
    wants_open_ = !open_file(error);
    problem_ = wants_open_ ? error : std::string();
    return !wants_open_;
}

bool Output::open_file(std::string& error) {
    int fd = standard_fd_;
    if (path_ != "-") {
        // Non-blocking: a FIFO without a reader must not stop the start, and a full one must not
        // hold the writer; disk files do not care. 0640: lines name clients.
        constexpr int kFlags = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
        fd = ::open(path_.c_str(), kFlags, 0640);
        if (fd < 0) {
            error = describe(errno);
            return false;
        }
    }
    // Half a line in a file opened again is still there; what a pipe held is gone.
    torn_ = torn_ && regular_ && same_file(fd_, fd);
    close();
    fd_ = fd;
    regular_ = is_regular(fd);
    return true;
}

std::size_t Output::write(std::string_view lines, const std::atomic<bool>& hurry) {
    // Several logs may share a standard stream; a pipe takes lines in pieces.
    static std::array<std::mutex, 3> standard_streams;
    std::unique_lock<std::mutex> alone;
    if (path_ == "-" && standard_fd_ >= 0 && standard_fd_ < 3) {
        alone = std::unique_lock{standard_streams[static_cast<std::size_t>(standard_fd_)]};
    }
    std::string error;
    if (wants_open_) open(error);
    if (fd_ < 0) return count_lines(lines);
    if (torn_) {
        if (write_some("\n", hurry) == 0) return count_lines(lines);
        torn_ = false;
    }
    const std::size_t written = write_some(lines, hurry);
    if (written == lines.size()) {
        if (!wants_open_) problem_.clear();
        return 0;
    }
    const std::string_view kept = lines.substr(0, written);
    const std::size_t whole = kept.rfind('\n') + 1;  // npos + 1 = 0: no line is whole
    if (whole < written) cut_torn_line(written - whole);
    return count_lines(lines.substr(whole));
}

/// Bytes written; fewer than asked for only after an error, which `problem_` then tells.
std::size_t Output::write_some(std::string_view bytes, const std::atomic<bool>& hurry) {
    std::size_t done = 0;
    while (done < bytes.size()) {
        if (!regular_ && !wait_writable(hurry)) {
            problem_ = "nobody reads it";
            break;
        }
        // A pipe that polls writable takes PIPE_BUF bytes without blocking, even when the
        // descriptor is a shared standard stream that must not be made non-blocking.
        const std::size_t left = bytes.size() - done;
        const std::size_t chunk = regular_ ? left : std::min<std::size_t>(left, PIPE_BUF);
        const ssize_t n = ::write(fd_, bytes.data() + done, chunk);
        if (n > 0) {
            done += static_cast<std::size_t>(n);
        } else if (n == 0 || (errno != EINTR && errno != EAGAIN)) {
            const int number = n == 0 ? EIO : errno;
            problem_ = describe(number);
            wants_open_ = number != ENOSPC && number != EDQUOT;
            break;
        }
    }
    return done;
}

bool Output::wait_writable(const std::atomic<bool>& hurry) {
    constexpr auto kStep = 50ms;
    auto waited = 0ms;
    while (true) {
        pollfd wanted{fd_, POLLOUT, 0};
        // Who gave up once does not wait again for each of many pieces.
        const auto timeout = gave_up_ ? 0ms : kStep;
        const int ready = poll(&wanted, 1, static_cast<int>(timeout.count()));
        if (ready > 0) return true;
        if (ready < 0 && errno != EINTR) return true;  // the write will say what is wrong
        if (hurry) waited += kStep;
        gave_up_ = gave_up_ || waited >= kPatienceAtEnd;
        if (gave_up_) return false;
    }
}

/// Takes the half line back where the file ends with it and is ours to cut; elsewhere the next
/// line starts with a line end of its own.
void Output::cut_torn_line(std::size_t torn_bytes) {
    const off_t end = regular_ ? lseek(fd_, 0, SEEK_CUR) : -1;
    struct stat info {};
    const bool ours = end >= 0 && fstat(fd_, &info) == 0 && info.st_size == end;
    torn_ = !ours || ftruncate(fd_, end - static_cast<off_t>(torn_bytes)) != 0;
}

}  // namespace sluice::telemetry
