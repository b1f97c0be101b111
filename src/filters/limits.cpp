// SPDX-License-Identifier: Apache-2.0
#include "filters/limits.hpp"

#include <utility>

#include "filters/lease_wait.hpp"
#include "sluice/base/inline_list.hpp"

namespace sluice::filters {

using state::Charge;
using state::Decision;
using state::Level;

/// What one request must pay, in the order of contract 4.
struct Limits::Charges {
    // Of a key's plan or of each source-IP plan two, of the stage's method and the account one.
    static constexpr std::size_t kMost = 2 * gateway::kMaxSourcePlans + 2;
    static_assert(kMost <= state::kMaxCharges);

    Charges(TimePoint decided_at, WallTime day) : now{decided_at}, wall{day} {}

    const TimePoint now;
    const WallTime wall;
    InlineList<Charge, kMost> buckets{};
    InlineList<state::QuotaCharge, gateway::kMaxSourcePlans> quotas{};
    state::LeaseNeeds* needs = nullptr;  ///< set: what is empty and leased is listed here

    void bucket(state::TokenBucket& bucket, const state::BucketShape& shape, Level level) {
        buckets.push({&bucket, &shape, level});
    }
    void quota(state::QuotaCounter& counter, const state::QuotaRule& rule) {
        quotas.push({&counter, &rule});
    }
    /// `name`, `key` and `owner` are only asked for when they are needed.
    template <class Name, class Owner>
    void need(state::TokenBucket& bucket, const state::BucketShape& shape, const Name& name,
              const Owner& owner) const {
        if (needs == nullptr || !shape.is_leased() || !bucket.needs_grant(now)) return;
        needs->buckets.push_back({name(), &bucket, shape, owner()});
    }
    template <class Key, class Owner>
    void need(state::QuotaCounter& counter, const state::QuotaRule& rule, const std::string& plan,
              const Key& key, const Owner& owner) const {
        if (needs == nullptr || !rule.leased || !counter.exhausted(rule, wall)) return;
        if (!counter.needs_grant(rule, wall, now)) return;
        needs->quotas.push_back({plan, key(), &counter, rule, owner()});
    }

    void add_plan(const Exchange&);
    void add_shared(const gateway::SharedBucket&, Level);
    Verdict decide(Exchange&) const;
};

void Limits::Charges::add_plan(const Exchange& x) {
    if (x.plan_use == nullptr) return;
    const gateway::Plan& plan = *x.plan_use->plan;
    state::KeyUse& use = *x.plan_use->use;
    const auto owner = [&] { return x.plan_use->use; };
    if (const auto* limit = plan.limit_of(*x.method)) {
        state::TokenBucket& own = use.method_bucket(limit->slot);
        bucket(own, limit->shape, Level::plan_method);
        need(
            own, limit->shape,
            [&] { return "key|" + plan.id + '|' + use.key_id() + '|' + limit->name; }, owner);
    }
    if (plan.shape) {
        bucket(use.bucket(), *plan.shape, Level::plan);
        need(
            use.bucket(), *plan.shape, [&] { return "key|" + plan.id + '|' + use.key_id(); },
            owner);
    }
    quota(use.quota(), plan.quota);
    need(
        use.quota(), plan.quota, plan.id, [&] { return use.key_id(); }, owner);
}

void Limits::Charges::add_shared(const gateway::SharedBucket& shared, Level level) {
    bucket(*shared.bucket, shared.shape, level);
    need(
        *shared.bucket, shared.shape, [&] { return shared.name; }, [&] { return shared.bucket; });
}

Verdict Limits::Charges::decide(Exchange& x) const {
    const Decision decision = state::decide(buckets.all(), quotas.all(), now, wall);
    switch (decision.outcome) {
        case Decision::Outcome::admitted:
            return Verdict::pass;
        case Decision::Outcome::undecided:
            return Verdict::wait;
        case Decision::Outcome::throttled:
            x.refused_by = decision.refused_by;
            x.retry_after = decision.retry_after;
            return x.reply(Reply::throttled);
        case Decision::Outcome::quota_exceeded:
            break;
    }
    for (const auto& [counter, rule] : quotas.all()) {
        if (!counter->exhausted(*rule, wall)) continue;
        x.retry_after = rule->window_end(rule->window_at(wall)) - wall;
    }
    return x.reply(Reply::quota_exceeded);
}

FilterPtr Limits::make(const gateway::MethodBuild& build) {
    const bool by_key = build.method_config.api_key_required;
    const bool by_source = !by_key && !build.stage.source_plans.empty();
    const bool shared = build.settings.throttle || build.snapshot.account;
    if (!by_key && !by_source && !shared) return nullptr;
    return std::make_unique<Limits>(build.stage_bucket, by_source);
}

Verdict Limits::decide(Charges& charges, Exchange& x) const {
    charges.add_plan(x);
    if (stage_) charges.add_shared(*stage_, Level::stage_method);
    if (x.snapshot.account) charges.add_shared(*x.snapshot.account, Level::account);
    if (by_source_) return decide_by_source(charges, x, 0);
    return charges.decide(x);
}

Verdict Limits::on_request(Exchange& x) const {
    const state::SharedLimits* shared = x.snapshot.shared;
    Charges charges{x.started, shared == nullptr ? x.wall : shared->wall(x.started)};
    return decide(charges, x);
}

/// Asks for what is missing and decides again: somebody else may have been quicker.
Task<Verdict> Limits::on_request_async(Exchange& x) const {
    state::SharedLimits& shared = *x.snapshot.shared;
    const TimePoint deadline = x.worker.reactor.now() + kLeasePatience;
    for (;;) {
        const TimePoint now = std::chrono::steady_clock::now();
        Charges charges{now, shared.wall(now)};
        state::LeaseNeeds needs;
        charges.needs = &needs;
        const Verdict verdict = decide(charges, x);
        if (verdict != Verdict::wait) co_return verdict;
        const LeaseWait::Outcome outcome =
            co_await LeaseWait::ask(shared, std::move(needs), x.client.channel(), deadline);
        if (outcome == LeaseWait::Outcome::answered) continue;
        x.retry_after = std::chrono::seconds{1};
        co_return x.reply(Reply::service_unavailable);
    }
}

/// Adds what the `next` plan keeps for this address, and decides when there is no further plan:
/// the pins of the table live on the stack of this recursion.
Verdict Limits::decide_by_source(Charges& charges, Exchange& x, std::size_t next) const {
    const auto& plans = x.stage->source_plans;
    if (next == plans.size()) {
        return charges.decide(x);
    }
    const gateway::Plan& plan = *plans[next];
    x.plan_id = plan.id;
    const auto find = [&](std::size_t slot) {
        return plan.meter->find_or_add(x.source, slot, charges.now, charges.wall);
    };
    const auto pin = find(state::SourceMeter::kPlanSlot);
    const auto owner = [&](std::size_t slot) {
        return plan.meter->hold(x.source, slot, charges.now, charges.wall, plan.meter);
    };
    const auto caller = [&](const state::SourceMeter::Pin& p) {
        return p.is_overflow() ? std::string{"ip:overflow"} : plan.meter->key_of(x.source);
    };
    charges.quota(pin.quota(), plan.quota);
    const auto plan_owner = [&] { return owner(state::SourceMeter::kPlanSlot); };
    charges.need(
        pin.quota(), plan.quota, plan.id, [&] { return caller(pin); }, plan_owner);
    if (plan.shape) {
        charges.bucket(pin.bucket(), *plan.shape, Level::source_ip);
        charges.need(
            pin.bucket(), *plan.shape, [&] { return "key|" + plan.id + '|' + caller(pin); },
            plan_owner);
    }
    const auto* limit = plan.limit_of(*x.method);
    if (limit == nullptr) return decide_by_source(charges, x, next + 1);
    const auto method_pin = find(limit->slot);
    charges.bucket(method_pin.bucket(), limit->shape, Level::source_ip);
    charges.need(
        method_pin.bucket(), limit->shape,
        [&] { return "key|" + plan.id + '|' + caller(method_pin) + '|' + limit->name; },
        [&] { return owner(limit->slot); });
    return decide_by_source(charges, x, next + 1);
}

}  // namespace sluice::filters
