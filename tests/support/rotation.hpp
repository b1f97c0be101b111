// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <csignal>
#include <filesystem>
#include <string>

#include "support/gateway.hpp"

namespace test {

/// What logrotate does, as fast as lines come: renames the log to "<file>.1", "<file>.2" ... and
/// sends SIGUSR1, until `done` or `most` times. Returns how often.
inline int rotate_until(const std::atomic<bool>& done, Gateway& gateway,
                        const std::filesystem::path& file, int most) {
    const auto has_lines = [&] {
        std::error_code absent;
        const auto size = std::filesystem::file_size(file, absent);
        return !absent && size > 0;
    };
    int rotations = 0;
    while (!done && rotations < most && eventually(has_lines)) {
        std::filesystem::rename(file, file.string() + '.' + std::to_string(++rotations));
        gateway.signal(SIGUSR1);
    }
    return rotations;
}

}  // namespace test
