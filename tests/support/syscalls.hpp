// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "support/process.hpp"

namespace test {

/// Counts the system calls of a running process, from its making to stop(): by the kernel's
/// tracepoint, or, where that is not allowed, by strace.
class SyscallCount {
public:
    explicit SyscallCount(pid_t);

    /// "tracepoint" or "strace"; empty: neither works here, and `why_not` says why.
    const std::string& how() const { return how_; }
    const std::string& why_not() const { return why_not_; }
    std::uint64_t stop();

private:
    bool open_tracepoints(pid_t);
    bool start_strace(pid_t);

    std::string how_{};
    std::string why_not_{};
    std::vector<Fd> counters_{};  ///< one per thread
    std::unique_ptr<Process> strace_{};
};

}  // namespace test
