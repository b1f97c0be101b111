// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>

#include "state/lease_source.hpp"
#include "state/redis_link.hpp"

struct redisReply;

namespace sluice::state {

/// Keys of one deployment. What a script touches together has one hash tag.
class RedisNames {
public:
    explicit RedisNames(std::string prefix) : prefix_{std::move(prefix)} {}
    std::string bucket(const std::string& name) const { return prefix_ + ":b:{" + name + '}'; }
    std::string quota(const std::string& plan, const std::string& key) const {
        return prefix_ + ":q:{" + plan + '|' + key + '}';
    }
    std::string days(const std::string& plan, const std::string& key) const {
        return prefix_ + ":d:{" + plan + '|' + key + '}';
    }
    /// A sorted set of the keys that used a plan, by the last day they did.
    std::string users(const std::string& plan) const { return prefix_ + ":k:{" + plan + '}'; }
    std::string alive() const { return prefix_ + ":{nodes}:alive"; }
    std::string mark() const { return prefix_ + ":{nodes}:mark"; }

private:
    std::string prefix_;
};

/// The store's time as an offset from the steady clock of this machine.
class RedisClock {
public:
    explicit RedisClock(std::atomic<std::int64_t>& offset) : offset_{offset} {}
    /// Redis said this time in answer to a call sent at `sent` and answered at `heard`.
    void saw(std::int64_t seconds, std::int64_t micros, TimePoint sent, TimePoint heard);

private:
    std::atomic<std::int64_t>& offset_;
};

/// Leases through Redis. One thread.
class RedisSource final : public LeaseSource {
public:
    RedisSource(RedisLink& link, RedisNames names, std::string instance, Retention retention,
                std::atomic<std::int64_t>& offset)
        : link_{link},
          names_{std::move(names)},
          instance_{std::move(instance)},
          retention_{retention},
          clock_{offset},
          offset_{offset} {}

    void ask(BucketAsk, std::function<void(const BucketAnswer&)>) override;
    void ask(QuotaAsk, std::function<void(const QuotaAnswer&)>) override;
    std::int64_t nodes() const override { return nodes_; }
    WallTime wall(TimePoint) const override;

    enum class Beat : std::uint8_t { failed, same_data, data_lost };
    void beat(std::function<void(Beat)>);
    void leave(std::function<void()>);
    void set_remaining(const std::string& plan, const std::string& key, const QuotaRule&,
                       std::int64_t remaining, std::function<void(Result<void>)>);

    std::uint64_t away_answers() const { return away_answers_; }

private:
    /// The texts of a script's answer; empty when it was none, and then Redis is away: an error
    /// of Redis (READONLY, LOADING, OOM, ...) is of no more use than silence.
    std::vector<std::string> texts_of(const redisReply*, std::size_t least);
    void heard_of(std::int64_t nodes);
    void see_time(const std::vector<std::string>&, TimePoint sent);

    RedisLink& link_;
    const RedisNames names_;
    const std::string instance_;
    const Retention retention_;
    RedisClock clock_;
    std::atomic<std::int64_t>& offset_;
    std::int64_t nodes_ = 1;
    std::optional<TimePoint> fewer_since_{};
    std::string mark_{};
    std::uint64_t away_answers_ = 0;
};

}  // namespace sluice::state
