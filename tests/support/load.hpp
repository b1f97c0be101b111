// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "support/client.hpp"

namespace test {

struct LoadPlan {
    std::uint16_t port = 0;
    std::string target{};
    Headers headers{};
    int connections = 64;
    std::chrono::milliseconds duration{0};  ///< 0 = by number
    std::int64_t requests = 0;              ///< in total, over all connections; 0 = by time
    const std::atomic<bool>* stop = nullptr;
};

struct LoadResult {
    std::map<int, std::int64_t> by_status{};
    std::int64_t failed = 0;  ///< no answer, or an incomplete one
    std::string first_failure{};
    std::chrono::duration<double> took{};   ///< from before the first send to after the last answer
    std::chrono::duration<double> inner{};  ///< from the first answer to the last

    std::int64_t count(int status) const;
    std::int64_t answers() const;  ///< of every status
};

/// Keep-alive connections that ask again as soon as they are answered, a thread each.
LoadResult run_load(const LoadPlan&);

}  // namespace test
