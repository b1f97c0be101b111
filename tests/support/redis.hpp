// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <csignal>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "support/process.hpp"
#include "support/shifted_clock.hpp"

namespace test {

struct RedisOptions {
    std::vector<std::string> words{};  ///< more of its command line
    bool tls = false;                  ///< and nothing else: no plain port
};

/// A real redis-server of its own, without persistence, whose clock a test can move.
class Redis {
public:
    explicit Redis(RedisOptions options = {});
    Redis(const Redis&) = delete;
    Redis& operator=(const Redis&) = delete;

    std::uint16_t port() const { return port_; }
    /// redis://127.0.0.1:PORT/0, or with "user:password@".
    std::string url(const std::string& who = {}) const;
    /// Of the authority that signed its certificate.
    std::string ca_file() const { return (directory_.path() / "ca.pem").string(); }
    /// A command on a connection of its own; the answer as it came over the wire.
    std::string ask(const std::vector<std::string>& words);

    void kill9();
    /// Again, on the same port, without data.
    void start();
    /// Hangs, and goes on: SIGSTOP and SIGCONT.
    void hang() { process_->signal(SIGSTOP); }
    void go_on() { process_->signal(SIGCONT); }
    ShiftedClock& clock() { return clock_; }

private:
    RedisOptions options_;
    TempDir directory_{};
    ShiftedClock clock_{};
    std::uint16_t port_ = 0;
    std::unique_ptr<Process> process_{};
};

}  // namespace test
