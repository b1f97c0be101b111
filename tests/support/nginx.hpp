// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "support/process.hpp"

namespace test {

/// Debian's nginx as an origin that we did not write, on a free port with its own directory.
/// `locations` goes inside its server block.
class Nginx {
public:
    explicit Nginx(const std::string& locations);

    std::uint16_t port() const { return port_; }
    std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
    const TempDir& directory() const { return directory_; }
    void stop();
    std::string access_log() const;

private:
    TempDir directory_{};
    std::uint16_t port_ = 0;
    std::unique_ptr<Process> process_{};
};

/// Where nginx is, or nothing when it is not installed.
std::string find_program(const std::string& name);

}  // namespace test
