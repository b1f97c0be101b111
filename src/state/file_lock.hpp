// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <utility>

namespace sluice::state {

/// A file that one process at a time holds. The kernel lets go with the process, however it
/// ends; the file stays.
class FileLock {
public:
    FileLock() = default;
    FileLock(FileLock&& other) noexcept : fd_{std::exchange(other.fd_, -1)} {}
    FileLock& operator=(FileLock&& other) noexcept {
        std::swap(fd_, other.fd_);
        return *this;
    }
    ~FileLock() {
        if (fd_ >= 0) ::close(fd_);
    }

    /// 0, EWOULDBLOCK when somebody holds it, or why it cannot be opened.
    int acquire(const std::filesystem::path& path) {
        fd_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        if (fd_ < 0) return errno;
        return ::flock(fd_, LOCK_EX | LOCK_NB) == 0 ? 0 : errno;
    }

private:
    int fd_ = -1;
};

}  // namespace sluice::state
