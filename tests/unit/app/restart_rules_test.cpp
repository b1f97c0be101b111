// SPDX-License-Identifier: Apache-2.0
#include "app/restart_rules.hpp"

#include <gtest/gtest.h>

namespace sluice::app {
namespace {

/// What it takes to go from the defaults to a configuration with this change.
template <class Change>
std::string needed(Change change) {
    config::Config wanted;
    change(wanted);
    return what_needs_restart({}, wanted);
}

TEST(WhatNeedsRestart, IsNothingForWhatTrafficUses) {
    EXPECT_EQ(needed([](config::Config&) {}), "");
    EXPECT_EQ(needed([](config::Config& c) {
                  c.compatibility = config::Compatibility::aws;
                  c.rest_apis.push_back({.id = "a"});
                  c.server.limits.body_bytes = 1;
                  c.server.timeouts.header = config::seconds{1};
                  c.server.account_throttle.emplace();
                  c.listeners.push_back({.name = "public", .port = 1234});
              }),
              "");
}

TEST(WhatNeedsRestart, IsTheAdminListenerWhenItMoves) {
    EXPECT_EQ(needed([](config::Config& c) { c.admin = config::Admin{}; }), "")
        << "absent means the defaults";
    EXPECT_EQ(needed([](config::Config& c) { c.admin = config::Admin{.token = "new"}; }), "");
    EXPECT_EQ(needed([](config::Config& c) { c.admin = config::Admin{.port = 1}; }),
              "admin address and port");
    EXPECT_EQ(needed([](config::Config& c) { c.admin = config::Admin{.address = "::1"}; }),
              "admin address and port");
}

TEST(WhatNeedsRestart, IsTheNumberOfWorkers) {
    EXPECT_EQ(needed([](config::Config& c) { c.server.workers = 3; }), "server.workers");
}

TEST(WhatNeedsRestart, IsTheStore) {
    EXPECT_EQ(needed([](config::Config& c) { c.state.store = config::StoreKind::memory; }),
              "state");
    EXPECT_EQ(needed([](config::Config& c) { c.state.path = "other.db"; }), "state");
}

}  // namespace
}  // namespace sluice::app
