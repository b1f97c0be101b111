// SPDX-License-Identifier: Apache-2.0
#include "telemetry/sampler.hpp"

namespace sluice::telemetry {
namespace {

using config::TraceSampler;

constexpr double kTwoTo63 = 9223372036854775808.0;
constexpr std::uint64_t kLower63 = ~std::uint64_t{0} >> 1;

TraceSampler own_half(TraceSampler s) {
    switch (s) {
        case TraceSampler::parentbased_always_on:
            return TraceSampler::always_on;
        case TraceSampler::parentbased_always_off:
            return TraceSampler::always_off;
        case TraceSampler::parentbased_traceidratio:
            return TraceSampler::traceidratio;
        case TraceSampler::parentbased_xray:
            return TraceSampler::xray;
        default:
            return s;
    }
}

std::uint64_t threshold(double rate) {
    return rate >= 1 ? kLower63 + 1 : static_cast<std::uint64_t>(rate * kTwoTo63);
}

}  // namespace

Sampler::Sampler(const config::Tracing& t)
    : own_{own_half(t.sampler)},
      parent_based_{own_ != t.sampler},
      below_{threshold(t.sampler_rate.value_or(own_ == TraceSampler::xray ? 0.05 : 1))},
      per_second_{t.sampler_reservoir} {}

bool Sampler::decide(TraceId id, std::optional<bool> caller, WallTime now) const {
    if (parent_based_ && caller) return *caller;
    switch (own_) {
        case TraceSampler::always_on:
            return true;
        case TraceSampler::always_off:
            return false;
        case TraceSampler::xray:
            if (from_reservoir(now)) return true;
            break;
        default:
            break;
    }
    // By the id, so that gateways of one trace decide alike.
    return (id.low & kLower63) < below_;
}

bool Sampler::from_reservoir(WallTime now) const {
    const auto second = static_cast<std::uint64_t>(
        std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count());
    std::uint64_t seen = second_and_used_.load(std::memory_order_relaxed);
    for (;;) {
        const std::uint64_t used = seen >> 32 == (second & 0xffffffff) ? seen & 0xffffffff : 0;
        if (used >= per_second_) return false;
        const std::uint64_t next = second << 32 | (used + 1);
        if (second_and_used_.compare_exchange_weak(seen, next, std::memory_order_relaxed)) {
            return true;
        }
    }
}

}  // namespace sluice::telemetry
