// SPDX-License-Identifier: Apache-2.0
#include "sluice/telemetry/statistics.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace sluice::telemetry {
namespace {

constexpr double kNanosPerMilli = 1e6;

/// A metric that is 1 for some requests and 0 for the others.
struct Share {
    std::uint64_t ones = 0;
    std::uint64_t samples = 0;
};

Share share_of(CloudMetric metric, const Totals& t) {
    switch (metric) {
        case CloudMetric::errors_4xx:
            return {t.errors_4xx, t.requests};
        case CloudMetric::errors_5xx:
            return {t.errors_5xx, t.requests};
        // Requests that came as far as a cache (aws-semantics 14.1, our choice).
        case CloudMetric::cache_hits:
            return {t.cache_hits, t.cache_hits + t.cache_misses};
        case CloudMetric::cache_misses:
            return {t.cache_misses, t.cache_hits + t.cache_misses};
        default:
            return {t.requests, t.requests};
    }
}

double evaluate(const Share& share, const Statistic& statistic) {
    const auto ones = static_cast<double>(share.ones);
    const auto samples = static_cast<double>(share.samples);
    switch (statistic.kind) {
        case Statistic::Kind::sum:
            return ones;
        case Statistic::Kind::average:
            return ones / samples;
        case Statistic::Kind::sample_count:
            return samples;
        case Statistic::Kind::minimum:
            return share.ones == share.samples ? 1 : 0;
        case Statistic::Kind::maximum:
            return share.ones > 0 ? 1 : 0;
        case Statistic::Kind::percentile:
            break;
    }
    const double rank = std::max(1.0, std::ceil(statistic.percent / 100 * samples));
    return rank > samples - ones ? 1 : 0;
}

double evaluate(const Spread& spread, const Statistic& statistic) {
    const auto sum = static_cast<double>(spread.sum) / kNanosPerMilli;
    switch (statistic.kind) {
        case Statistic::Kind::sum:
            return sum;
        case Statistic::Kind::average:
            return sum / static_cast<double>(spread.count);
        case Statistic::Kind::sample_count:
            return static_cast<double>(spread.count);
        case Statistic::Kind::minimum:
            return static_cast<double>(spread.least) / kNanosPerMilli;
        case Statistic::Kind::maximum:
            return static_cast<double>(spread.most) / kNanosPerMilli;
        case Statistic::Kind::percentile:
            break;
    }
    return spread.percentile(statistic.percent) / kNanosPerMilli;
}

const Spread* spread_of(CloudMetric metric, const Totals& t) {
    if (metric == CloudMetric::latency) return &t.latency;
    if (metric == CloudMetric::integration_latency) return &t.integration;
    if (metric == CloudMetric::overhead) return &t.overhead;
    return nullptr;
}

constexpr std::array<std::string_view, kCloudMetrics> kNames{
    "Count",          "4XXError", "5XXError",           "CacheHitCount",
    "CacheMissCount", "Latency",  "IntegrationLatency", "Overhead"};

}  // namespace

void Spread::add(const Spread& other) {
    count += other.count;
    sum += other.sum;
    least = std::min(least, other.least);
    most = std::max(most, other.most);
    for (std::size_t i = 0; i < buckets.size(); ++i)
        buckets[i] += other.buckets[i];
}

double Spread::percentile(double p) const {
    const double rank = p / 100 * static_cast<double>(count);
    const auto lowest = static_cast<double>(least);
    const auto highest = static_cast<double>(most);
    double below = 0;
    for (std::size_t i = 0; i < buckets.size(); ++i) {
        const auto here = static_cast<double>(buckets[i]);
        if (here == 0 || below + here < rank) {
            below += here;
            continue;
        }
        const double from = i == 0 ? 0 : static_cast<double>(kBuckets.bounds[i - 1]);
        const double low = std::clamp(from, lowest, highest);
        const double high = std::clamp(static_cast<double>(kBuckets.bounds[i]), lowest, highest);
        return low + (high - low) * std::max(0.0, rank - below) / here;
    }
    return highest;
}

void Totals::add(const Totals& other) {
    requests += other.requests;
    errors_4xx += other.errors_4xx;
    errors_5xx += other.errors_5xx;
    cache_hits += other.cache_hits;
    cache_misses += other.cache_misses;
    latency.add(other.latency);
    integration.add(other.integration);
    overhead.add(other.overhead);
}

std::string_view to_string(CloudMetric metric) { return kNames[static_cast<std::size_t>(metric)]; }

std::optional<CloudMetric> parse_cloud_metric(std::string_view name) {
    const auto found = std::find(kNames.begin(), kNames.end(), name);
    if (found == kNames.end()) return std::nullopt;
    return static_cast<CloudMetric>(found - kNames.begin());
}

std::string_view unit_of(CloudMetric metric) {
    return metric >= CloudMetric::latency ? "Milliseconds" : "Count";
}

std::optional<Statistic> parse_statistic(std::string_view name) {
    using Kind = Statistic::Kind;
    static constexpr std::pair<std::string_view, Kind> kPlain[] = {
        {"Sum", Kind::sum},
        {"Average", Kind::average},
        {"SampleCount", Kind::sample_count},
        {"Minimum", Kind::minimum},
        {"Maximum", Kind::maximum}};
    for (const auto& [plain, kind] : kPlain) {
        if (name == plain) return Statistic{.kind = kind, .name = std::string{name}};
    }
    if (name.size() < 2 || name.size() > 16 || name.front() != 'p') return std::nullopt;
    const std::string_view digits = name.substr(1);
    if (digits.find_first_not_of("0123456789.") != digits.npos) return std::nullopt;
    Statistic statistic{.kind = Kind::percentile, .name = std::string{name}};
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), statistic.percent);
    const bool is_number = error == std::errc{} && end == digits.data() + digits.size();
    if (!is_number || statistic.percent > 100) return std::nullopt;
    return statistic;
}

std::optional<double> evaluate(CloudMetric metric, const Statistic& statistic, const Totals& t) {
    if (const Spread* spread = spread_of(metric, t)) {
        if (spread->count == 0) return std::nullopt;
        return evaluate(*spread, statistic);
    }
    const Share share = share_of(metric, t);
    if (share.samples == 0) return std::nullopt;
    return evaluate(share, statistic);
}

}  // namespace sluice::telemetry
