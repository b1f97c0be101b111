// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <csignal>
#include <thread>

#include "support/load.hpp"
#include "support/proxied.hpp"

namespace test {
namespace {

TEST(ReloadStorm, HundredReloadsUnderLoadFailNothingAndLeakNothing) {
    Origin origin{[](const Received&) { return Answer::of(200, "ok"); }, {.keep = false}};
    Gateway gateway{kProxyEverything, {{"ORIGIN", origin.url()}}, {.workers = 2}};
    std::atomic<bool> stop{false};
    LoadResult load;
    std::jthread loader{[&] {
        load =
            run_load({.port = gateway.port(), .target = "/s/x", .connections = 32, .stop = &stop});
    }};
    ASSERT_TRUE(origin.wait_for(200));
    for (int i = 0; i < 10; ++i)
        ASSERT_EQ(gateway.reload().status, 200);
    const std::uint64_t before = gateway.resident_bytes();
    for (int i = 0; i < 100; ++i) {
        const int seen = origin.count();
        if (i % 2 == 0)
            ASSERT_EQ(gateway.reload().status, 200);
        else
            gateway.signal(SIGHUP);
        ASSERT_TRUE(origin.wait_for(seen + 50)) << "traffic goes on between two reloads";
    }
    stop = true;
    loader.join();
    EXPECT_EQ(load.failed, 0) << load.first_failure;
    EXPECT_EQ(load.answers(), load.count(200));
    const std::uint64_t after = gateway.resident_bytes();
    EXPECT_TRUE(kSanitized || after < before + 16 * 1024 * 1024) << before << " -> " << after;
    EXPECT_EQ(gateway.metrics().sum("sluice_requests_total"), static_cast<double>(load.answers()));
}

}  // namespace
}  // namespace test
