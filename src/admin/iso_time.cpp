// SPDX-License-Identifier: Apache-2.0
#include "admin/iso_time.hpp"

#include <algorithm>
#include <charconv>
#include <cstdio>

namespace sluice::admin {
namespace {

using namespace std::chrono;

/// Takes from the front of a text; `ok` stays false once something was missing.
struct Scanner {
    std::string_view rest;
    bool ok = true;

    bool skip(std::string_view any_of) {
        if (rest.empty() || any_of.find(rest.front()) == any_of.npos) return false;
        rest.remove_prefix(1);
        return true;
    }
    void expect(std::string_view any_of) { ok = skip(any_of) && ok; }
    /// Exactly `digits` of them, a value within [least, most].
    int number(std::size_t digits, int least, int most) {
        int value = 0;
        const std::string_view text = rest.substr(0, digits);
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
        const bool is_whole = text.size() == digits && text.front() != '-' &&
                              error == std::errc{} && end == text.data() + digits;
        ok = ok && is_whole && value >= least && value <= most;
        rest.remove_prefix(std::min(digits, rest.size()));
        return ok ? value : 0;
    }
};

/// Digits after a point or comma, to the millisecond.
milliseconds fraction(Scanner& in) {
    milliseconds value{0};
    milliseconds unit{100};
    std::size_t digits = 0;
    for (; !in.rest.empty() && in.rest.front() >= '0' && in.rest.front() <= '9'; ++digits) {
        value += unit * (in.rest.front() - '0');
        unit /= 10;
        in.rest.remove_prefix(1);
    }
    in.ok = in.ok && digits > 0;
    return value;
}

/// Ahead of UTC.
minutes zone(Scanner& in) {
    if (in.rest.empty() || in.skip("Zz")) return minutes{0};
    const bool is_behind = in.rest.front() == '-';
    in.expect("+-");
    const hours h{in.number(2, 0, 23)};
    if (!in.rest.empty()) in.skip(":");
    const minutes offset = h + minutes{in.number(2, 0, 59)};
    return is_behind ? -offset : offset;
}

}  // namespace

std::optional<WallTime> parse_iso_time(std::string_view text) {
    Scanner in{text};
    const year y{in.number(4, 1970, 9999)};
    in.expect("-");
    const month m{static_cast<unsigned>(in.number(2, 1, 12))};
    in.expect("-");
    const day d{static_cast<unsigned>(in.number(2, 1, 31))};
    if (!in.ok || !year_month_day{y, m, d}.ok()) return std::nullopt;
    WallTime time = sys_days{y / m / d};
    if (in.rest.empty()) return time;
    in.expect("Tt");
    time += hours{in.number(2, 0, 23)};
    in.expect(":");
    time += minutes{in.number(2, 0, 59)};
    if (in.skip(":")) {
        time += seconds{in.number(2, 0, 59)};
        if (in.skip(".,")) time += fraction(in);
    }
    time -= zone(in);
    if (!in.ok || !in.rest.empty()) return std::nullopt;
    return time;
}

std::string to_iso_time(WallTime time) {
    const auto today = floor<days>(time);
    const year_month_day date{today};
    const hh_mm_ss clock{floor<seconds>(time - today)};
    char text[64];
    std::snprintf(text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02dZ",
                  static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                  static_cast<unsigned>(date.day()), static_cast<int>(clock.hours().count()),
                  static_cast<int>(clock.minutes().count()),
                  static_cast<int>(clock.seconds().count()));
    return text;
}

}  // namespace sluice::admin
