// SPDX-License-Identifier: Apache-2.0
#include "support/syscalls.hpp"

#include <linux/perf_event.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace test {

namespace fs = std::filesystem;

namespace {

/// The number of the tracepoint that every system call passes; 0 when tracefs is not there.
std::uint64_t tracepoint() {
    for (const char* root : {"/sys/kernel/tracing", "/sys/kernel/debug/tracing"}) {
        std::ifstream file{std::string{root} + "/events/raw_syscalls/sys_enter/id"};
        std::uint64_t id = 0;
        if (file >> id) return id;
    }
    return 0;
}

/// Calls in the last line of `strace -c`: "100.00 0.000123 0 29 [errors] total".
std::uint64_t total_of(const std::string& report) {
    const std::size_t word = report.rfind(" total");
    if (word == std::string::npos) return 0;
    std::istringstream line{report.substr(report.rfind('\n', word) + 1)};
    std::string share;
    std::string seconds;
    std::string each;
    std::uint64_t calls = 0;
    line >> share >> seconds >> each >> calls;
    return calls;
}

}  // namespace

SyscallCount::SyscallCount(pid_t pid) {
    if (open_tracepoints(pid)) {
        how_ = "tracepoint";
    } else if (start_strace(pid)) {
        how_ = "strace";
    }
}

bool SyscallCount::open_tracepoints(pid_t pid) {
    perf_event_attr attributes{};
    attributes.type = PERF_TYPE_TRACEPOINT;
    attributes.size = sizeof attributes;
    attributes.config = tracepoint();
    attributes.inherit = 1;
    if (attributes.config == 0) {
        why_not_ = "no tracefs; ";
        return false;
    }
    for (const auto& task : fs::directory_iterator{"/proc/" + std::to_string(pid) + "/task"}) {
        const int thread = std::stoi(task.path().filename().string());
        const long fd =
            ::syscall(SYS_perf_event_open, &attributes, thread, -1, -1, PERF_FLAG_FD_CLOEXEC);
        if (fd < 0) {
            why_not_ = std::string{"perf_event_open: "} + std::strerror(errno) + "; ";
            counters_.clear();
            return false;
        }
        counters_.emplace_back(static_cast<int>(fd));
    }
    return true;
}

bool SyscallCount::start_strace(pid_t pid) {
    strace_ = std::make_unique<Process>(
        Command{.words = {"strace", "-c", "-f", "-p", std::to_string(pid)}});
    if (strace_->wait_for_line("attached")) return true;
    why_not_ += "strace: " + strace_->errors();
    strace_.reset();
    return false;
}

std::uint64_t SyscallCount::stop() {
    if (strace_) {
        strace_->signal(SIGINT);
        strace_->wait();
        strace_->read_rest();
        return total_of(strace_->errors());
    }
    std::uint64_t sum = 0;
    for (const Fd& counter : counters_) {
        std::uint64_t calls = 0;
        if (::read(counter.get(), &calls, sizeof calls) == sizeof calls) sum += calls;
    }
    return sum;
}

}  // namespace test
