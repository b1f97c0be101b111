// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>

#include "sluice/base/time.hpp"
#include "sluice/config/model.hpp"
#include "telemetry/trace_context.hpp"

namespace sluice::telemetry {

/// Which requests of a stage are traced. Shared by the workers: a decision reads one word, and
/// writes it only for the first requests of a second.
class Sampler {
public:
    explicit Sampler(const config::Tracing&);

    /// `caller`: the decision of whoever sent the request, where there is one to be honoured.
    bool decide(TraceId, std::optional<bool> caller, WallTime now) const;
    bool continues_callers() const { return parent_based_; }

private:
    bool from_reservoir(WallTime now) const;

    config::TraceSampler own_;  ///< without its parent-based half
    bool parent_based_;
    std::uint64_t below_;  ///< ids whose lower 63 bits are below are in
    std::uint32_t per_second_;
    mutable std::atomic<std::uint64_t> second_and_used_{0};
};

}  // namespace sluice::telemetry
