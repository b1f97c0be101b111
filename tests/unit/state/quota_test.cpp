// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <mutex>
#include <thread>
#include <vector>

#include "sluice/state/limits.hpp"

namespace sluice::state {
namespace {

using namespace std::chrono;
using namespace std::chrono_literals;

WallTime wall(int y, unsigned m, unsigned d, milliseconds time = 0ms) {
    return sys_days{year{y} / month{m} / day{d}} + time;
}
std::int32_t days_to(int y, unsigned m, unsigned d) { return day_at(wall(y, m, d)); }

TEST(QuotaRule, NamesWindowsByTheirFirstDay) {
    const struct {
        Period period;
        int offset;
        WallTime now;
        std::int32_t start, end;
    } cases[] = {
        {Period::day, 0, wall(2026, 11, 21, 23h + 59min + 59s + 999ms), days_to(2026, 11, 21),
         days_to(2026, 11, 22)},
        {Period::day, 0, wall(2026, 12, 31, 12h), days_to(2026, 12, 31), days_to(2027, 1, 1)},
        // 2026-11-21 is a Saturday.
        {Period::week, 0, wall(2026, 11, 21), days_to(2026, 11, 16), days_to(2026, 11, 23)},
        {Period::week, 0, wall(2026, 11, 22, 23h), days_to(2026, 11, 16), days_to(2026, 11, 23)},
        {Period::week, 0, wall(2026, 11, 23), days_to(2026, 11, 23), days_to(2026, 11, 30)},
        {Period::week, 5, wall(2026, 11, 21), days_to(2026, 11, 21), days_to(2026, 11, 28)},
        {Period::week, 6, wall(2026, 11, 21), days_to(2026, 11, 15), days_to(2026, 11, 22)},
        {Period::week, 0, wall(2027, 1, 2), days_to(2026, 12, 28), days_to(2027, 1, 4)},
        {Period::month, 0, wall(2028, 2, 29, 5h), days_to(2028, 2, 1), days_to(2028, 3, 1)},
        {Period::month, 27, wall(2028, 2, 27), days_to(2028, 1, 28), days_to(2028, 2, 28)},
        {Period::month, 27, wall(2028, 2, 28), days_to(2028, 2, 28), days_to(2028, 3, 28)},
        {Period::month, 27, wall(2027, 2, 28), days_to(2027, 2, 28), days_to(2027, 3, 28)},
        {Period::month, 14, wall(2027, 1, 14), days_to(2026, 12, 15), days_to(2027, 1, 15)},
        {Period::month, 0, wall(2026, 12, 31, 23h), days_to(2026, 12, 1), days_to(2027, 1, 1)},
        {Period::month, 0, wall(2100, 2, 28), days_to(2100, 2, 1), days_to(2100, 3, 1)},
        {Period::month, 0, wall(1969, 12, 31), days_to(1969, 12, 1), days_to(1970, 1, 1)},
        {Period::week, 0, wall(1969, 12, 28), days_to(1969, 12, 22), days_to(1969, 12, 29)},
    };
    for (const auto& c : cases) {
        const QuotaRule rule{1, c.period, c.offset};
        EXPECT_EQ(rule.window_at(c.now), c.start) << day_at(c.now) << " " << c.offset;
        EXPECT_EQ(day_at(rule.window_end(c.start)), c.end) << day_at(c.now) << " " << c.offset;
    }
}

TEST(QuotaRule, HasWindowsWithoutGapsOrOverlaps) {
    for (const Period period : {Period::day, Period::week, Period::month}) {
        for (int offset = 0; offset < 28; ++offset) {
            const QuotaRule rule{1, period, offset};
            std::int32_t window = rule.window_of_day(20'000);
            for (std::int32_t day = 20'000; day < 21'600; ++day) {
                const std::int32_t next = rule.window_of_day(day);
                if (next != window) {
                    EXPECT_EQ(next, day);
                    EXPECT_EQ(day_at(rule.window_end(window)), next);
                    window = next;
                }
                EXPECT_LE(window, day);
            }
        }
    }
}

int take_many(QuotaCounter& counter, const QuotaRule& rule, int tries, WallTime now) {
    int taken = 0;
    for (int n = 0; n < tries; ++n) {
        taken += counter.take(rule, now) ? 1 : 0;
    }
    return taken;
}

// aws-semantics B.3
TEST(QuotaCounter, CountsAWindow) {
    const QuotaRule rule{3, Period::day, 0};
    const WallTime late = wall(2026, 1, 31, 23h + 59min + 50s);
    QuotaCounter counter;
    EXPECT_EQ(take_many(counter, rule, 3, late), 3);
    EXPECT_EQ(counter.read(rule, late).used, 3);
    EXPECT_EQ(counter.read(rule, late).remaining(), 0);
    EXPECT_FALSE(counter.take(rule, late));
    EXPECT_EQ(counter.read(rule, late).used, 3);

    counter.set_remaining(rule, late, 2);
    EXPECT_EQ(counter.read(rule, late).remaining(), 2);
    EXPECT_EQ(take_many(counter, rule, 3, late), 2);
    EXPECT_EQ(counter.read(rule, late).used, 5);
    EXPECT_EQ(counter.read(rule, late).remaining(), 0);
    EXPECT_EQ(counter.read(rule, late).limit, 5);

    const WallTime midnight = wall(2026, 2, 1);
    EXPECT_FALSE(counter.exhausted(rule, midnight));
    EXPECT_TRUE(counter.take(rule, midnight));
    EXPECT_EQ(counter.read(rule, midnight).used, 1);
    EXPECT_EQ(counter.read(rule, midnight).remaining(), 2);
    EXPECT_EQ(counter.read(rule, midnight).limit, 3);
}

TEST(QuotaCounter, OfLimitZeroRefuses) {
    QuotaCounter counter;
    EXPECT_EQ(take_many(counter, {0, Period::month, 0}, 5, wall(2026, 5, 5)), 0);
}

TEST(QuotaCounter, CountsWithoutALimit) {
    QuotaCounter counter;
    const QuotaRule rule = QuotaRule::unlimited();
    EXPECT_EQ(take_many(counter, rule, 1000, wall(2026, 5, 5)), 1000);
    EXPECT_EQ(counter.usage().used_that_day, 1000);
    EXPECT_FALSE(counter.exhausted(rule, wall(2026, 5, 5)));
}

TEST(QuotaCounter, GrantsNothingWhenTheClockGoesBack) {
    const QuotaRule rule{3, Period::month, 0};
    const WallTime june = wall(2026, 6, 1, 1s), may = wall(2026, 5, 31, 23h + 59min);
    QuotaCounter counter;
    EXPECT_EQ(take_many(counter, rule, 5, may), 3);
    EXPECT_EQ(take_many(counter, rule, 2, june), 2);
    EXPECT_EQ(take_many(counter, rule, 5, may), 1);
    EXPECT_EQ(take_many(counter, rule, 5, june), 0);
    EXPECT_EQ(take_many(counter, rule, 5, may), 0);
}

TEST(QuotaCounter, GoesOnAfterAClockThatWasYearsAhead) {
    const QuotaRule rule{3, Period::day, 0};
    QuotaCounter counter;
    EXPECT_EQ(take_many(counter, rule, 5, wall(2099, 1, 1)), 3);
    EXPECT_EQ(take_many(counter, rule, 5, wall(2026, 6, 1)), 0) << "what was counted stays";
    EXPECT_EQ(take_many(counter, rule, 5, wall(2026, 6, 2)), 3);
    EXPECT_EQ(counter.usage().day, days_to(2026, 6, 2));
    EXPECT_EQ(counter.usage().used_that_day, 3);
}

TEST(QuotaCounter, ExtendsOrShortensThePresentWindowOnly) {
    const QuotaRule rule{100, Period::week, 0};
    const WallTime now = wall(2026, 11, 21);
    QuotaCounter counter;
    EXPECT_EQ(take_many(counter, rule, 10, now), 10);
    counter.set_remaining(rule, now, 1);
    EXPECT_EQ(counter.read(rule, now).limit, 11);
    EXPECT_EQ(take_many(counter, rule, 10, now), 1);
    counter.set_remaining(rule, now, -7);
    EXPECT_EQ(counter.read(rule, now).remaining(), 0);
    counter.set_remaining(rule, now, std::numeric_limits<std::int64_t>::max());
    EXPECT_GT(counter.read(rule, now).remaining(), 1'000'000'000'000);
    EXPECT_EQ(counter.read(rule, now + weeks{1}).remaining(), 100);
    counter.set_remaining(rule, now + weeks{2}, 5);
    EXPECT_EQ(take_many(counter, rule, 10, now + weeks{2}), 5);
}

TEST(QuotaCounter, IsNeverNegative) {
    const QuotaRule rule{3, Period::day, 0};
    const WallTime now = wall(2026, 6, 1);
    QuotaCounter counter;
    counter.refund(rule, now);
    EXPECT_EQ(counter.read(rule, now).used, 0);
    EXPECT_TRUE(counter.take(rule, now));
    counter.refund(rule, now);
    counter.refund(rule, now);
    EXPECT_EQ(counter.read(rule, now).used, 0);
    EXPECT_EQ(counter.read(rule, now).remaining(), 3);
    EXPECT_TRUE(counter.take(rule, now));
    counter.refund(rule, now + 24h);  // what was counted yesterday is gone with yesterday
    EXPECT_EQ(counter.read(rule, now + 24h).used, 0);
    counter.restore({-5, -7, -9, -1, 99});
    EXPECT_EQ(counter.usage().used, 0);
    EXPECT_EQ(counter.usage().used_that_day, 0);
}

struct Days final : QuotaObserver {
    void changed(QuotaCounter&) noexcept override { ++changes; }
    void finished(const QuotaCounter&, const Day& day) noexcept override {
        const std::lock_guard lock(mutex);
        days.push_back(day);
    }
    std::atomic<int> changes{0};
    std::mutex mutex;
    std::vector<Day> days;
};

TEST(QuotaCounter, ReportsEachDayOnceItIsOver) {
    const QuotaRule rule{100, Period::month, 0};
    Days days;
    QuotaCounter counter;
    counter.observe(&days);
    take_many(counter, rule, 7, wall(2026, 5, 29, 5h));
    take_many(counter, rule, 5, wall(2026, 5, 31, 5h));
    EXPECT_EQ(counter.usage().day, days_to(2026, 5, 31));
    EXPECT_EQ(counter.usage().used_that_day, 5);
    EXPECT_EQ(counter.usage().used, 12);
    take_many(counter, rule, 2, wall(2026, 6, 3));
    take_many(counter, rule, 1, wall(2026, 6, 4));
    ASSERT_EQ(days.days.size(), 3u);
    const std::int64_t expected[][3] = {
        {days_to(2026, 5, 29), 7, 93}, {days_to(2026, 5, 31), 5, 88}, {days_to(2026, 6, 3), 2, 98}};
    for (std::size_t n = 0; n < 3; ++n) {
        EXPECT_EQ(days.days[n].day, expected[n][0]);
        EXPECT_EQ(days.days[n].used, expected[n][1]);
        EXPECT_EQ(days.days[n].remaining, expected[n][2]);
    }
    EXPECT_EQ(counter.usage().used_that_day, 1);
    EXPECT_EQ(counter.usage().used, 3);
    EXPECT_GT(days.changes, 0);
}

TEST(QuotaCounter, ContinuesFromWhatWasSaved) {
    const QuotaRule rule{10, Period::week, 0};
    const WallTime saturday = wall(2026, 11, 21);
    QuotaCounter before, after;
    take_many(before, rule, 4, saturday - 24h);
    take_many(before, rule, 3, saturday);
    before.set_remaining(rule, saturday, 1);
    after.restore(before.usage());
    EXPECT_EQ(after.usage().used_that_day, 3);
    EXPECT_EQ(after.read(rule, saturday).used, 7);
    EXPECT_EQ(take_many(after, rule, 5, saturday), 1);
    EXPECT_EQ(after.read(rule, saturday + weeks{1}).remaining(), 10);
}

TEST(QuotaCounter, IsExactUnderEightThreads) {
    const QuotaRule rule{10'000, Period::month, 0};
    QuotaCounter counter;
    std::atomic<int> admitted{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 8; ++t) {
        threads.emplace_back(
            [&] { admitted += take_many(counter, rule, 3'000, wall(2026, 6, 1)); });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    EXPECT_EQ(admitted, 10'000);
    EXPECT_EQ(counter.read(rule, wall(2026, 6, 1)).used, 10'000);
}

// Midnight within a month and at its end, as seen by threads whose clocks are seconds apart.
TEST(QuotaCounter, LosesNoRequestWhenDaysRollOverUnderTraffic) {
    const QuotaRule rule = {1'000'000'000, Period::month, 0};
    for (int round = 0; round < 200; ++round) {
        Days days;
        QuotaCounter counter;
        counter.observe(&days);
        const WallTime start = wall(2026, 1, 30 + round % 2, 24h - 400ms);
        std::atomic<std::int64_t> clock{0};
        std::vector<std::thread> threads;
        for (int t = 0; t < 4; ++t) {
            threads.emplace_back([&] {
                for (int n = 0; n < 200; ++n) {
                    take_many(counter, rule, 1, start + milliseconds{++clock});
                }
            });
        }
        for (std::thread& thread : threads) {
            thread.join();
        }
        ASSERT_EQ(days.days.size(), 1u);
        EXPECT_EQ(days.days[0].day, day_at(start));
        EXPECT_EQ(days.days[0].used + counter.usage().used_that_day, 800);
        EXPECT_EQ(counter.usage().day, day_at(start) + 1);
        EXPECT_EQ(counter.usage().used, round % 2 == 0 ? 800 : 800 - days.days[0].used);
        EXPECT_EQ(days.days[0].remaining, rule.limit - days.days[0].used);
    }
}

}  // namespace
}  // namespace sluice::state
