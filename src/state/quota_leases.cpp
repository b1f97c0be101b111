// SPDX-License-Identifier: Apache-2.0
#include "state/quota_leases.hpp"

#include <algorithm>
#include <utility>

namespace sluice::state {

namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

// A used-up quota is asked about again, for it may be extended and leases may come back.
constexpr nanoseconds kFirstRefusal = milliseconds{100};
constexpr nanoseconds kLongestRefusal = milliseconds{1000};
constexpr nanoseconds kUnclaimed = milliseconds{20};
// This node's idea of the store's time is up to a round trip ahead of it.
constexpr int kWindowTries = 10;

}  // namespace

QuotaLeases::Account& QuotaLeases::account_of(QuotaNeed& need) {
    const std::string name = need.plan + '|' + need.key;
    if (accounts_.size() >= kMostAccounts && !accounts_.contains(name)) make_room();
    Account& account = accounts_[name];
    if (account.plan.empty()) {
        account.plan = std::move(need.plan);
        account.key = std::move(need.key);
    }
    if (account.counter != need.counter) {
        if (account.counter != nullptr) rest(account);  // an address that was evicted and returned
        account.counter = need.counter;
        account.owner = std::move(need.owner);
        account.stock = 0;
        active_[account.counter] = &account;
    }
    account.rule = need.rule;
    return account;
}

void QuotaLeases::make_room() {
    const WallTime now = source_.wall(std::chrono::steady_clock::now());
    const auto rests = [](const Account& a) { return a.counter == nullptr && !a.is_asking; };
    std::erase_if(accounts_, [&](const auto& entry) {
        const Account& a = entry.second;
        return rests(a) && a.owed == 0 && (a.net <= 0 || a.window != a.rule.window_at(now));
    });
    // An eighth at once, so that a flood of new addresses does not look at all for each.
    for (auto it = accounts_.begin();
         it != accounts_.end() && accounts_.size() > kMostAccounts / 8 * 7;) {
        it = rests(it->second) ? accounts_.erase(it) : std::next(it);
    }
}

void QuotaLeases::enter_window(Account& a, std::int32_t window) {
    if (a.window == window) return;
    // Somebody else may know more of a window this node never saw begin.
    a.net = a.window != 0 && a.window < window ? 0 : -1;
    a.window = window;
    a.owed = 0;
    a.remaining = -1;
    a.share = -1;
    a.stock = 0;
    a.refusals = 0;
}

void QuotaLeases::ask(QuotaNeed need, const PendingPtr& pending, TimePoint now) {
    Account& a = account_of(need);
    if (a.looked == TimePoint{}) a.looked = a.spent = now;
    a.waiting.push_back(pending);
    if (!a.is_asking) send(a, now);
}

void QuotaLeases::observe(Account& a, TimePoint now) {
    const std::int64_t stock =
        a.counter == nullptr ? 0 : a.counter->stock(a.rule, source_.wall(now));
    const std::int64_t spent = std::max<std::int64_t>(a.stock - stock, 0);
    a.rate.saw(spent, now - a.looked, settings_.lease);
    if (spent > 0) a.spent = now;
    a.stock = stock;
    a.looked = now;
}

void QuotaLeases::send(Account& a, TimePoint now) {
    enter_window(a, a.rule.window_at(source_.wall(now)));
    observe(a, now);
    const auto want = static_cast<std::int64_t>(a.waiting.size());
    const std::int64_t target = a.rule.exact ? 0 : a.rate.within(settings_.lease);
    QuotaAsk ask{.plan = a.plan,
                 .key = a.key,
                 .rule = a.rule,
                 .window = a.window,
                 .net = a.net,
                 .owed = a.owed,
                 .want = want,
                 .spare = std::max<std::int64_t>(target - a.stock, 0)};
    a.asked = std::exchange(a.waiting, {});
    a.is_asking = true;
    source_.ask(std::move(ask),
                [this, &a, want](const QuotaAnswer& answer) { answered(a, want, answer); });
}

void QuotaLeases::answered(Account& a, std::int64_t want, const QuotaAnswer& answer) {
    const TimePoint now = std::chrono::steady_clock::now();
    a.is_asking = false;
    if (answer.reach == StoreReach::away) {
        answer_while_away(a, want, now);
    } else if (!answer.is_other_window) {
        a.net = answer.net;
        a.owed = 0;
        a.share = -1;
        a.remaining = answer.remaining;
        take(a, answer.granted, now);
    } else if (a.refusals++ < kWindowTries) {
        // Now that the store's time is known: ask for the right window, with who is waiting.
        a.waiting.insert(a.waiting.begin(), a.asked.begin(), a.asked.end());
        a.asked.clear();
        return send(a, now);
    } else {
        refuse(a, now);
    }
    a.asked.clear();
    schedule(a, now);
    if (!a.waiting.empty()) send(a, now);
}

void QuotaLeases::answer_while_away(Account& a, std::int64_t want, TimePoint now) {
    std::int64_t granted = want;
    if (settings_.away == AwayMode::closed) {
        for (const PendingPtr& pending : a.asked)
            pending->refuse();
        return;
    }
    if (settings_.away == AwayMode::local) {
        const std::int64_t nodes = std::max<std::int64_t>(source_.nodes(), 1);
        const std::int64_t left = a.remaining >= 0 ? a.remaining : a.rule.limit;
        if (a.share < 0) a.share = left / nodes + (left % nodes != 0 ? 1 : 0);
        granted = std::min(want, a.share);
        a.share -= granted;
    }
    a.owed += granted;
    take(a, granted, now);
}

void QuotaLeases::take(Account& a, std::int64_t granted, TimePoint now) {
    if (granted > 0) {
        ++grants_;
        a.refusals = 0;
        if (a.counter == nullptr) return;  // the address is gone; what it holds lapses with it
        a.counter->grant(a.window, granted);
        a.stock += granted;
    } else if (!a.asked.empty()) {
        refuse(a, now);
    }
}

void QuotaLeases::refuse(Account& a, TimePoint now) {
    if (a.counter == nullptr || a.counter->stock(a.rule, source_.wall(now)) > 0) return;
    const nanoseconds pause = kFirstRefusal * (1 << std::min(a.refusals, 4));
    ++a.refusals;
    a.counter->deny(a.window, now + std::min(pause, kLongestRefusal));
}

void QuotaLeases::schedule(Account& a, TimePoint now) {
    due_.erase({a.due, &a});
    if (a.counter == nullptr) return;
    nanoseconds pause = a.rate.time_for_half(a.stock, settings_.lease);
    if (a.rule.exact) pause = std::min(pause, kUnclaimed);
    a.due = now + pause;
    const auto place = due_.emplace(a.due, &a).first;
    if (place == due_.begin() && settings_.on_due) settings_.on_due();
}

std::optional<TimePoint> QuotaLeases::look(TimePoint now) {
    while (!due_.empty() && due_.begin()->first <= now) {
        Account& account = *due_.begin()->second;
        due_.erase(due_.begin());
        look_at(account, now);
    }
    if (due_.empty()) return std::nullopt;
    return due_.begin()->first;
}

void QuotaLeases::look_at(Account& a, TimePoint now) {
    if (a.is_asking || a.counter == nullptr) return;
    observe(a, now);
    const bool is_over = a.window != a.rule.window_at(source_.wall(now));
    const std::int64_t target =
        a.rule.exact || a.remaining <= kExactBelow ? 0 : a.rate.within(settings_.lease);
    if (is_over || now - a.spent >= settings_.lease) {
        if (!is_over) give_back(a, a.stock);
        return rest(a);
    }
    if (a.stock > target + target / 2) {
        give_back(a, a.stock - target);
    } else if (a.stock <= target / 2 && target > 0 && a.refusals == 0) {
        return send(a, now);
    }
    schedule(a, now);
}

void QuotaLeases::give_back(Account& a, std::int64_t requests) {
    const std::int64_t back =
        a.counter->withdraw(a.rule, source_.wall(std::chrono::steady_clock::now()), requests);
    if (back <= 0) return;
    a.stock -= std::min(back, a.stock);
    // First from what the store has not heard of.
    const std::int64_t unheard = std::min(back, a.owed);
    a.owed -= unheard;
    if (a.share >= 0) a.share += unheard;
    if (a.net >= 0) a.net = std::max<std::int64_t>(a.net - (back - unheard), 0);
    tell(a);
}

void QuotaLeases::tell(Account& a) {
    QuotaAsk ask{.plan = a.plan,
                 .key = a.key,
                 .rule = a.rule,
                 .window = a.window,
                 .net = a.net,
                 .owed = a.owed};
    a.is_asking = true;
    source_.ask(std::move(ask), [this, &a](const QuotaAnswer& answer) {
        const TimePoint now = std::chrono::steady_clock::now();
        a.is_asking = false;
        if (answer.reach == StoreReach::reached && !answer.is_other_window) {
            a.net = answer.net;
            a.owed = 0;
            a.remaining = answer.remaining;
        }
        if (!a.waiting.empty()) return send(a, now);
        schedule(a, now);
    });
}

void QuotaLeases::rest(Account& a) {
    due_.erase({a.due, &a});
    active_.erase(a.counter);
    a.counter = nullptr;
    a.owner.reset();
    a.stock = 0;
}

void QuotaLeases::came_back(bool forgot, TimePoint now) {
    for (auto& [name, a] : accounts_) {
        a.share = -1;
        if (a.is_asking || a.window != a.rule.window_at(source_.wall(now))) continue;
        if (a.owed > 0 || (forgot && a.net > 0)) tell(a);
    }
}

void QuotaLeases::close(TimePoint now) {
    for (auto& [name, a] : accounts_) {
        if (a.counter == nullptr) continue;
        observe(a, now);
        give_back(a, a.stock);
    }
}

}  // namespace sluice::state
