// SPDX-License-Identifier: Apache-2.0
#include "support/shifted_clock.hpp"

#include <fcntl.h>
#include <sys/mman.h>

#include <stdexcept>

namespace test {

ShiftedClock::ShiftedClock() {
    const auto path = directory_.write("clock", std::string(sizeof *shift_, '\0'));
    const Fd fd{::open(path.c_str(), O_RDWR | O_CLOEXEC)};
    void* shared = ::mmap(nullptr, sizeof *shift_, PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0);
    if (shared == MAP_FAILED) throw std::runtime_error("no shared memory for a clock");
    shift_ = static_cast<Shift*>(shared);
}

ShiftedClock::~ShiftedClock() { ::munmap(shift_, sizeof *shift_); }

std::map<std::string, std::string> ShiftedClock::environment() const {
    return {{"LD_PRELOAD", SLUICE_SHIFT_CLOCK},
            {"SHIFT_CLOCK_IN", (directory_.path() / "clock").string()}};
}

}  // namespace test
