// SPDX-License-Identifier: Apache-2.0
#include "sluice/state/limit_registry.hpp"

#include <algorithm>
#include <stdexcept>

namespace sluice::state {

namespace {

// The sweeper reads the clock itself, just now.
constexpr std::chrono::nanoseconds kSkew = std::chrono::seconds{1};

struct alignas(64) LoneBucket {
    TokenBucket bucket{};
};

// Nobody but the registry holds it, and what the last holder wrote is visible.
template <class T>
bool is_unheld(const std::shared_ptr<T>& held) {
    if (held.use_count() != 1) return false;
    std::atomic_thread_fence(std::memory_order_acquire);
    return true;
}

}  // namespace

struct LimitRegistry::Named {
    std::shared_ptr<TokenBucket> bucket;
    BucketShape shape;
};

struct LimitRegistry::Plan {
    std::shared_ptr<PlanUse> use{};
    ByName<std::shared_ptr<KeyUse>> keys{};
    std::vector<std::shared_ptr<SourceMeter>> meters{};  // the last one is the present one
    ByName<UsageRow> restored{};                         // of keys nobody asked for yet
};

LimitRegistry::LimitRegistry() : journal_(std::make_shared<UsageJournal>()) {}
LimitRegistry::~LimitRegistry() = default;

std::shared_ptr<TokenBucket> LimitRegistry::bucket(std::string_view identity,
                                                   const BucketShape& shape, TimePoint now) {
    const std::lock_guard lock(mutex_);
    const auto found = buckets_.find(identity);
    if (found == buckets_.end()) {
        const auto lone = std::make_shared<LoneBucket>();
        const std::shared_ptr<TokenBucket> bucket{lone, &lone->bucket};
        buckets_.emplace(identity, Named{bucket, shape});
        return bucket;
    }
    Named& named = found->second;
    if (named.shape != shape) named.bucket->reshape(named.shape, shape, now);
    named.shape = shape;
    return named.bucket;
}

LimitRegistry::Plan& LimitRegistry::plan_of(std::string_view plan_id) {
    const auto found = plans_.find(plan_id);
    if (found != plans_.end()) return *found->second;
    return *plans_.emplace(plan_id, std::make_unique<Plan>()).first->second;
}

std::shared_ptr<PlanUse> LimitRegistry::plan(std::string_view plan_id,
                                             const PlanUse::Limits& limits, TimePoint now) {
    const std::lock_guard lock(mutex_);
    Plan& plan = plan_of(plan_id);
    if (!plan.use) {
        plan.use = std::make_shared<PlanUse>(std::string{plan_id}, journal_, limits);
        return plan.use;
    }
    for (const PlanUse::Change& change : plan.use->adopt(limits)) {
        for (const auto& [id, key] : plan.keys) {
            key->reshape(change, now);
        }
    }
    return plan.use;
}

std::shared_ptr<KeyUse> LimitRegistry::key_use(std::string_view plan_id, std::string_view key_id) {
    const std::lock_guard lock(mutex_);
    Plan& plan = plan_of(plan_id);
    if (!plan.use) throw std::logic_error("key_use: plan was not declared");
    const auto found = plan.keys.find(key_id);
    if (found != plan.keys.end()) return found->second;
    auto key = std::make_shared<KeyUse>(plan.use, key_id);
    if (const auto row = plan.restored.find(key_id); row != plan.restored.end()) {
        const UsageRow& r = row->second;
        key->quota().restore({r.window, r.used, r.extension, r.day, r.used_that_day});
        plan.restored.erase(row);
    }
    plan.keys.emplace(key_id, key);
    return key;
}

std::shared_ptr<SourceMeter> LimitRegistry::source_meter(std::string_view plan_id,
                                                         const SourceLimits& limits,
                                                         TimePoint now) {
    const std::lock_guard lock(mutex_);
    Plan& plan = plan_of(plan_id);
    const auto found = std::find_if(plan.meters.begin(), plan.meters.end(), [&](const auto& m) {
        return m->has_prefixes(limits.v4_bits, limits.v6_bits);
    });
    if (found != plan.meters.end()) {
        std::rotate(found, found + 1, plan.meters.end());
        plan.meters.back()->adopt(limits, now);
        return plan.meters.back();
    }
    auto meter = std::make_shared<SourceMeter>(std::string{plan_id}, limits, journal_);
    std::vector<const UsageRow*> rows;
    for (const auto& [key, row] : plan.restored) {
        rows.push_back(&row);
    }
    // Should the table be too small for all, those that used most are not forgiven.
    std::sort(rows.begin(), rows.end(),
              [](const UsageRow* a, const UsageRow* b) { return a->used > b->used; });
    for (const UsageRow* row : rows) {
        meter->restore(*row);
    }
    std::erase_if(plan.restored, [](const auto& r) { return r.first.starts_with("ip:"); });
    plan.meters.push_back(meter);
    return meter;
}

void LimitRegistry::restore(std::span<const UsageRow> rows) {
    const std::lock_guard lock(mutex_);
    for (const UsageRow& row : rows) {
        Plan& plan = plan_of(row.plan);
        if (const auto key = plan.keys.find(row.key); key != plan.keys.end()) {
            key->second->quota().restore(
                {row.window, row.used, row.extension, row.day, row.used_that_day});
        } else if (plan.meters.empty() || !plan.meters.back()->restore(row)) {
            plan.restored.insert_or_assign(row.key, row);
        }
    }
}

std::vector<UsageRow> LimitRegistry::usage(std::string_view plan_id,
                                           std::string_view key_id) const {
    const std::lock_guard lock(mutex_);
    std::vector<UsageRow> rows;
    const auto found = plans_.find(plan_id);
    if (found == plans_.end()) return rows;
    for (const auto& [id, key] : found->second->keys) {
        if (key_id.empty() || key_id == id) rows.push_back(key->row());
    }
    for (const auto& meter : found->second->meters) {
        std::vector<UsageRow> more = meter->usage();
        std::erase_if(more, [&](const auto& r) { return !key_id.empty() && r.key != key_id; });
        std::move(more.begin(), more.end(), std::back_inserter(rows));
    }
    return rows;
}

std::shared_ptr<KeyUse> LimitRegistry::find_key(std::string_view plan_id,
                                                std::string_view key_id) const {
    const std::lock_guard lock(mutex_);
    const auto plan = plans_.find(plan_id);
    if (plan == plans_.end()) return nullptr;
    const auto key = plan->second->keys.find(key_id);
    return key == plan->second->keys.end() ? nullptr : key->second;
}

std::size_t LimitRegistry::sweep_keys(Plan& plan, TimePoint now, WallTime wall) {
    if (plan.keys.empty()) return 0;
    const PlanUse::Limits limits = plan.use->limits();
    return std::erase_if(plan.keys, [&](const auto& entry) {
        const std::shared_ptr<KeyUse>& key = entry.second;
        key->settle(limits, now, kSkew);
        if (!is_unheld(key) || !key->is_idle(limits, now, wall)) return false;
        // Its last day goes to the history: if the key comes back, its row begins anew.
        UsageRow last = key->row();
        if (last.used_that_day > 0) {
            journal_->finished({std::move(last.plan), std::move(last.key), last.day,
                                last.used_that_day, last.remaining});
        }
        return true;
    });
}

std::size_t LimitRegistry::sweep(TimePoint now, WallTime wall) {
    const std::lock_guard lock(mutex_);
    const auto guard = journal_->guard();
    for (const auto& [identity, named] : buckets_) {
        named.bucket->settle(named.shape, now, kSkew);
    }
    std::size_t dropped = std::erase_if(buckets_, [&](const auto& entry) {
        const Named& named = entry.second;
        return is_unheld(named.bucket) && named.bucket->is_full(named.shape, now);
    });
    for (auto& [id, plan] : plans_) {
        dropped += sweep_keys(*plan, now, wall);
        dropped += std::erase_if(plan->meters, [&](const auto& meter) {
            return is_unheld(meter) && meter->is_idle(now, wall);
        });
    }
    std::erase_if(plans_, [](const auto& entry) {
        const Plan& plan = *entry.second;
        const bool is_free = !plan.use || is_unheld(plan.use);
        return is_free && plan.keys.empty() && plan.meters.empty() && plan.restored.empty();
    });
    return dropped;
}

LimitRegistry::Sizes LimitRegistry::sizes() const {
    const std::lock_guard lock(mutex_);
    Sizes sizes{.buckets = buckets_.size(), .keys = 0, .sources = 0};
    for (const auto& [id, plan] : plans_) {
        sizes.keys += plan->keys.size();
        for (const auto& meter : plan->meters) {
            sizes.sources += meter->stats().entries;
        }
    }
    return sizes;
}

}  // namespace sluice::state
