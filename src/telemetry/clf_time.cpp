// SPDX-License-Identifier: Apache-2.0
#include "telemetry/clf_time.hpp"

#include <cstdint>
#include <limits>

namespace sluice::telemetry {
namespace {

constexpr std::size_t kSize = sizeof("01/Jan/1970:00:00:00 +0000") - 1;
constexpr char kMonths[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

struct Cached {
    std::int64_t second = std::numeric_limits<std::int64_t>::min();
    char text[kSize + 1] = "00/Jan/0000:00:00:00 +0000";
};

void put(char* at, unsigned value, int digits) {
    for (int i = digits - 1; i >= 0; --i, value /= 10)
        at[i] = static_cast<char>('0' + value % 10);
}

void format(Cached& cached, std::chrono::sys_seconds at) {
    const auto day = std::chrono::floor<std::chrono::days>(at);
    const std::chrono::year_month_day date{day};
    const std::chrono::hh_mm_ss clock{at - day};
    char* const text = cached.text;
    put(text, static_cast<unsigned>(date.day()), 2);
    const unsigned month = static_cast<unsigned>(date.month());
    for (unsigned i = 0; i < 3; ++i)
        text[3 + i] = kMonths[3 * (month - 1) + i];
    put(text + 7, static_cast<unsigned>(static_cast<int>(date.year())), 4);
    put(text + 12, static_cast<unsigned>(clock.hours().count()), 2);
    put(text + 15, static_cast<unsigned>(clock.minutes().count()), 2);
    put(text + 18, static_cast<unsigned>(clock.seconds().count()), 2);
}

}  // namespace

std::string_view clf_time(WallTime at) {
    static thread_local constinit Cached cached;
    const auto second = std::chrono::floor<std::chrono::seconds>(at);
    if (cached.second != second.time_since_epoch().count()) {
        cached.second = second.time_since_epoch().count();
        format(cached, second);
    }
    return {cached.text, kSize};
}

}  // namespace sluice::telemetry
