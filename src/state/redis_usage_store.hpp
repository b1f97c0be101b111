// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>

#include "sluice/state/usage_store.hpp"
#include "state/redis_source.hpp"

struct redisReply;

namespace sluice::state {

/// Sends calls from another thread and waits for their answers, in slices, so that leases are
/// never behind a long row of them.
class RedisCalls {
public:
    struct Call {
        const RedisScript* script = nullptr;  ///< null: `words` are a plain command
        std::vector<std::string> words{};     ///< of a script: its key, then the arguments
    };
    /// An answer as lists of texts. "redis_away" when one of them has none.
    using Answers = std::vector<std::vector<std::string>>;

    virtual ~RedisCalls() = default;
    virtual Result<Answers> call(std::vector<Call>) = 0;
};

/// Usage by day. Every node saves its own counts as absolute numbers, in fields of its own, so
/// saving twice does no harm; a report adds them up.
std::unique_ptr<UsageStore> make_redis_usage_store(RedisCalls&, RedisNames, std::string instance,
                                                   Retention);

}  // namespace sluice::state
