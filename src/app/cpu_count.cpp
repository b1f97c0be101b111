// SPDX-License-Identifier: Apache-2.0
#include "app/cpu_count.hpp"

#include <sched.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <string>

namespace sluice::app {
namespace {

/// "max 100000" or "150000 100000" (cgroup v2), for this process's own group or the root's.
double cgroup_cpus() {
    for (const char* path : {"/sys/fs/cgroup/cpu.max"}) {
        std::ifstream file{path};
        std::string quota;
        double period = 0;
        if (file >> quota >> period && quota != "max" && period > 0) {
            return std::stod(quota) / period;
        }
    }
    std::ifstream quota_file{"/sys/fs/cgroup/cpu/cpu.cfs_quota_us"};
    std::ifstream period_file{"/sys/fs/cgroup/cpu/cpu.cfs_period_us"};
    double quota = -1;
    double period = 0;
    if (quota_file >> quota && period_file >> period && quota > 0 && period > 0) {
        return quota / period;
    }
    return 0;
}

}  // namespace

unsigned usable_cpus() {
    cpu_set_t set;
    CPU_ZERO(&set);
    unsigned count = 1;
    if (::sched_getaffinity(0, sizeof set, &set) == 0) {
        count = static_cast<unsigned>(std::max(1, CPU_COUNT(&set)));
    }
    if (const double quota = cgroup_cpus(); quota > 0) {
        count = std::min(count, static_cast<unsigned>(std::max(1.0, std::ceil(quota))));
    }
    return count;
}

}  // namespace sluice::app
