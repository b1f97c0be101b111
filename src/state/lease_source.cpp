// SPDX-License-Identifier: Apache-2.0
#include "state/lease_source.hpp"

#include <algorithm>
#include <cmath>

namespace sluice::state {

namespace {

using std::chrono::nanoseconds;

// A lease is looked at no more often than this: three renewals of one bucket within 10 ms cost
// more than the wait they save.
constexpr nanoseconds kShortestLook = std::chrono::milliseconds{3};

double seconds(nanoseconds time) { return std::chrono::duration<double>(time).count(); }

}  // namespace

void SpendRate::saw(std::int64_t spent, nanoseconds time, nanoseconds lease) {
    if (time.count() <= 0) return;
    const double now = static_cast<double>(spent) / seconds(time);
    const double weight = 1 - std::exp(-seconds(time) / seconds(lease));
    // Quick to rise: a node that has to catch up would make requests wait.
    per_second_ =
        now > per_second_ ? (now + per_second_) / 2 : per_second_ + weight * (now - per_second_);
}

std::int64_t SpendRate::within(nanoseconds time) const {
    return static_cast<std::int64_t>(std::ceil(per_second_ * seconds(time) - 0.01));
}

nanoseconds SpendRate::time_for_half(std::int64_t stock, nanoseconds lease) const {
    const nanoseconds longest = std::max(lease / 2, kShortestLook);
    if (per_second_ <= 0) return longest;
    const double half = static_cast<double>(stock) / 2 / per_second_;
    if (half >= seconds(longest)) return longest;
    return std::max(std::chrono::duration_cast<nanoseconds>(std::chrono::duration<double>(half)),
                    kShortestLook);
}

}  // namespace sluice::state
