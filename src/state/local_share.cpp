// SPDX-License-Identifier: Apache-2.0
#include "state/local_share.hpp"

#include <algorithm>
#include <cmath>

namespace sluice::state {

namespace {

using std::chrono::nanoseconds;

constexpr std::chrono::seconds kSweepEvery{1};
constexpr double kLongest = 86'400;  // seconds; a bucket that never refills is asked once a day

double seconds(nanoseconds time) { return std::chrono::duration<double>(time).count(); }

}  // namespace

void LocalShare::Bucket::refill(TimePoint now) {
    if (now <= at) return;
    tokens = std::min(burst, tokens + rate * seconds(now - at));
    at = now;
}

LocalShare::Taken LocalShare::take(const std::string& name, const BucketShape& shape,
                                   std::int64_t nodes, double available, std::int64_t want,
                                   TimePoint now) {
    if (now - swept_ >= kSweepEvery) sweep(now);
    const auto n = static_cast<double>(std::max<std::int64_t>(nodes, 1));
    const double burst = std::max(1.0, std::floor(static_cast<double>(shape.burst()) / n));
    const auto [it, is_new] = buckets_.try_emplace(name);
    Bucket& bucket = it->second;
    if (is_new) {
        bucket.tokens = available < 0 ? burst : std::min(burst, available / n);
        bucket.at = now;
    }
    bucket.rate = shape.rate() / n;
    bucket.burst = burst;
    bucket.refill(now);
    const auto whole = static_cast<std::int64_t>(std::floor(bucket.tokens + 1e-9));
    const std::int64_t taken = std::clamp<std::int64_t>(want, 0, whole);
    bucket.tokens -= static_cast<double>(taken);
    if (bucket.tokens + 1e-9 >= 1) return {taken, nanoseconds{0}};
    const double wait = bucket.rate > 0 ? (1 - bucket.tokens) / bucket.rate : kLongest;
    return {taken, nanoseconds{static_cast<std::int64_t>(std::min(wait, kLongest) * 1e9)}};
}

void LocalShare::give_back(const std::string& name, std::int64_t tokens) {
    const auto found = buckets_.find(name);
    if (found == buckets_.end()) return;
    Bucket& bucket = found->second;
    bucket.tokens = std::min(bucket.burst, bucket.tokens + static_cast<double>(tokens));
}

void LocalShare::sweep(TimePoint now) {
    swept_ = now;
    for (auto& [name, bucket] : buckets_)
        bucket.refill(now);
    std::erase_if(buckets_, [](const auto& e) { return e.second.tokens >= e.second.burst; });
}

}  // namespace sluice::state
