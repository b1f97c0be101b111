// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <condition_variable>
#include <filesystem>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "support/socket.hpp"

namespace test {

/// A directory that vanishes with the object.
class TempDir {
public:
    TempDir();
    ~TempDir();
    TempDir(const TempDir&) = delete;
    TempDir& operator=(const TempDir&) = delete;
    const std::filesystem::path& path() const { return path_; }
    std::filesystem::path write(const std::string& name, const std::string& text) const;

private:
    std::filesystem::path path_;
};

std::string read_file(const std::filesystem::path&);
void write_file(const std::filesystem::path&, const std::string& text);

struct Command {
    std::vector<std::string> words{};
    std::filesystem::path directory{};                 ///< empty = here
    std::map<std::string, std::string> environment{};  ///< added to ours
};

/// A running program. Ends with this process, whatever happens to it.
class Process {
public:
    explicit Process(const Command&);
    ~Process();  ///< SIGKILL if it still runs
    Process(const Process&) = delete;
    Process& operator=(const Process&) = delete;

    pid_t pid() const { return pid_; }
    void signal(int number);
    /// Exit status, or minus the signal; nothing when it still runs after `patience`.
    std::optional<int> wait(std::chrono::milliseconds patience = kPatience);
    bool running();
    /// After the end: waits until everything it wrote has been read.
    void read_rest();

    std::string out() const;     ///< standard output so far
    std::string errors() const;  ///< standard error so far
    /// Waits until standard error holds a line with `text` and returns the line.
    std::optional<std::string> wait_for_line(const std::string& text,
                                             std::chrono::milliseconds patience = kPatience);

private:
    void drain(const Fd&, std::string&);

    pid_t pid_ = -1;
    std::optional<int> status_{};
    mutable std::mutex mutex_{};
    std::condition_variable changed_{};
    std::string out_{}, errors_{};
    Fd out_pipe_{}, error_pipe_{};
    std::thread out_reader_{}, error_reader_{};
};

struct Finished {
    int status = -1;
    std::string out{};
    std::string errors{};
};

/// Runs a program to its end; throws when that takes longer than `patience`.
Finished run(const Command&, std::chrono::milliseconds patience = 60s);

}  // namespace test
