// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "sluice/base/time.hpp"

namespace sluice::http {

/// One byte now and then must not hold a connection for ever: a client that we waited for has to
/// have moved 500 bytes per second on average once ten seconds have passed (robustness 2).
inline bool is_crawling(std::uint64_t bytes, Duration waited) {
    constexpr std::chrono::seconds kStart{10};
    constexpr std::uint64_t kBytesPerSecond = 500;
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(waited);
    return seconds >= kStart &&
           bytes < kBytesPerSecond * static_cast<std::uint64_t>(seconds.count());
}

}  // namespace sluice::http
