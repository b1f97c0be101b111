// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <unordered_map>

#include "sluice/state/limits.hpp"

namespace sluice::state {

/// Token buckets for the time without the store: an n-th of every rate and burst, at least one
/// token. A bucket is forgotten when it is full.
class LocalShare {
public:
    struct Taken {
        std::int64_t tokens = 0;
        std::chrono::nanoseconds retry{0};  ///< until one is there
    };
    /// `available`: what the shared bucket held when last heard of; negative = nothing is known.
    Taken take(const std::string& name, const BucketShape&, std::int64_t nodes, double available,
               std::int64_t want, TimePoint now);
    void give_back(const std::string& name, std::int64_t tokens);
    void clear() { buckets_.clear(); }
    std::size_t size() const { return buckets_.size(); }

private:
    struct Bucket {
        double tokens = 0;
        double rate = 0;
        double burst = 0;
        TimePoint at{};

        void refill(TimePoint now);
    };
    void sweep(TimePoint now);

    std::unordered_map<std::string, Bucket> buckets_;
    TimePoint swept_{};
};

}  // namespace sluice::state
