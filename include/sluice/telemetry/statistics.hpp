// SPDX-License-Identifier: Apache-2.0
//
// CloudWatch's metrics and statistics (aws-semantics 14.1) over what was counted in some minutes.
// Pure.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "sluice/telemetry/latency_buckets.hpp"

namespace sluice::telemetry {

/// Durations in nanoseconds. Count, sum, least and most are exact; the shape is as fine as the
/// buckets, each a tenth wide.
struct Spread {
    std::uint64_t count = 0, sum = 0, least = ~std::uint64_t{0}, most = 0;
    std::array<std::uint64_t, kFineBuckets> buckets{};

    void add(const Spread&);
    /// The value that `p` percent do not exceed, never outside [least, most]. Not when empty.
    double percentile(double p) const;
};

/// What was counted of some series in some minutes.
struct Totals {
    std::uint64_t requests = 0, errors_4xx = 0, errors_5xx = 0, cache_hits = 0, cache_misses = 0;
    Spread latency{}, integration{}, overhead{};

    void add(const Totals&);
};

enum class CloudMetric : std::uint8_t {
    count,
    errors_4xx,
    errors_5xx,
    cache_hits,
    cache_misses,
    latency,
    integration_latency,
    overhead,  ///< ours
    end_
};
inline constexpr std::size_t kCloudMetrics = static_cast<std::size_t>(CloudMetric::end_);
std::string_view to_string(CloudMetric);  ///< "Count", "4XXError"...
std::optional<CloudMetric> parse_cloud_metric(std::string_view);
std::string_view unit_of(CloudMetric);  ///< "Count" or "Milliseconds"

struct Statistic {
    enum class Kind : std::uint8_t { sum, average, sample_count, minimum, maximum, percentile };
    Kind kind = Kind::sum;
    double percent = 0;  ///< of a percentile
    std::string name{};  ///< as asked for: "Average", "p99.9"
};
/// Sum, Average, SampleCount, Minimum, Maximum, p0 to p100 with decimals.
std::optional<Statistic> parse_statistic(std::string_view);

/// Empty when there is no sample. Latencies in milliseconds.
std::optional<double> evaluate(CloudMetric, const Statistic&, const Totals&);

}  // namespace sluice::telemetry
