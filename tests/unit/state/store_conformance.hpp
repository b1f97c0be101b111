// SPDX-License-Identifier: Apache-2.0
//
// The limits of one gateway on any store, without the gateway: what filters::Limits does, with a
// calendar and a clock that the test moves.
#pragma once

#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "sluice/state/limit_registry.hpp"
#include "sluice/state/redis_state.hpp"
#include "sluice/state/usage_writer.hpp"
#include "support/redis.hpp"

namespace sluice::state::conformance {

enum class Kind { memory, sqlite, redis };

/// The limits of one request. Absent ones do not apply.
struct Terms {
    std::string key = "k";
    std::string method = "m";  ///< whose t1 and t3 it is
    std::optional<BucketShape> t1{}, t2{}, t3{};
    std::optional<QuotaRule> quota{};
};

/// What one gateway process holds; it goes with it.
class Node {
public:
    Node(Kind kind, const std::filesystem::path& file, test::Redis* redis) {
        if (kind == Kind::redis) {
            RedisSettings settings;
            settings.port = std::to_string(redis->port());
            settings.patience = std::chrono::seconds{5};
            shared_ = std::move(*RedisState::open(std::move(settings)));
            usage_ = shared_->usage_store();
        } else if (kind == Kind::sqlite) {
            usage_ = std::move(open_sqlite_usage_store(file)->store);
        } else {
            usage_ = make_memory_usage_store();
        }
        UsageWriter::Options options;
        options.wall = [this] { return wall_; };
        writer_ = std::make_unique<UsageWriter>(registry_, *usage_, std::move(options));
        (void)writer_->restore();
    }
    ~Node() {
        (void)writer_->stop();
        if (shared_) shared_->stop();
    }
    Node(const Node&) = delete;
    Node& operator=(const Node&) = delete;

    /// For stores that do not know the time themselves.
    void set_time(TimePoint now, WallTime wall) {
        now_ = now;
        wall_ = wall;
    }

    Decision decide(const Terms& t) {
        const Places places = places_of(t);
        return settle([&](TimePoint now, WallTime wall, LeaseNeeds* needs) {
            std::vector<Charge> charges;
            std::vector<QuotaCharge> quotas;
            const auto add = [&](TokenBucket& bucket, const BucketShape& shape, Level level,
                                 const std::string& name, std::shared_ptr<const void> owner) {
                charges.push_back({&bucket, &shape, level});
                if (needs != nullptr && shape.is_leased() && bucket.needs_grant(now)) {
                    needs->buckets.push_back({name, &bucket, shape, std::move(owner)});
                }
            };
            KeyUse& use = *places.use;
            if (places.t1) {
                add(use.method_bucket(places.slot), *places.t1, Level::plan_method,
                    "key|p|" + t.key + '|' + t.method, places.use);
            }
            if (places.t2) {
                add(use.bucket(), *places.t2, Level::plan, "key|p|" + t.key, places.use);
            }
            if (places.t3) {
                add(*places.stage, *places.t3, Level::stage_method, "stage|" + t.method,
                    places.stage);
            }
            quotas.push_back({&use.quota(), &places.rule});
            if (needs != nullptr && use.quota().exhausted(places.rule, wall) &&
                use.quota().needs_grant(places.rule, wall, now)) {
                needs->quotas.push_back({"p", t.key, &use.quota(), places.rule, places.use});
            }
            return state::decide(charges, quotas, now, wall);
        });
    }

    int admitted(const Terms& t, int requests) {
        int count = 0;
        for (int i = 0; i < requests; ++i)
            count += decide(t).outcome == Decision::Outcome::admitted;
        return count;
    }

    /// An address against a plan with meterBy: sourceIp.
    bool admits(const IpAddress& address, SourceLimits limits) {
        limits.throttle = kept(limits.throttle);
        const auto meter = registry_.source_meter("anonymous", limits, now());
        const Decision d = settle([&](TimePoint now, WallTime wall, LeaseNeeds* needs) {
            const auto pin = meter->find_or_add(address, SourceMeter::kPlanSlot, now, wall);
            if (needs != nullptr && limits.throttle.is_leased() && pin.bucket().needs_grant(now)) {
                needs->buckets.push_back(
                    {"key|anonymous|" + meter->key_of(address), &pin.bucket(), limits.throttle,
                     meter->hold(address, SourceMeter::kPlanSlot, now, wall, meter)});
            }
            const Charge charge{&pin.bucket(), &limits.throttle, Level::source_ip};
            return state::decide({&charge, 1}, {}, now, wall);
        });
        return d.outcome == Decision::Outcome::admitted;
    }

    std::vector<DayRow> history(std::int32_t from, std::int32_t to) {
        EXPECT_TRUE(writer_->flush_now());
        return *usage_->history({.plan = "p", .key = "k", .from = from, .to = to});
    }
    /// [used, remaining] of the day.
    std::pair<std::int64_t, std::int64_t> usage(const Terms& t) {
        const std::int32_t today = day_at(wall());
        const auto rows = history(today, today);
        if (rows.empty()) return {0, t.quota->limit};
        return {rows[0].used, rows[0].remaining};
    }
    void set_remaining(const Terms& t, std::int64_t remaining) {
        if (shared_) {
            EXPECT_TRUE(shared_->set_remaining("p", t.key, *t.quota, remaining));
        } else {
            places_of(t).use->quota().set_remaining(*t.quota, wall(), remaining);
        }
    }
    TimePoint now() const { return shared_ ? std::chrono::steady_clock::now() : now_; }
    WallTime wall() const { return shared_ ? shared_->limits().wall(now()) : wall_; }
    LimitRegistry& registry() { return registry_; }

private:
    struct Places {
        std::shared_ptr<KeyUse> use;
        std::size_t slot = 0;
        std::shared_ptr<TokenBucket> stage;
        std::optional<BucketShape> t1, t2, t3;
        QuotaRule rule;
    };
    struct Waiter final : LeaseWaiter {
        std::promise<void> done{};
        void resolved(Outcome) noexcept override { done.set_value(); }
    };

    BucketShape kept(const BucketShape& shape) const { return shared_ ? shape.leased() : shape; }

    Places places_of(const Terms& t) {
        const std::lock_guard lock{mutex_};
        PlanUse::Limits limits;
        Places places;
        if (t.t1) {
            places.t1 = kept(*t.t1);
            limits.methods.push_back({t.method, *places.t1});
        }
        if (t.t2) limits.throttle = *(places.t2 = kept(*t.t2));
        if (t.quota) {
            limits.quota = t.quota;
            limits.quota->leased = shared_ != nullptr;
        }
        const auto plan = registry_.plan("p", limits, now());
        places.use = registry_.key_use("p", t.key);
        places.rule = plan->rule();
        if (t.t1) places.slot = *plan->slot(t.method);
        if (t.t3) {
            places.t3 = kept(*t.t3);
            places.stage = registry_.bucket("stage|" + t.method, *places.t3, now());
        }
        return places;
    }

    template <class Decide>
    Decision settle(const Decide& decide) {
        for (;;) {
            LeaseNeeds needs;
            const Decision d = decide(now(), wall(), shared_ ? &needs : nullptr);
            if (d.outcome != Decision::Outcome::undecided) return d;
            const auto waiter = std::make_shared<Waiter>();
            shared_->limits().ask(std::move(needs), waiter);
            waiter->done.get_future().wait();
        }
    }

    TimePoint now_{};
    WallTime wall_{};
    std::mutex mutex_;  ///< of places_of
    std::unique_ptr<RedisState> shared_{};
    std::unique_ptr<UsageStore> usage_{};
    LimitRegistry registry_{};
    std::unique_ptr<UsageWriter> writer_{};
};

/// A store, its present node, and the time.
class Scene {
public:
    explicit Scene(Kind kind) : kind_{kind} {
        if (kind == Kind::redis) redis_ = std::make_unique<test::Redis>();
        using namespace std::chrono;
        set(sys_days{2026y / 3 / 10} + hours{12});
    }
    Node& node() { return *node_; }
    Node* operator->() { return node_.get(); }

    /// Forwards. A redis decides by its own time, and a new node asks it.
    void set(WallTime wall) {
        if (wall_ != WallTime{}) now_ += wall - wall_;
        wall_ = wall;
        if (redis_) {
            node_.reset();
            redis_->clock().freeze(wall.time_since_epoch());
        }
        if (!node_) restart();
        node_->set_time(now_, wall_);
    }
    void advance(std::chrono::milliseconds time) { set(wall_ + time); }
    void restart() {
        node_.reset();
        node_ = make_node();
    }
    std::unique_ptr<Node> make_node() {
        auto node = std::make_unique<Node>(kind_, directory_.path() / "state.db", redis_.get());
        node->set_time(now_, wall_);
        return node;
    }
    test::Redis* redis() { return redis_.get(); }

private:
    const Kind kind_;
    test::TempDir directory_{};
    std::unique_ptr<test::Redis> redis_{};
    std::unique_ptr<Node> node_{};
    TimePoint now_ = kBucketEpoch + std::chrono::hours{1};
    WallTime wall_{};
};

}  // namespace sluice::state::conformance
