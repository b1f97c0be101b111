// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <thread>

namespace sluice::state {

/// Waiting for a mark that is held for some ten nanoseconds, unless its holder was preempted:
/// then give the processor away.
class Spin {
public:
    void pause() {
        if (++turns_ > kBusyTurns) return std::this_thread::yield();
#if defined(__x86_64__) || defined(__i386__)
        __builtin_ia32_pause();
#elif defined(__aarch64__)
        asm volatile("yield");
#endif
    }
    bool is_long() const { return turns_ > kBusyTurns; }

private:
    static constexpr int kBusyTurns = 64;
    int turns_ = 0;
};

}  // namespace sluice::state
