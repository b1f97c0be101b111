// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace sluice::app {

/// CPUs this process may use: its affinity mask, cut to the cgroup's CPU quota (rounded up).
unsigned usable_cpus();

}  // namespace sluice::app
