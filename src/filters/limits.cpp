// SPDX-License-Identifier: Apache-2.0
#include "filters/limits.hpp"

#include <array>

namespace sluice::filters {

using state::Charge;
using state::Decision;
using state::Level;

/// What one request must pay, in the order of contract 4.
struct Limits::Charges {
    // Of a key's plan or of each source-IP plan two, of the stage's method and the account one.
    static constexpr std::size_t kMost = 2 * gateway::kMaxSourcePlans + 2;
    static_assert(kMost <= state::kMaxCharges);

    std::array<Charge, kMost> buckets{};
    std::size_t bucket_count = 0;
    std::array<state::QuotaCharge, gateway::kMaxSourcePlans> quotas{};
    std::size_t quota_count = 0;

    void bucket(state::TokenBucket& bucket, const state::BucketShape& shape, Level level) {
        buckets[bucket_count++] = {&bucket, &shape, level};
    }
    void quota(state::QuotaCounter& counter, const state::QuotaRule& rule) {
        quotas[quota_count++] = {&counter, &rule};
    }

    void add_plan(const Exchange&);
    Verdict decide(Exchange&) const;
};

void Limits::Charges::add_plan(const Exchange& x) {
    if (x.plan_use == nullptr) return;
    const gateway::Plan& plan = *x.plan_use->plan;
    state::KeyUse& use = *x.plan_use->use;
    if (const auto* limit = plan.limit_of(*x.method)) {
        bucket(use.method_bucket(limit->slot), limit->shape, Level::plan_method);
    }
    if (plan.shape) bucket(use.bucket(), *plan.shape, Level::plan);
    quota(use.quota(), plan.quota);
}

Verdict Limits::Charges::decide(Exchange& x) const {
    const Decision decision = state::decide({buckets.data(), bucket_count},
                                            {quotas.data(), quota_count}, x.started, x.wall);
    switch (decision.outcome) {
        case Decision::Outcome::admitted:
            return Verdict::pass;
        case Decision::Outcome::throttled:
            x.refused_by = decision.refused_by;
            x.retry_after = decision.retry_after;
            return x.reply(Reply::throttled);
        case Decision::Outcome::quota_exceeded:
            break;
    }
    for (std::size_t i = 0; i < quota_count; ++i) {
        const auto& [counter, rule] = quotas[i];
        if (!counter->exhausted(*rule, x.wall)) continue;
        x.retry_after = rule->window_end(rule->window_at(x.wall)) - x.wall;
    }
    return x.reply(Reply::quota_exceeded);
}

FilterPtr Limits::make(const gateway::MethodBuild& build) {
    const bool by_key = build.method_config.api_key_required;
    const bool by_source = !by_key && !build.stage.source_plans.empty();
    const bool shared = build.settings.throttle || build.snapshot.account;
    if (!by_key && !by_source && !shared) return nullptr;
    std::optional<gateway::SharedBucket> stage;
    if (build.settings.throttle) {
        stage = gateway::SharedBucket{*build.settings.throttle, build.stage_bucket};
    }
    return std::make_unique<Limits>(std::move(stage), by_source);
}

Verdict Limits::on_request(Exchange& x) const {
    Charges charges;
    charges.add_plan(x);
    if (stage_) charges.bucket(*stage_->bucket, stage_->shape, Level::stage_method);
    if (x.snapshot.account) {
        charges.bucket(*x.snapshot.account->bucket, x.snapshot.account->shape, Level::account);
    }
    if (by_source_) return decide_by_source(charges, x, 0);
    return charges.decide(x);
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
    const auto pin =
        plan.meter->find_or_add(x.source, state::SourceMeter::kPlanSlot, x.started, x.wall);
    charges.quota(pin.quota(), plan.quota);
    if (plan.shape) charges.bucket(pin.bucket(), *plan.shape, Level::source_ip);
    const auto* limit = plan.limit_of(*x.method);
    if (limit == nullptr) return decide_by_source(charges, x, next + 1);
    const auto method_pin = plan.meter->find_or_add(x.source, limit->slot, x.started, x.wall);
    charges.bucket(method_pin.bucket(), limit->shape, Level::source_ip);
    return decide_by_source(charges, x, next + 1);
}

}  // namespace sluice::filters
