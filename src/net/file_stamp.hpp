// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <filesystem>
#include <tuple>

namespace sluice::net {

/// Tells whether a file was replaced or rewritten since it was looked at, at the price of one
/// stat(). Take the stamp before reading the file.
class FileStamp {
public:
    explicit FileStamp(std::filesystem::path path) : path_{std::move(path)}, seen_{look()} {}
    bool changed() const { return look() != seen_; }

private:
    /// device, inode, size, modification and status change time; all zero = not there.
    using Seen = std::tuple<std::uint64_t, std::uint64_t, std::int64_t, std::int64_t, std::int64_t,
                            std::int64_t, std::int64_t>;
    Seen look() const {
        struct stat s {};
        if (::stat(path_.c_str(), &s) != 0) return {};
        return {s.st_dev,          s.st_ino,         s.st_size,        s.st_mtim.tv_sec,
                s.st_mtim.tv_nsec, s.st_ctim.tv_sec, s.st_ctim.tv_nsec};
    }

    std::filesystem::path path_;
    Seen seen_;
};

}  // namespace sluice::net
