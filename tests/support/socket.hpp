// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <utility>

namespace test {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

/// How long anything in a test may take before it counts as failed.
inline constexpr std::chrono::milliseconds kPatience = 10s;

/// Owns a file descriptor.
class Fd {
public:
    Fd() = default;
    explicit Fd(int fd) : fd_{fd} {}
    Fd(Fd&& o) noexcept : fd_{std::exchange(o.fd_, -1)} {}
    Fd& operator=(Fd&& o) noexcept {
        std::swap(fd_, o.fd_);
        return *this;
    }
    ~Fd();

    int get() const { return fd_; }
    explicit operator bool() const { return fd_ >= 0; }
    void close();
    /// Ends a connection with RST instead of FIN.
    void reset();

private:
    int fd_ = -1;
};

/// A listening socket; port 0 lets the kernel choose. Throws when it cannot.
Fd listen_on(std::uint16_t port = 0, const std::string& host = "127.0.0.1", int backlog = 1024);

/// A connection; `source` binds the client's own address ("127.0.0.2"). Throws when refused.
Fd connect_to(std::uint16_t port, const std::string& host = "127.0.0.1",
              const std::string& source = {});

std::uint16_t local_port(const Fd&);

/// A port nobody listens on.
std::uint16_t closed_port();

/// Waits for readability (or the end of the stream) until `deadline`.
bool wait_readable(int fd, Clock::time_point deadline);
bool wait_writable(int fd, Clock::time_point deadline);

/// Asks again and again until `question` answers true; false when patience ends.
template <class Question>
bool eventually(Question question, std::chrono::milliseconds patience = kPatience);

void pause_briefly();

template <class Question>
bool eventually(Question question, std::chrono::milliseconds patience) {
    const auto deadline = Clock::now() + patience;
    while (!question()) {
        if (Clock::now() > deadline) return false;
        pause_briefly();
    }
    return true;
}

}  // namespace test
