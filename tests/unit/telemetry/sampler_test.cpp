// SPDX-License-Identifier: Apache-2.0
#include "telemetry/sampler.hpp"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "base/random.hpp"

namespace sluice::telemetry {
namespace {

using config::TraceSampler;
using std::chrono::milliseconds;

constexpr WallTime kNow{std::chrono::hours{24 * 365 * 50}};

config::Tracing settings(TraceSampler sampler, std::optional<double> rate = {},
                         std::uint32_t reservoir = 1) {
    config::Tracing t;
    t.sampler = sampler;
    t.sampler_rate = rate;
    t.sampler_reservoir = reservoir;
    return t;
}

int count(const Sampler& sampler, int ids, WallTime at) {
    Random random;
    int in = 0;
    for (int i = 0; i < ids; ++i) {
        in += sampler.decide({random.next(), random.next()}, std::nullopt, at);
    }
    return in;
}

TEST(SamplerTest, AlwaysAndNever) {
    EXPECT_EQ(count(Sampler{settings(TraceSampler::always_on)}, 100, kNow), 100);
    EXPECT_EQ(count(Sampler{settings(TraceSampler::always_off)}, 100, kNow), 0);
    EXPECT_EQ(count(Sampler{settings(TraceSampler::traceidratio)}, 100, kNow), 100);
    EXPECT_EQ(count(Sampler{settings(TraceSampler::traceidratio, 0)}, 100, kNow), 0);
}

TEST(SamplerTest, ARatioIsThatShareAndTheIdDecides) {
    const Sampler sampler{settings(TraceSampler::traceidratio, 0.1)};
    EXPECT_NEAR(count(sampler, 20'000, kNow), 2'000, 250);
    Random random;
    for (int i = 0; i < 1000; ++i) {
        const TraceId id{random.next(), random.next()};
        EXPECT_EQ(sampler.decide(id, {}, kNow), sampler.decide(id, {}, kNow + milliseconds{1234}));
    }
    EXPECT_TRUE(sampler.decide({1, 0}, {}, kNow));
    EXPECT_FALSE(sampler.decide({1, ~std::uint64_t{0}}, {}, kNow));
}

TEST(SamplerTest, XRayTakesTheFirstOfEachSecond) {
    const Sampler sampler{settings(TraceSampler::xray, 0, 3)};
    EXPECT_EQ(count(sampler, 100, kNow), 3);
    EXPECT_EQ(count(sampler, 100, kNow + milliseconds{999}), 0);
    EXPECT_EQ(count(sampler, 100, kNow + milliseconds{1000}), 3);
    EXPECT_EQ(count(Sampler{settings(TraceSampler::xray, 0, 0)}, 100, kNow), 0);
}

TEST(SamplerTest, XRayTakesFivePerCentOfTheRest) {
    EXPECT_NEAR(count(Sampler{settings(TraceSampler::xray)}, 20'000, kNow), 1'000, 180);
}

TEST(SamplerTest, TheReservoirIsSharedExactly) {
    const Sampler sampler{settings(TraceSampler::xray, 0, 500)};
    std::atomic<int> in{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&] { in += count(sampler, 1'000, kNow); });
    }
    for (auto& thread : threads)
        thread.join();
    EXPECT_EQ(in, 500);
}

TEST(SamplerTest, ParentBasedOnesObeyTheCaller) {
    const Sampler on{settings(TraceSampler::parentbased_always_on)};
    const Sampler off{settings(TraceSampler::parentbased_always_off)};
    EXPECT_FALSE(on.decide({1, 1}, false, kNow));
    EXPECT_TRUE(on.decide({1, 1}, {}, kNow));
    EXPECT_TRUE(off.decide({1, 1}, true, kNow));
    EXPECT_FALSE(off.decide({1, 1}, {}, kNow));
    EXPECT_TRUE(Sampler{settings(TraceSampler::always_on)}.decide({1, 1}, false, kNow));
}

}  // namespace
}  // namespace sluice::telemetry
