// SPDX-License-Identifier: Apache-2.0
//
// How durations are sorted: the bounds that are exported, and finer ones between them for
// percentiles. Every exported bound is a fine bound too, so both count the same values.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace sluice::telemetry {

/// Seconds: ecosystem.md, section 4.
inline constexpr std::array<double, 18> kLatencyBounds{0.0005, 0.001, 0.002, 0.005, 0.01, 0.025,
                                                       0.05,   0.075, 0.1,   0.25,  0.5,  0.75,
                                                       1,      2.5,   5,     7.5,   10,   30};

namespace detail {

constexpr std::uint64_t to_nanoseconds(double seconds) {
    return static_cast<std::uint64_t>(seconds * 1e9 + 0.5);
}

/// The next fine bound: a tenth more (CloudWatch's percentiles are as coarse), but never past the
/// next exported one; ten microseconds first, a quarter of an hour last.
constexpr std::uint64_t next_bound(std::uint64_t bound, std::size_t& exported) {
    if (bound == 0) return 10'000;
    const std::uint64_t wanted = bound + bound / 10;
    if (exported == kLatencyBounds.size()) return wanted;
    const std::uint64_t end = to_nanoseconds(kLatencyBounds[exported]);
    // A sliver of a bucket before an exported bound would tell nothing.
    if (wanted + wanted / 40 < end) return wanted;
    ++exported;
    return end;
}

constexpr std::uint64_t kLongest = 900'000'000'000;  // the most that timeoutInMillis may be

constexpr std::size_t count_bounds() {
    std::size_t count = 0;
    std::size_t exported = 0;
    for (std::uint64_t bound = 0; bound < kLongest; ++count)
        bound = next_bound(bound, exported);
    return count;
}

}  // namespace detail

inline constexpr std::size_t kFineBuckets = detail::count_bounds() + 1;  ///< the last has no end

struct BucketTable {
    std::array<std::uint64_t, kFineBuckets + 2> bounds{};  ///< inclusive ("le"); nanoseconds
    std::array<std::uint8_t, kFineBuckets> coarse{};       ///< fine bucket -> exported bucket
    std::array<std::uint8_t, 65 * 8> first{};              ///< by size class of the value

    constexpr BucketTable() {
        std::size_t exported = 0;
        std::uint64_t bound = 0;
        for (std::size_t i = 0; i + 1 < kFineBuckets; ++i) {
            coarse[i] = static_cast<std::uint8_t>(exported);
            bounds[i] = bound = detail::next_bound(bound, exported);
        }
        coarse[kFineBuckets - 1] = static_cast<std::uint8_t>(kLatencyBounds.size());
        for (std::size_t i = kFineBuckets - 1; i < bounds.size(); ++i)
            bounds[i] = ~std::uint64_t{0};
        for (std::size_t slot = 0; slot < first.size(); ++slot)
            first[slot] = static_cast<std::uint8_t>(
                std::lower_bound(bounds.begin(), bounds.end() - 3, smallest(slot)) -
                bounds.begin());
    }
    /// Values of one size class differ by less than an eighth.
    static constexpr std::size_t size_class(std::uint64_t value) {
        const auto width = static_cast<std::size_t>(std::bit_width(value));
        return width < 4 ? value : width * 8 + ((value >> (width - 4)) & 7);
    }
    /// The bucket of a value without a loop.
    constexpr std::size_t bucket(std::uint64_t value) const {
        const std::size_t i = first[size_class(value)];
        return i + (value > bounds[i] ? 1u : 0u) + (value > bounds[i + 1] ? 1u : 0u);
    }
    /// No size class holds more than two bounds.
    constexpr bool two_steps_suffice() const {
        for (std::size_t slot = 32; slot + 1 < first.size(); ++slot) {
            if (first[slot + 1] - first[slot] > 2) return false;
        }
        return true;
    }

private:
    static constexpr std::uint64_t smallest(std::size_t slot) {
        const std::size_t width = slot / 8;
        return width < 4 ? slot : (8 + slot % 8) << (width - 4);
    }
};
inline constexpr BucketTable kBuckets;
static_assert(kBuckets.two_steps_suffice());
static_assert(kFineBuckets < 256);

/// A duration and the fine bucket it belongs to, looked up once for all who count it.
struct Measured {
    Measured() = default;
    template <class Rep, class Period>
    Measured(std::chrono::duration<Rep, Period> elapsed)  // NOLINT: any duration may be counted
        : value{nanoseconds_of(elapsed)}, bucket{kBuckets.bucket(value)} {}

    std::uint64_t value = 0;  ///< nanoseconds; a negative duration counts as none
    std::size_t bucket = 0;

private:
    static std::uint64_t nanoseconds_of(std::chrono::nanoseconds elapsed) {
        return static_cast<std::uint64_t>(std::max<std::int64_t>(elapsed.count(), 0));
    }
};

}  // namespace sluice::telemetry
