// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pthread.h>
#include <signal.h>

#include <thread>
#include <utility>

namespace sluice::telemetry {

/// Blocks every signal for the calling thread while it lives; threads started meanwhile inherit
/// that. Signals are the main thread's, and a broken pipe is an error code.
class SignalsBlocked {
public:
    SignalsBlocked() {
        sigset_t all;
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before_);
    }
    ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
    SignalsBlocked(const SignalsBlocked&) = delete;
    SignalsBlocked& operator=(const SignalsBlocked&) = delete;

private:
    sigset_t before_;
};

template <class Work>
std::thread quiet_thread(Work work) {
    const SignalsBlocked blocked;
    return std::thread(std::move(work));
}

}  // namespace sluice::telemetry
