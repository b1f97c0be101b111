// SPDX-License-Identifier: Apache-2.0
//
// Loaded with LD_PRELOAD: calendar time is ahead by the milliseconds in the file that
// SHIFT_CLOCK_IN names; a second number there, if it is not 0, is the time, and it stands still.
// The file is shared memory, so a test moves the time of a running program.
// Monotonic time goes on as it is.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>

namespace {

using Millis = std::atomic<std::int64_t>;

struct Shift {
    Millis ahead{0};
    Millis frozen{0};
};
Shift none{};
Shift* shift = &none;

__attribute__((constructor)) void open_file() {
    const char* path = std::getenv("SHIFT_CLOCK_IN");
    if (path == nullptr) return;
    const int fd = ::open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0) return;
    void* shared = ::mmap(nullptr, sizeof(Shift), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    ::close(fd);
    if (shared != MAP_FAILED) shift = static_cast<Shift*>(shared);
}

timespec shifted() {
    timespec now{};
    ::syscall(SYS_clock_gettime, CLOCK_REALTIME, &now);
    if (const std::int64_t frozen = shift->frozen.load(std::memory_order_relaxed); frozen != 0) {
        return {frozen / 1000, frozen % 1000 * 1'000'000};
    }
    const std::int64_t millis = shift->ahead.load(std::memory_order_relaxed);
    now.tv_sec += millis / 1000;
    now.tv_nsec += millis % 1000 * 1'000'000;
    if (now.tv_nsec >= 1'000'000'000) {
        now.tv_nsec -= 1'000'000'000;
        ++now.tv_sec;
    } else if (now.tv_nsec < 0) {
        now.tv_nsec += 1'000'000'000;
        --now.tv_sec;
    }
    return now;
}

}  // namespace

extern "C" {

int clock_gettime(clockid_t clock, timespec* out) {
    if (clock != CLOCK_REALTIME && clock != CLOCK_REALTIME_COARSE) {
        return static_cast<int>(::syscall(SYS_clock_gettime, clock, out));
    }
    *out = shifted();
    return 0;
}

int gettimeofday(timeval* out, void*) {
    const timespec now = shifted();
    out->tv_sec = now.tv_sec;
    out->tv_usec = now.tv_nsec / 1000;
    return 0;
}

time_t time(time_t* out) {
    const time_t now = shifted().tv_sec;
    if (out != nullptr) *out = now;
    return now;
}
}
