// SPDX-License-Identifier: Apache-2.0
//
// Limits and usage that several gateways share through one Redis.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "sluice/base/result.hpp"
#include "sluice/state/shared_limits.hpp"
#include "sluice/state/usage_store.hpp"

namespace sluice::state {

/// What a node does while Redis is away (contract: state.redis.onFailure).
enum class AwayMode : std::uint8_t {
    local,   ///< goes on with its share of every limit
    closed,  ///< refuses what needs a lease
    open,    ///< admits, and counts later
};

struct RedisSettings {
    std::string host = "127.0.0.1";
    std::string port = "6379";
    std::string user{};  ///< empty = Redis's default user
    std::string password{};
    int database = 0;
    bool tls = false;
    std::filesystem::path ca_file{};  ///< empty = the system's store
    std::string prefix = "sluice";    ///< of every key
    AwayMode away = AwayMode::local;
    std::chrono::milliseconds lease{100};
    std::chrono::milliseconds patience{250};  ///< without an answer Redis counts as away
    Retention retention{};
    /// Called from the store's thread, once per absence and once after it.
    std::function<void(const std::string& why)> on_away{};
    std::function<void(std::chrono::milliseconds absence)> on_back{};
};

/// Owns one thread and one connection.
class RedisState {
public:
    struct Stats {
        bool connected = false;
        std::uint64_t connects = 0;
        std::uint64_t absences = 0;
        std::uint64_t calls = 0;  ///< answered or not
        std::uint64_t waited_ns = 0;
        std::uint64_t scripts_sent = 0;
        std::uint64_t bucket_grants = 0;
        std::uint64_t quota_grants = 0;
        std::uint64_t tokens = 0;
        std::uint64_t away_answers = 0;  ///< questions decided without Redis
        std::uint64_t asks = 0;          ///< requests that had to wait
        std::int64_t nodes = 0;
        std::size_t leases = 0;
    };

    /// Waits for the first connection, but not for long: without one it begins as if away. Code
    /// "redis_tls" when the CA file is of no use.
    static Result<std::unique_ptr<RedisState>> open(RedisSettings);
    virtual ~RedisState() = default;

    virtual SharedLimits& limits() = 0;
    /// Counts by day, of all nodes. Does not outlive this.
    virtual std::unique_ptr<UsageStore> usage_store() = 0;
    /// UpdateUsage (aws-semantics 4.4): what remains of the present window, for all nodes.
    virtual Result<void> set_remaining(const std::string& plan, const std::string& key,
                                       const QuotaRule&, std::int64_t remaining) = 0;
    virtual Stats stats() const = 0;
    /// Gives every lease back. Nothing may ask any more.
    virtual void stop() = 0;
};

}  // namespace sluice::state
