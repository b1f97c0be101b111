// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

namespace sluice::telemetry {

/// Lines in the text, each ending in '\n'.
std::size_t count_lines(std::string_view text);

/// Where whole lines go: a file, a pipe, or a standard stream. Whatever fails in between, a
/// reader never finds half a line joined to another. One thread at a time.
class Output {
public:
    /// `standard_fd` is used for the path "-".
    Output(std::filesystem::path path, int standard_fd)
        : path_(std::move(path)), standard_fd_(standard_fd) {}
    ~Output();
    Output(const Output&) = delete;
    Output& operator=(const Output&) = delete;

    /// Opens the path anew, creating the file. On failure the old file stays in use and each
    /// `write` tries again.
    bool open(std::string& error);
    /// Writes whole lines; returns how many of them were lost. Waits for a pipe's reader, but
    /// gives up after a while without progress once `hurry` is set.
    std::size_t write(std::string_view lines, const std::atomic<bool>& hurry);
    /// Why the last write lost lines, or the last opening failed; empty = all is well.
    const std::string& problem() const { return problem_; }
    const std::filesystem::path& path() const { return path_; }

private:
    bool open_file(std::string& error);
    std::size_t write_some(std::string_view bytes, const std::atomic<bool>& hurry);
    bool wait_writable(const std::atomic<bool>& hurry);
    void cut_torn_line(std::size_t torn_bytes);
    void close();

    std::filesystem::path path_;
    int standard_fd_;
    int fd_ = -1;
    bool regular_ = false;  ///< a disk file: never waits for a reader, can be cut
    bool torn_ = false;     ///< the file ends in half a line
    bool wants_open_ = false;
    bool gave_up_ = false;  ///< waited in vain for a reader at the end
    std::string problem_;
};

}  // namespace sluice::telemetry
