// SPDX-License-Identifier: Apache-2.0
#include "app/restart_rules.hpp"

namespace sluice::app {
namespace {

bool same_admin(const config::Config& a, const config::Config& b) {
    const config::Admin x = a.admin.value_or(config::Admin{});
    const config::Admin y = b.admin.value_or(config::Admin{});
    return x.address == y.address && x.port == y.port;
}

}  // namespace

std::string what_needs_restart(const config::Config& running, const config::Config& wanted) {
    if (!same_admin(running, wanted)) return "admin address and port";
    if (running.server.workers != wanted.server.workers) return "server.workers";
    if (running.server.metrics.history_bytes != wanted.server.metrics.history_bytes) {
        return "server.metrics.historyBytes";
    }
    if (running.state.store != wanted.state.store || running.state.path != wanted.state.path) {
        return "state";
    }
    const config::Redis& redis = running.state.redis;
    const config::Redis& other = wanted.state.redis;
    if (running.state.store == config::StoreKind::redis &&
        (redis.url != other.url || redis.on_failure != other.on_failure ||
         redis.lease != other.lease || redis.key_prefix != other.key_prefix ||
         redis.ca_file != other.ca_file)) {
        return "state.redis";
    }
    return {};
}

}  // namespace sluice::app
