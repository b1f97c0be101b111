// SPDX-License-Identifier: Apache-2.0
#include "sluice/state/source_meter.hpp"

#include <gtest/gtest.h>

#include <thread>

#include "sluice/state/limit_registry.hpp"

namespace sluice::state {
namespace {

using namespace std::chrono_literals;

const TimePoint kStart = TimePoint{} + 1000h;
const WallTime kWall = std::chrono::sys_days{std::chrono::year{2026} / 6 / 1} + 12h;
const BucketShape kShape{1, 2};
const QuotaRule kQuota{3, Period::day, 0};

IpAddress numbered(std::uint32_t n) {
    return IpAddress::v4({static_cast<std::uint8_t>(n >> 24), static_cast<std::uint8_t>(n >> 16),
                          static_cast<std::uint8_t>(n >> 8), static_cast<std::uint8_t>(n)});
}
IpAddress ip(std::string_view text) { return IpAddress::parse(text).value_or(IpAddress{}); }

SourceLimits limits(std::size_t cap, bool quota = true) {
    SourceLimits made;
    made.cap = cap;
    made.throttle = kShape;
    if (quota) made.quota = kQuota;
    return made;
}

bool pass(SourceMeter& meter, const IpAddress& address, TimePoint now = kStart,
          WallTime wall = kWall) {
    const SourceMeter::Pin pin = meter.find_or_add(address, SourceMeter::kPlanSlot, now, wall);
    const Charge charges[] = {{&pin.bucket(), &kShape, Level::source_ip}};
    const QuotaCharge quotas[] = {{&pin.quota(), &kQuota}};
    return decide(charges, quotas, now, wall).outcome == Decision::Outcome::admitted;
}

TEST(SourceMeter, MetersEachAddressByItself) {
    LimitRegistry registry;
    const auto meter = registry.source_meter("anonymous", limits(1000), kStart);
    EXPECT_TRUE(pass(*meter, ip("10.0.0.1")));
    EXPECT_TRUE(pass(*meter, ip("10.0.0.1")));
    EXPECT_FALSE(pass(*meter, ip("10.0.0.1"))) << "burst 2";
    EXPECT_TRUE(pass(*meter, ip("10.0.0.2")));
    EXPECT_TRUE(pass(*meter, ip("10.0.0.1"), kStart + 10s));
    EXPECT_FALSE(pass(*meter, ip("10.0.0.1"), kStart + 20s)) << "quota 3";
    EXPECT_TRUE(pass(*meter, ip("10.0.0.1"), kStart + 20s, kWall + 24h));
    EXPECT_EQ(meter->stats().entries, 2u);
}

TEST(SourceMeter, SharesANetworkPrefix) {
    LimitRegistry registry;
    SourceLimits settings = limits(1000);
    settings.v4_bits = 24;
    const auto meter = registry.source_meter("anonymous", settings, kStart);
    EXPECT_TRUE(pass(*meter, ip("10.0.0.1")));
    EXPECT_TRUE(pass(*meter, ip("10.0.0.2")));
    EXPECT_FALSE(pass(*meter, ip("10.0.0.3")));
    EXPECT_TRUE(pass(*meter, ip("10.0.1.1")));
    EXPECT_TRUE(pass(*meter, ip("2001:db8::1")));
    EXPECT_TRUE(pass(*meter, ip("2001:db8::2:0:0:1")));
    EXPECT_FALSE(pass(*meter, ip("2001:db8::3")));
    EXPECT_TRUE(pass(*meter, ip("2001:db8:0:1::3")));
}

TEST(SourceMeter, KeepsMethodsOfAnAddressApart) {
    LimitRegistry registry;
    SourceLimits settings = limits(1000);
    settings.methods = {{"a|prod|x/GET", {0, 1}}, {"a|prod|y/GET", {0, 5}}};
    const auto meter = registry.source_meter("anonymous", settings, kStart);
    const std::size_t x = *meter->slot("a|prod|x/GET"), y = *meter->slot("a|prod|y/GET");
    EXPECT_EQ(meter->slot("nothing"), std::nullopt);
    EXPECT_TRUE(meter->find_or_add(ip("::1"), x, kStart, kWall).bucket().take({0, 1}, kStart));
    EXPECT_FALSE(meter->find_or_add(ip("::1"), x, kStart, kWall).bucket().take({0, 1}, kStart));
    EXPECT_TRUE(meter->find_or_add(ip("::1"), y, kStart, kWall).bucket().take({0, 5}, kStart));
}

TEST(SourceMeter, KeepsAnAddressAcrossReloads) {
    LimitRegistry registry;
    const auto meter = registry.source_meter("anonymous", limits(1000), kStart);
    EXPECT_TRUE(pass(*meter, ip("10.0.0.1")));
    SourceLimits faster = limits(1000);
    faster.throttle = {1, 10};
    EXPECT_EQ(registry.source_meter("anonymous", faster, kStart), meter);
    EXPECT_EQ(
        meter->find_or_add(ip("10.0.0.1"), 0, kStart, kWall).bucket().available({1, 10}, kStart),
        9);
    SourceLimits coarser = faster;
    coarser.v4_bits = 16;
    EXPECT_NE(registry.source_meter("anonymous", coarser, kStart), meter);
}

TEST(SourceMeter, ForgetsTheUnusedFirst) {
    LimitRegistry registry;
    const auto meter = registry.source_meter("anonymous", limits(8), kStart);
    for (std::uint32_t n = 0; n < 7; ++n) {
        EXPECT_TRUE(pass(*meter, numbered(n)));
    }
    (void)meter->find_or_add(ip("9.9.9.9"), 0, kStart, kWall);  // looked at, charged nothing
    EXPECT_TRUE(pass(*meter, numbered(100)));
    EXPECT_EQ(meter->stats().evictions, 1u);
    for (std::uint32_t n = 0; n < 7; ++n) {
        const auto pin = meter->find_or_add(numbered(n), 0, kStart, kWall);
        EXPECT_EQ(pin.quota().read(kQuota, kWall).used, 1) << n;
    }
}

TEST(SourceMeter, NeverForgetsAPinnedEntry) {
    LimitRegistry registry;
    const auto meter = registry.source_meter("anonymous", limits(1), kStart);
    {
        const auto pin = meter->find_or_add(ip("10.0.0.1"), 0, kStart, kWall);
        EXPECT_TRUE(meter->find_or_add(ip("10.0.0.2"), 0, kStart, kWall).is_overflow());
    }
    EXPECT_FALSE(meter->find_or_add(ip("10.0.0.2"), 0, kStart, kWall).is_overflow());
}

TEST(SourceMeter, LetsNewcomersShareWhenEverybodyIsLimited) {
    LimitRegistry registry;
    const auto meter = registry.source_meter("anonymous", limits(4), kStart);
    for (std::uint32_t n = 0; n < 4; ++n) {
        EXPECT_TRUE(pass(*meter, numbered(n)));
        EXPECT_TRUE(pass(*meter, numbered(n)));
    }
    EXPECT_TRUE(pass(*meter, numbered(50)));
    EXPECT_TRUE(pass(*meter, numbered(51)));
    EXPECT_FALSE(pass(*meter, numbered(52))) << "the overflow entry's burst is used";
    EXPECT_EQ(meter->stats().overflows, 3u);
    for (std::uint32_t n = 0; n < 4; ++n) {
        EXPECT_FALSE(pass(*meter, numbered(n))) << "still limited";
    }
    EXPECT_TRUE(pass(*meter, numbered(52), kStart + 10s));
    EXPECT_EQ(meter->stats().entries, 4u);
}

TEST(SourceMeter, BoundsItsMemoryAndForgivesNobody) {
    LimitRegistry registry;
    const auto meter = registry.source_meter("anonymous", limits(1 << 16), kStart);
    constexpr std::uint32_t kLimited = 1000;
    for (std::uint32_t n = 0; n < kLimited; ++n) {
        while (pass(*meter, numbered(n), kStart + 3s * n)) {
        }
        // to the end of the quota
        for (int again = 0; again < 3; ++again) {
            (void)pass(*meter, numbered(n), kStart + 3s * n + 100s * again);
        }
    }
    const TimePoint later = kStart + 10'000s;
    for (std::uint32_t n = 0; n < 1'000'000; ++n) {
        ASSERT_TRUE(pass(*meter, numbered(0x0a000000 + n), later)) << n;
    }
    const SourceMeter::Stats stats = meter->stats();
    std::printf("    %zu entries, %zu bytes, %.1f bytes per entry, %llu evictions\n", stats.entries,
                stats.bytes, static_cast<double>(stats.bytes) / static_cast<double>(stats.entries),
                static_cast<unsigned long long>(stats.evictions));
    EXPECT_LE(stats.entries, std::size_t{1} << 16);
    EXPECT_LE(stats.bytes, (std::size_t{1} << 16) * 110);
    EXPECT_EQ(stats.overflows, 0u);
    for (std::uint32_t n = 0; n < kLimited; ++n) {
        ASSERT_FALSE(pass(*meter, numbered(n), later)) << "an exhausted quota was forgiven";
    }
}

TEST(SourceMeter, AFullTableTakesTheBytesItSays) {
    LimitRegistry registry;
    const auto meter = registry.source_meter("anonymous", SourceLimits{}, kStart);
    for (std::uint32_t n = 0; n < 1'100'000; ++n) {
        (void)meter->find_or_add(numbered(n), 0, kStart, kWall);
    }
    const SourceMeter::Stats stats = meter->stats();
    std::printf("    %zu entries, %.1f bytes per entry\n", stats.entries,
                static_cast<double>(stats.bytes) / static_cast<double>(stats.entries));
    EXPECT_LE(stats.entries, std::size_t{1} << 20);
    EXPECT_LE(stats.bytes, (std::size_t{1} << 20) * 100);
}

TEST(SourceMeter, IsSharedByThreads) {
    LimitRegistry registry;
    const auto meter = registry.source_meter("anonymous", limits(64, false), kStart);
    constexpr std::uint32_t kAddresses = 500;
    std::vector<std::thread> threads;
    std::atomic<int> admitted{0};
    for (std::uint32_t t = 0; t < 4; ++t) {
        threads.emplace_back([&, t] {
            for (std::uint32_t n = 0; n < 20'000; ++n) {
                admitted += pass(*meter, numbered(n * (t + 1) % kAddresses)) ? 1 : 0;
            }
        });
    }
    UsageJournal::Batch batch;
    for (int n = 0; n < 200; ++n) {
        registry.journal().collect(batch);
        (void)meter->usage();
        (void)registry.source_meter("anonymous", limits(64, false), kStart);
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    EXPECT_GT(admitted, 0);
    EXPECT_LE(meter->stats().entries, 64u);
}

TEST(SourceMeter, SavesItsCountersAndContinuesThem) {
    LimitRegistry before;
    const auto meter = before.source_meter("anonymous", limits(1000), kStart);
    for (int n = 0; n < 3; ++n) {
        EXPECT_TRUE(pass(*meter, ip("10.0.0.1"), kStart + 10s * n));
    }
    UsageJournal::Batch batch;
    before.journal().collect(batch);
    ASSERT_EQ(batch.counters.size(), 1u);
    EXPECT_EQ(batch.counters[0].plan, "anonymous");
    EXPECT_EQ(batch.counters[0].key, "ip:10.0.0.1");
    EXPECT_EQ(batch.counters[0].remaining, 0);

    LimitRegistry late, early;
    late.restore(batch.counters);
    EXPECT_FALSE(pass(*late.source_meter("anonymous", limits(1000), kStart), ip("10.0.0.1")));
    const auto present = early.source_meter("anonymous", limits(1000), kStart);
    early.restore(batch.counters);
    EXPECT_FALSE(pass(*present, ip("10.0.0.1")));
    EXPECT_EQ(early.usage("anonymous").size(), 1u);
}

TEST(SourceMeter, HandsOverTheCountOfWhomItForgets) {
    LimitRegistry registry;
    const auto meter = registry.source_meter("anonymous", limits(1), kStart);
    EXPECT_TRUE(pass(*meter, ip("10.0.0.1")));
    EXPECT_TRUE(pass(*meter, ip("10.0.0.2"), kStart + 10s));
    UsageJournal::Batch batch;
    registry.journal().collect(batch);
    ASSERT_EQ(batch.counters.size(), 2u);
    EXPECT_EQ(batch.counters[0].key, "ip:10.0.0.1");
    EXPECT_EQ(batch.counters[0].used, 1);
    EXPECT_EQ(batch.counters[1].key, "ip:10.0.0.2");
    EXPECT_EQ(registry.sweep(kStart + 20s, kWall), 0u);
}

}  // namespace
}  // namespace sluice::state
