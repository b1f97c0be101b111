// SPDX-License-Identifier: Apache-2.0
#include "gateway/cache_rules.hpp"

#include <algorithm>
#include <array>

namespace sluice::gateway {

using http::Field;
using http::FieldList;
using http::HeaderField;
using http::iequals;
using std::chrono::seconds;

namespace {

constexpr std::uint32_t kLongest = 2'147'483'648;  // RFC 9111 1.2.2: what an overflow becomes

bool is_token(std::string_view s) {
    constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
    return !s.empty() && std::all_of(s.begin(), s.end(), [&](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               kMarks.find(c) != std::string_view::npos;
    });
}

std::string_view trimmed(std::string_view s) {
    const auto first = s.find_first_not_of(" \t");
    if (first == std::string_view::npos) return {};
    return s.substr(first, s.find_last_not_of(" \t") - first + 1);
}

struct Directive {
    std::string_view name{};
    std::string_view value{};  ///< without quotes
    bool has_value = false;
    bool malformed = false;
};

/// Length of the list member at the front of `list`: up to a comma outside quotes.
std::size_t member_length(std::string_view list, bool& unterminated) {
    bool quoted = false;
    std::size_t i = 0;
    for (; i < list.size() && (quoted || list[i] != ','); ++i) {
        if (list[i] == '"') quoted = !quoted;
        if (quoted && list[i] == '\\') ++i;
    }
    unterminated = quoted;
    return std::min(i, list.size());
}

/// Takes one directive off the front (RFC 9111 5.2). Blanks round "=" and names or values that
/// are no tokens ("no-store; private") make it malformed.
Directive take_directive(std::string_view& list) {
    Directive d;
    const auto length = member_length(list, d.malformed);
    const auto member = trimmed(list.substr(0, length));
    list.remove_prefix(std::min(length + 1, list.size()));
    if (member.empty()) return d;
    const auto equals = member.find('=');
    d.name = trimmed(member.substr(0, equals));
    d.has_value = equals != std::string_view::npos;
    if (d.has_value) d.value = member.substr(equals + 1);
    if (d.value.size() >= 2 && d.value.front() == '"' && d.value.back() == '"') {
        d.value = d.value.substr(1, d.value.size() - 2);
    } else if (!d.value.empty() && !is_token(d.value)) {
        d.malformed = true;
    }
    if (!is_token(member.substr(0, equals))) d.malformed = true;
    return d;
}

std::optional<std::uint32_t> read_seconds(std::string_view text) {
    if (text.empty()) return std::nullopt;
    std::uint64_t number = 0;
    for (const char c : text) {
        if (c < '0' || c > '9') return std::nullopt;
        number = std::min<std::uint64_t>(number * 10 + static_cast<unsigned>(c - '0'), kLongest);
    }
    return static_cast<std::uint32_t>(number);
}

/// Of repeated ages the smallest holds, and a broken one is 0 (RFC 9111 4.2.1).
void shorten(std::optional<std::uint32_t>& age, const Directive& d) {
    const auto read = d.malformed ? 0 : read_seconds(d.value).value_or(0);
    age = std::min(age.value_or(read), read);
}

void add_directives(std::string_view list, CacheControl& out) {
    while (!list.empty()) {
        const Directive d = take_directive(list);
        if (d.malformed) out.malformed = true;
        if (iequals(d.name, "no-store")) out.no_store = true;
        if (iequals(d.name, "no-cache")) out.no_cache = true;
        if (iequals(d.name, "private")) out.is_private = true;
        if (iequals(d.name, "public") && !d.has_value) out.is_public = true;
        if (iequals(d.name, "max-age")) shorten(out.max_age, d);
        if (iequals(d.name, "s-maxage")) shorten(out.s_maxage, d);
    }
}

bool marks_for_everyone(const CacheControl& control) {
    return !control.malformed && (control.is_public || control.max_age || control.s_maxage);
}

template <std::size_t N>
std::optional<int> position_of(std::string_view name, const std::array<std::string_view, N>& list) {
    const auto* const found = std::find(list.begin(), list.end(), name);
    if (found == list.end()) return std::nullopt;
    return static_cast<int>(found - list.begin());
}

/// "Sun, 06 Nov 1994 08:49:37 GMT". The two obsolete forms are taken for broken dates, which
/// only ever shortens a life.
std::optional<std::chrono::sys_seconds> read_date(std::string_view text) {
    static constexpr std::array<std::string_view, 12> kMonths = {
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    if (text.size() != 29 || text.substr(3, 2) != ", " || text[7] != ' ' || text[11] != ' ' ||
        text[16] != ' ' || text[19] != ':' || text[22] != ':' || text.substr(25) != " GMT") {
        return std::nullopt;
    }
    const auto day = read_seconds(text.substr(5, 2));
    const auto month = position_of(text.substr(8, 3), kMonths);
    const auto year = read_seconds(text.substr(12, 4));
    const auto hour = read_seconds(text.substr(17, 2));
    const auto minute = read_seconds(text.substr(20, 2));
    const auto second = read_seconds(text.substr(23, 2));
    if (!day || !month || !year || !hour || !minute || !second) return std::nullopt;
    const std::chrono::year_month_day date{std::chrono::year{static_cast<int>(*year)},
                                           std::chrono::month{static_cast<unsigned>(*month) + 1},
                                           std::chrono::day{*day}};
    if (!date.ok() || *hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
    return std::chrono::sys_days{date} + std::chrono::hours{*hour} + std::chrono::minutes{*minute} +
           seconds{*second};
}

/// What Expires leaves, counted from the backend's own Date where it gave one. Empty: no Expires.
std::optional<seconds> life_by_expires(const FieldList& fields, WallTime now) {
    const HeaderField* expires = nullptr;
    for (const HeaderField& f : fields.all()) {
        if (f.id != Field::expires) continue;
        if (expires != nullptr) return seconds{0};  // two of them: neither is trusted
        expires = &f;
    }
    if (expires == nullptr) return std::nullopt;
    const auto end = read_date(expires->value);
    if (!end) return seconds{0};  // "0", "-1": already expired (RFC 9111 5.3)
    const HeaderField* const date = fields.find(Field::date);
    const auto start = date == nullptr ? std::nullopt : read_date(date->value);
    return std::max(seconds{0}, *end - start.value_or(std::chrono::time_point_cast<seconds>(now)));
}

/// First member of each Age field, the largest of several; a broken one says nothing (RFC 9111
/// 5.1).
std::uint32_t read_age(const FieldList& fields) {
    std::uint32_t age = 0;
    for (const HeaderField& f : fields.all()) {
        if (f.id != Field::age) continue;
        const auto first = trimmed(f.value.substr(0, f.value.find(',')));
        age = std::max(age, read_seconds(first).value_or(0));
    }
    return age;
}

bool vary_is_keyed(const FieldList& fields, const CacheKey& key) {
    for (const HeaderField& f : fields.all()) {
        if (f.id != Field::vary) continue;
        for (auto list = f.value; !list.empty();) {
            const auto comma = list.find(',');
            const auto name = trimmed(list.substr(0, comma));
            list.remove_prefix(comma == std::string_view::npos ? list.size() : comma + 1);
            if (!name.empty() && !key.covers_header(name)) return false;  // "*" never is
        }
    }
    return true;
}

bool has_body(const http::RequestHead& request) {
    if (request.framing == http::Framing::none) return false;
    return request.framing != http::Framing::length || request.content_length != 0;
}

bool is_storable_status(int status) {
    constexpr std::array kStatuses = {200, 203, 204, 300, 301, 404, 410};  // contract 9
    return std::find(kStatuses.begin(), kStatuses.end(), status) != kStatuses.end();
}

/// What forbids storing in both personalities (aws-semantics 5.4). Empty: nothing.
std::string_view always_forbids(const http::ResponseHead& response, CacheUse use) {
    if (use == CacheUse::bypass) return "bypass";
    if (!is_storable_status(response.status)) return "status";
    for (const HeaderField& f : response.fields.all()) {
        if (f.id == Field::set_cookie || f.id == Field::set_cookie2) return "set_cookie";
        if (f.id == Field::content_range) return "partial";
    }
    return {};
}

std::string_view backend_forbids(const http::ResponseHead& response, const CacheControl& control,
                                 const CacheKey& key, CacheUse use) {
    if (control.malformed) return "cache_control";
    if (control.no_store) return "no_store";
    if (control.is_private) return "private";
    if (control.no_cache) return "no_cache";  // would need revalidation on each use
    if (!vary_is_keyed(response.fields, key)) return "vary";
    if (use == CacheUse::shared_only && !marks_for_everyone(control)) return "cookie";
    return {};
}

/// The method's ttl, shortened but never lengthened by what the backend says (contract 9).
seconds fresh_for(const http::ResponseHead& response, const CacheControl& control, seconds ttl,
                  std::uint32_t age, WallTime now) {
    std::optional<seconds> life;
    if (control.s_maxage) {
        life = seconds{*control.s_maxage};
    } else if (control.max_age) {
        life = seconds{*control.max_age};
    } else {
        life = life_by_expires(response.fields, now);
    }
    return life ? std::min(ttl, *life - seconds{age}) : ttl;
}

}  // namespace

CacheControl read_cache_control(const FieldList& fields) {
    CacheControl control;
    for (const HeaderField& f : fields.all()) {
        if (f.id == Field::cache_control) add_directives(f.value, control);
    }
    return control;
}

CacheUse cache_use(const http::RequestHead& request, const CacheKey& key,
                   Compatibility personality) {
    const bool standard = personality == Compatibility::standard;
    if (request.fields.find(Field::range) != nullptr) return CacheUse::bypass;
    const bool safe_verb = request.verb == http::Verb::get || request.verb == http::Verb::head;
    // A body is outside the key. `aws` caches a POST all the same where a method setting says so
    // (appendix B.5).
    if (has_body(request) && (standard || safe_verb)) return CacheUse::bypass;
    if (!standard) return CacheUse::normal;
    if (request.fields.find(Field::authorization) != nullptr &&
        !key.covers_header("authorization")) {
        return CacheUse::bypass;
    }
    const bool cookie =
        request.fields.find(Field::cookie) != nullptr && !key.covers_header("cookie");
    return cookie ? CacheUse::shared_only : CacheUse::normal;
}

bool is_for_everyone(std::string_view fields) {
    CacheControl control;
    while (!fields.empty()) {
        const auto end = fields.find("\r\n");
        const auto line = fields.substr(0, end);
        fields.remove_prefix(end == std::string_view::npos ? fields.size() : end + 2);
        const auto colon = line.find(':');
        if (colon == std::string_view::npos) continue;
        if (iequals(line.substr(0, colon), "cache-control")) {
            add_directives(trimmed(line.substr(colon + 1)), control);
        }
    }
    return marks_for_everyone(control);
}

StoreDecision may_store(const http::ResponseHead& response, const CacheKey& key, CacheUse use,
                        seconds ttl, WallTime now, Compatibility personality) {
    StoreDecision decision;
    decision.reason = always_forbids(response, use);
    if (decision.reason.empty() && ttl <= seconds{0}) decision.reason = "ttl";
    decision.fresh_for = ttl;
    if (decision.reason.empty() && personality == Compatibility::standard) {
        const CacheControl control = read_cache_control(response.fields);
        decision.reason = backend_forbids(response, control, key, use);
        decision.initial_age = read_age(response.fields);
        decision.fresh_for = fresh_for(response, control, ttl, decision.initial_age, now);
        if (decision.reason.empty() && decision.fresh_for <= seconds{0}) decision.reason = "stale";
    }
    decision.store = decision.reason.empty();
    return decision;
}

bool is_stored_field(const HeaderField& field) {
    switch (field.id) {
        case Field::age:
        case Field::connection:
        case Field::content_length:
        case Field::date:
        case Field::keep_alive:
        case Field::set_cookie:
        case Field::set_cookie2:
        case Field::transfer_encoding:
            return false;
        case Field::unknown:
            return !iequals(field.name, "x-amzn-requestid") &&
                   !iequals(field.name, "x-amz-apigw-id") &&
                   !iequals(field.name, "x-amzn-trace-id");
        default:
            return true;
    }
}

bool asks_for_fresh_answer(const FieldList& fields) {
    for (const HeaderField& f : fields.all()) {
        if (f.id != Field::cache_control) continue;
        for (auto list = f.value; !list.empty();) {
            const Directive d = take_directive(list);
            if (!d.malformed && iequals(d.name, "max-age") && read_seconds(d.value) == 0U) {
                return true;
            }
        }
    }
    return false;
}

Invalidation client_invalidation(const FieldList& fields, bool require_authorization,
                                 config::UnauthorizedCacheControl strategy, bool authorized) {
    if (!asks_for_fresh_answer(fields)) return Invalidation::none;
    if (!require_authorization || authorized) return Invalidation::refresh;
    switch (strategy) {
        case config::UnauthorizedCacheControl::fail_with_403:
            return Invalidation::refused;
        case config::UnauthorizedCacheControl::succeed_without_response_header:
            return Invalidation::ignored;
        case config::UnauthorizedCacheControl::succeed_with_response_header:
            break;
    }
    return Invalidation::ignored_with_warning;
}

}  // namespace sluice::gateway
