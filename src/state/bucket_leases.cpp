// SPDX-License-Identifier: Apache-2.0
#include "state/bucket_leases.hpp"

#include <algorithm>
#include <utility>

namespace sluice::state {

namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

// A refusal holds at least this long, so that a flood makes few round trips. Tokens that come
// meanwhile wait in the bucket.
constexpr nanoseconds kShortestRefusal = milliseconds{2};
// A token that a waiting request was given is taken in microseconds, or not at all.
constexpr nanoseconds kUnclaimed = milliseconds{20};

}  // namespace

std::int64_t BucketLeases::most(const Lease& lease) const {
    const double all = lease.shape.rate() * std::chrono::duration<double>(settings_.lease).count();
    const auto nodes = static_cast<double>(std::max<std::int64_t>(source_.nodes(), 1));
    const double share = std::min(all / nodes, static_cast<double>(lease.shape.burst()));
    return static_cast<std::int64_t>(std::min(share, 1e15));
}

void BucketLeases::ask(BucketNeed need, const PendingPtr& pending, TimePoint now) {
    const auto [it, is_new] = leases_.try_emplace(
        need.bucket, Lease{.name = {}, .bucket = need.bucket, .shape = need.shape});
    Lease& lease = it->second;
    if (is_new) {
        lease.name = std::move(need.name);
        lease.owner = std::move(need.owner);
        lease.looked = lease.spent = now;
    }
    if (lease.shape != need.shape) lease.dry_until = {};
    lease.shape = need.shape;
    lease.waiting.push_back(pending);
    if (!lease.is_asking) send(lease, now);
}

void BucketLeases::observe(Lease& lease, TimePoint now) {
    const std::int64_t stock = lease.bucket->stock();
    const std::int64_t spent = std::max<std::int64_t>(lease.stock - stock, 0);
    lease.rate.saw(spent, now - lease.looked, settings_.lease);
    if (spent > 0) lease.spent = now;
    lease.stock = stock;
    lease.looked = now;
}

void BucketLeases::send(Lease& lease, TimePoint now) {
    observe(lease, now);
    if (lease.stock == 0 && lease.dry_until > now) {
        lease.bucket->deny(lease.dry_until);
        lease.waiting.clear();
        schedule(lease, now);
        return;
    }
    const auto waiting = static_cast<std::int64_t>(lease.waiting.size());
    const std::int64_t target = std::min(most(lease), lease.rate.within(settings_.lease));
    const std::int64_t want = std::max(waiting, waiting + target - lease.stock);
    lease.asked = std::exchange(lease.waiting, {});
    lease.is_asking = true;
    BucketAsk ask{.name = lease.name, .shape = lease.shape, .want = want, .back = -lease.owed};
    source_.ask(std::move(ask), [this, bucket = lease.bucket, want](const BucketAnswer& answer) {
        answered(bucket, want, answer);
    });
}

void BucketLeases::answered(const TokenBucket* bucket, std::int64_t want,
                            const BucketAnswer& answer) {
    const auto found = leases_.find(bucket);
    if (found == leases_.end()) return;
    Lease& lease = found->second;
    const TimePoint now = std::chrono::steady_clock::now();
    lease.is_asking = false;
    if (answer.reach == StoreReach::away) {
        answer_while_away(lease, want, now);
    } else {
        lease.owed = 0;
        lease.available = answer.available;
        take(lease, answer.granted, answer.retry, now);
    }
    lease.asked.clear();
    schedule(lease, now);
    if (!lease.waiting.empty()) send(lease, now);
}

void BucketLeases::answer_while_away(Lease& lease, std::int64_t want, TimePoint now) {
    switch (settings_.away) {
        case AwayMode::closed:
            for (const PendingPtr& pending : lease.asked)
                pending->refuse();
            return;
        case AwayMode::open:
            lease.owed += want;
            return take(lease, want, nanoseconds{0}, now);
        case AwayMode::local:
            break;
    }
    const auto taken =
        share_.take(lease.name, lease.shape, source_.nodes(), lease.available, want, now);
    take(lease, taken.tokens, taken.retry, now);
}

void BucketLeases::take(Lease& lease, std::int64_t granted, nanoseconds retry, TimePoint now) {
    if (granted > 0) {
        ++grants_;
        tokens_ += static_cast<std::uint64_t>(granted);
        lease.bucket->grant(granted);
        lease.stock += granted;
        lease.dry_until = {};
    }
    if (retry.count() <= 0) return;
    // A small bucket overflows early: then rather ask more often.
    const double fill = lease.shape.rate() > 0
                            ? static_cast<double>(lease.shape.burst()) / lease.shape.rate() / 4
                            : 1;
    const auto least = std::min(kShortestRefusal,
                                nanoseconds{static_cast<std::int64_t>(std::min(fill, 1.0) * 1e9)});
    lease.dry_until = now + std::max(retry, least);
    if (granted == 0) lease.bucket->deny(lease.dry_until);
}

void BucketLeases::schedule(Lease& lease, TimePoint now) {
    due_.erase({lease.due, lease.bucket});
    nanoseconds pause = lease.rate.time_for_half(lease.stock, settings_.lease);
    if (most(lease) == 0) pause = std::min(pause, kUnclaimed);
    lease.due = now + pause;
    const auto place = due_.emplace(lease.due, lease.bucket).first;
    if (place == due_.begin() && settings_.on_due) settings_.on_due();
}

std::optional<TimePoint> BucketLeases::look(TimePoint now) {
    while (!due_.empty() && due_.begin()->first <= now) {
        const auto [due, bucket] = *due_.begin();
        due_.erase(due_.begin());
        const auto found = leases_.find(bucket);
        if (found != leases_.end()) look_at(found->second, now);
    }
    if (due_.empty()) return std::nullopt;
    return due_.begin()->first;
}

void BucketLeases::look_at(Lease& lease, TimePoint now) {
    if (lease.is_asking) return;  // its answer schedules
    observe(lease, now);
    const std::int64_t target = std::min(most(lease), lease.rate.within(settings_.lease));
    if (now - lease.spent >= settings_.lease) {
        give_back(lease, lease.bucket->withdraw(lease.stock));
        if (lease.owed == 0) {  // the bucket itself remembers until when it is empty
            leases_.erase(lease.bucket);
            return;
        }
        lease.stock = lease.bucket->stock();
    } else if (lease.stock > target + target / 2) {
        const std::int64_t surplus = lease.bucket->withdraw(lease.stock - target);
        lease.stock -= surplus;
        give_back(lease, surplus);
    } else if (lease.stock <= target / 2 && target > 0 && lease.dry_until <= now) {
        return send(lease, now);
    }
    schedule(lease, now);
}

void BucketLeases::give_back(Lease& lease, std::int64_t tokens) {
    if (tokens <= 0) return;
    share_.give_back(lease.name, tokens);
    source_.ask(BucketAsk{.name = lease.name, .shape = lease.shape, .want = 0, .back = tokens},
                [](const BucketAnswer&) {});
}

void BucketLeases::close(TimePoint now) {
    for (auto& [bucket, lease] : leases_) {
        observe(lease, now);
        give_back(lease, lease.bucket->withdraw(lease.stock));
    }
    leases_.clear();
    due_.clear();
}

}  // namespace sluice::state
