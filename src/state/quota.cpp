// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "sluice/state/limits.hpp"

namespace sluice::state {

namespace {

using namespace std::chrono;

constexpr int kCountBits = 44;
constexpr std::uint64_t kCountMask = (std::uint64_t{1} << kCountBits) - 1;
constexpr std::int64_t kMaxCount = (std::int64_t{1} << kCountBits) - 1;
constexpr std::int64_t kMaxExtension = (std::int64_t{1} << (kCountBits - 1)) - 1;
constexpr std::int32_t kMaxDay = (1 << 20) - 1;  // the year 4840
// A clock that was further ahead than this was wrong, not merely corrected a little: go on in
// the present window with what has been counted, in place of refusing until that day comes.
constexpr std::int32_t kClockErrorDays = 2;

constexpr std::int32_t day_in_range(std::int64_t day) {
    return static_cast<std::int32_t>(std::clamp<std::int64_t>(day, 0, kMaxDay));
}
constexpr std::uint64_t pack(std::int32_t day, std::int64_t count) {
    return static_cast<std::uint64_t>(day) << kCountBits |
           (static_cast<std::uint64_t>(count) & kCountMask);
}
constexpr std::int32_t day_of(std::uint64_t word) {
    return static_cast<std::int32_t>(word >> kCountBits);
}
constexpr std::int64_t count_of(std::uint64_t word) {
    return static_cast<std::int64_t>(word & kCountMask);
}
constexpr std::int64_t signed_count_of(std::uint64_t word) {
    return static_cast<std::int64_t>(word << (64 - kCountBits)) >> (64 - kCountBits);
}

std::int32_t start_of_month(year_month_day date, int offset) {
    const sys_days start = sys_days{date.year() / date.month() / 1} + days{offset};
    return static_cast<std::int32_t>(start.time_since_epoch().count());
}

struct Today {
    std::int32_t day;
    std::int32_t window;
    Today(const QuotaRule& rule, WallTime wall)
        : day(day_in_range(day_at(wall))), window(day_in_range(rule.window_of_day(day))) {}
};

/// The word as it counts today: rolled over when its window has ended.
std::uint64_t as_of(std::uint64_t word, const Today& today) {
    if (day_of(word) < today.window) return pack(today.window, 0);
    if (day_of(word) > today.day + kClockErrorDays) return pack(today.window, count_of(word));
    return word;
}

}  // namespace

std::int32_t day_at(WallTime wall) {
    return static_cast<std::int32_t>(floor<days>(wall).time_since_epoch().count());
}

std::int32_t QuotaRule::window_of_day(std::int32_t day) const {
    if (period == Period::day) return day;
    if (period == Period::week) {
        const int first = std::clamp(offset, 0, 6);
        const int since = ((day + 3 - first) % 7 + 7) % 7;  // 1970-01-01 was a Thursday
        return day - since;
    }
    const int first = std::clamp(offset, 0, 27);
    const year_month_day date{sys_days{days{day}}};
    const std::int32_t start = start_of_month(date, first);
    return start <= day ? start : start_of_month(date - months{1}, first);
}

std::int32_t QuotaRule::window_at(WallTime wall) const { return window_of_day(day_at(wall)); }

WallTime QuotaRule::window_end(std::int32_t window) const {
    const std::int32_t start = window_of_day(window);
    std::int32_t end = start + (period == Period::day ? 1 : 7);
    if (period == Period::month) {
        const int first = std::clamp(offset, 0, 27);
        end = start_of_month(year_month_day{sys_days{days{start - first}}} + months{1}, first);
    }
    return sys_days{days{end}};
}

std::int64_t QuotaCounter::limit_in(const QuotaRule& rule, std::int32_t window) const {
    if (rule.limit == QuotaRule::kUnlimited) return kMaxCount;
    const std::int64_t limit = rule.leased ? 0 : std::clamp<std::int64_t>(rule.limit, 0, kMaxCount);
    const std::uint64_t extra = extra_.load(std::memory_order_relaxed);
    if (day_of(extra) != window) return limit;
    return std::clamp<std::int64_t>(limit + signed_count_of(extra), 0, kMaxCount);
}

bool QuotaCounter::exhausted(const QuotaRule& rule, WallTime wall) const {
    const Reading now = read(rule, wall);
    return now.used >= now.limit;
}

QuotaCounter::Reading QuotaCounter::read(const QuotaRule& rule, WallTime wall) const {
    const std::uint64_t word = as_of(used_.load(std::memory_order_relaxed), Today{rule, wall});
    const bool unlimited = rule.limit == QuotaRule::kUnlimited;
    return {day_of(word), count_of(word),
            unlimited ? QuotaRule::kUnlimited : limit_in(rule, day_of(word))};
}

bool QuotaCounter::take(const QuotaRule& rule, WallTime wall) {
    const Today today{rule, wall};
    std::uint64_t seen = used_.load();
    std::uint64_t open = 0;
    do {
        open = as_of(seen, today);
        if (count_of(open) >= limit_in(rule, day_of(open))) {
            settle(rule, wall);
            return false;
        }
        if (open == seen) roll_day(rule, seen, today.day);
    } while (!used_.compare_exchange_weak(seen, open + 1));
    if (day_of(open) != day_of(seen)) begin_window(rule, seen, open, today.day);
    announce();
    return true;
}

void QuotaCounter::settle(const QuotaRule& rule, WallTime wall) {
    const Today today{rule, wall};
    std::uint64_t seen = used_.load();
    if (day_of(seen) <= today.day + kClockErrorDays) return;
    const std::uint64_t open = as_of(seen, today);
    if (!used_.compare_exchange_strong(seen, open)) return;
    begin_window(rule, seen, open, today.day);
    announce();
}

void QuotaCounter::refund(const QuotaRule& rule, WallTime wall) {
    const Today today{rule, wall};
    std::uint64_t seen = used_.load();
    do {
        // What was counted in a window that is over went with it.
        if (day_of(seen) != today.window || count_of(seen) == 0) return;
    } while (!used_.compare_exchange_weak(seen, seen - 1));
    announce();
}

void QuotaCounter::set_remaining(const QuotaRule& rule, WallTime wall, std::int64_t remaining) {
    const Today today{rule, wall};
    std::uint64_t seen = used_.load();
    std::uint64_t open = 0;
    do {
        open = as_of(seen, today);
    } while (!used_.compare_exchange_weak(seen, open));
    if (day_of(open) != day_of(seen)) begin_window(rule, seen, open, today.day);
    const std::int64_t limit = std::clamp<std::int64_t>(rule.limit, 0, kMaxCount);
    const std::int64_t wanted = std::clamp<std::int64_t>(remaining, 0, kMaxCount);
    const std::int64_t change =
        std::clamp(count_of(open) + wanted - limit, -kMaxExtension, kMaxExtension);
    extra_.store(pack(day_of(open), change));
    announce();
}

// A new day within the window: one thread closes the old one. Whoever still counts with a `wall`
// of yesterday counts for today: the days of a window always add up to what it used.
void QuotaCounter::roll_day(const QuotaRule& rule, std::uint64_t seen, std::int32_t today) {
    std::uint64_t day = day_.load(std::memory_order_relaxed);
    const bool is_wrong = day_of(day) > today + kClockErrorDays;
    if (day_of(day) >= today && !is_wrong) return;
    if (day_of(day) < day_of(seen)) return;  // begin_window of another thread will see to it
    // A thread that read the count long ago must not take the new day's beginning back.
    const std::int64_t begin = is_wrong ? count_of(seen) : std::max(count_of(seen), count_of(day));
    if (!day_.compare_exchange_strong(day, pack(today, begin))) return;
    if (!is_wrong) report_day(rule, seen, day);
}

// Called by the one thread that moved the counter to another window.
void QuotaCounter::begin_window(const QuotaRule& rule, std::uint64_t before, std::uint64_t after,
                                std::int32_t today) {
    const std::uint64_t day = day_.exchange(pack(today, count_of(after)));
    if (day_of(day) <= today) report_day(rule, before, day);
}

void QuotaCounter::report_day(const QuotaRule& rule, std::uint64_t used, std::uint64_t day) {
    const std::int64_t that_day = count_of(used) - count_of(day);
    if (observer_ == nullptr || that_day <= 0) return;
    const bool unlimited = rule.limit == QuotaRule::kUnlimited;
    const std::int64_t left = limit_in(rule, day_of(used)) - count_of(used);
    observer_->finished(*this,
                        {day_of(day), that_day, unlimited ? -1 : std::max<std::int64_t>(left, 0)});
}

QuotaCounter::Usage QuotaCounter::usage() const {
    for (;;) {
        const std::uint64_t word = used_.load();
        const std::uint64_t day = day_.load();
        const std::uint64_t extra = extra_.load();
        if (day_of(used_.load()) != day_of(word)) continue;
        const bool is_this_window = day_of(day) >= day_of(word);
        const std::int64_t base = is_this_window ? count_of(day) : 0;
        return {day_of(word), count_of(word),
                day_of(extra) == day_of(word) ? signed_count_of(extra) : 0,
                std::max(day_of(day), day_of(word)),
                std::max<std::int64_t>(count_of(word) - base, 0)};
    }
}

void QuotaCounter::restore(const Usage& saved) {
    const std::int32_t window = day_in_range(saved.window);
    const std::int64_t used = std::clamp<std::int64_t>(saved.used, 0, kMaxCount);
    const std::int64_t that_day = std::clamp<std::int64_t>(saved.used_that_day, 0, used);
    day_.store(pack(day_in_range(saved.day), used - that_day));
    extra_.store(pack(window, std::clamp(saved.extension, -kMaxExtension, kMaxExtension)));
    used_.store(pack(window, used));
}

std::int64_t QuotaCounter::stock(const QuotaRule& rule, WallTime wall) const {
    const Reading now = read(rule, wall);
    return std::max<std::int64_t>(now.limit - now.used, 0);
}

// In `extra_`: all that was ever granted in the window, used or not. Negative: nothing before
// that many milliseconds after kBucketEpoch, which as a limit refuses everything.
void QuotaCounter::grant(std::int32_t window, std::int64_t requests) {
    const std::uint64_t used = used_.load();
    const std::uint64_t extra = extra_.load();
    const std::int64_t spent = day_of(used) == window ? count_of(used) : 0;
    const bool counts = day_of(extra) == window && signed_count_of(extra) >= spent;
    const std::int64_t before = counts ? signed_count_of(extra) : spent;
    extra_.store(pack(window, std::min(before + requests, kMaxExtension)));
}

// Taken as a request takes it, so that no request can have it too; the day's beginning moves
// along, so that reports do not count it.
std::int64_t QuotaCounter::withdraw(const QuotaRule& rule, WallTime wall, std::int64_t most) {
    const Today today{rule, wall};
    std::uint64_t seen = used_.load();
    std::uint64_t open = 0;
    std::int64_t taken = 0;
    do {
        open = as_of(seen, today);
        taken = std::min(limit_in(rule, day_of(open)) - count_of(open), most);
        if (taken <= 0) return 0;
    } while (!used_.compare_exchange_weak(seen, open + static_cast<std::uint64_t>(taken)));
    if (day_of(open) != day_of(seen)) {
        begin_window(rule, seen, open + static_cast<std::uint64_t>(taken), today.day);
    } else {
        day_.fetch_add(static_cast<std::uint64_t>(taken));
    }
    return taken;
}

void QuotaCounter::deny(std::int32_t window, TimePoint until) {
    const auto since = std::chrono::ceil<milliseconds>(until - kBucketEpoch).count();
    extra_.store(pack(window, -std::clamp<std::int64_t>(since, 1, kMaxExtension)));
}

bool QuotaCounter::needs_grant(const QuotaRule& rule, WallTime wall, TimePoint now) const {
    if (!rule.leased) return false;
    const std::uint64_t word = as_of(used_.load(std::memory_order_relaxed), Today{rule, wall});
    const std::uint64_t extra = extra_.load(std::memory_order_relaxed);
    const std::int64_t code = signed_count_of(extra);
    if (day_of(extra) != day_of(word) || code >= 0) return true;
    return kBucketEpoch + milliseconds{-code} <= now;
}

void QuotaCounter::reset() {
    used_.store(0);
    day_.store(0);
    extra_.store(0);
}

// Pairs with UsageJournal::collect, which clears the mark before it reads the count: sequential
// consistency makes sure that one of the two sees the other's write.
void QuotaCounter::announce() {
    if (observer_ != nullptr && next_changed_.load() == nullptr) observer_->changed(*this);
}

}  // namespace sluice::state
