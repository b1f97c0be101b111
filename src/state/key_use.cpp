// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "sluice/state/limit_registry.hpp"
#include "state/source_table.hpp"

namespace sluice::state {

PlanUse::PlanUse(std::string id, std::shared_ptr<UsageJournal> journal, const Limits& limits)
    : id_(std::move(id)), journal_(std::move(journal)), throttle_(limits.throttle) {
    adopt(limits);
}

std::optional<std::size_t> PlanUse::find(std::string_view identity) const {
    const auto found = std::find_if(methods_.begin(), methods_.end(),
                                    [&](const MethodLimit& m) { return m.identity == identity; });
    if (found == methods_.end()) return std::nullopt;
    return static_cast<std::size_t>(found - methods_.begin());
}

std::optional<std::size_t> PlanUse::slot(std::string_view identity) const {
    const std::lock_guard lock(mutex_);
    return find(identity);
}

QuotaRule PlanUse::rule() const {
    const std::lock_guard lock(mutex_);
    return rule_;
}

PlanUse::Limits PlanUse::limits() const {
    const std::lock_guard lock(mutex_);
    return {throttle_, rule_, methods_};
}

std::vector<PlanUse::Change> PlanUse::adopt(const Limits& limits) {
    const std::lock_guard lock(mutex_);
    std::vector<Change> changes;
    if (throttle_ != limits.throttle) changes.push_back({kPlanBucket, throttle_, limits.throttle});
    throttle_ = limits.throttle;
    rule_ = limits.quota.value_or(QuotaRule::unlimited());
    for (const MethodLimit& method : limits.methods) {
        const auto slot = find(method.identity);
        if (!slot) {
            methods_.push_back(method);
        } else if (methods_[*slot].shape != method.shape) {
            changes.push_back({*slot, methods_[*slot].shape, method.shape});
            methods_[*slot].shape = method.shape;
        }
    }
    slots_.store(methods_.size(), std::memory_order_release);
    return changes;
}

/// Slots first .. first + count - 1, after those that are in KeyUse itself. A plan that gains
/// methods adds a block; none ever moves, for requests hold references.
struct KeyUse::MethodBuckets {
    std::size_t first;
    std::size_t count;
    std::unique_ptr<TokenBucket[]> buckets;
    std::atomic<MethodBuckets*> next{nullptr};
};

KeyUse::KeyUse(std::shared_ptr<PlanUse> plan, std::string_view key_id)
    : plan_(std::move(plan)), key_id_(std::make_unique<std::string>(key_id)) {
    static_assert(sizeof(UsageOwner) + sizeof bucket_ + sizeof quota_ + sizeof more_methods_ == 64);
    static_assert(sizeof(KeyUse) == 128);
    quota_.observe(this);
}

KeyUse::~KeyUse() {
    MethodBuckets* block = more_methods_.load();
    while (block != nullptr)
        delete std::exchange(block, block->next.load());
}

TokenBucket& KeyUse::further_method_bucket(std::size_t slot) {
    std::atomic<MethodBuckets*>* link = &more_methods_;
    for (std::size_t first = kFirstMethods;;) {
        MethodBuckets* block = link->load(std::memory_order_acquire);
        if (block == nullptr) {
            const std::size_t count = std::max(plan_->slots(), slot + 1) - first;
            std::unique_ptr<MethodBuckets> made{
                new MethodBuckets{first, count, std::make_unique<TokenBucket[]>(count), nullptr}};
            if (link->compare_exchange_strong(block, made.get(), std::memory_order_acq_rel)) {
                block = made.release();
            }
        }
        first = block->first + block->count;
        if (slot < first) return block->buckets[slot - block->first];
        link = &block->next;
    }
}

template <class Visit>
bool KeyUse::all_of_methods(const Visit& visit) const {
    for (std::size_t slot = 0; slot < kFirstMethods; ++slot) {
        if (!visit(first_methods_[slot], slot)) return false;
    }
    for (MethodBuckets* block = more_methods_.load(); block != nullptr;
         block = block->next.load()) {
        for (std::size_t i = 0; i < block->count; ++i) {
            if (!visit(block->buckets[i], block->first + i)) return false;
        }
    }
    return true;
}

void KeyUse::changed(QuotaCounter& counter) noexcept { plan_->journal_->changed(counter); }

void KeyUse::finished(const QuotaCounter&, const Day& day) noexcept {
    plan_->journal_->finished({plan_->id(), *key_id_, day.day, day.used, day.remaining});
}

UsageRow KeyUse::row(const QuotaCounter& counter) const {
    return usage_row(plan_->id(), *key_id_, counter, plan_->rule(), number_);
}

void KeyUse::reshape(const PlanUse::Change& change, TimePoint now) {
    if (change.slot == PlanUse::kPlanBucket) return bucket_.reshape(change.from, change.to, now);
    all_of_methods([&](TokenBucket& bucket, std::size_t slot) {
        if (slot == change.slot) bucket.reshape(change.from, change.to, now);
        return true;
    });
}

template <class Visit>
bool KeyUse::all_of_buckets(const PlanUse::Limits& limits, const Visit& visit) const {
    if (!visit(bucket_, limits.throttle)) return false;
    return all_of_methods([&](TokenBucket& bucket, std::size_t slot) {
        return slot >= limits.methods.size() || visit(bucket, limits.methods[slot].shape);
    });
}

void KeyUse::settle(const PlanUse::Limits& limits, TimePoint now, std::chrono::nanoseconds skew) {
    all_of_buckets(limits, [&](TokenBucket& bucket, const BucketShape& shape) {
        bucket.settle(shape, now, skew);
        return true;
    });
}

bool KeyUse::is_idle(const PlanUse::Limits& limits, TimePoint now, WallTime wall) const {
    if (quota_.is_changed() || quota_.read(*limits.quota, wall).used != 0) return false;
    return all_of_buckets(limits, [&](const TokenBucket& bucket, const BucketShape& shape) {
        return bucket.is_full(shape, now);
    });
}

}  // namespace sluice::state
