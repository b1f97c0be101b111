// SPDX-License-Identifier: Apache-2.0
#include "admin/usage.hpp"

#include <array>
#include <charconv>
#include <cstdio>
#include <nlohmann/json.hpp>

namespace sluice::admin {
namespace {

using Json = nlohmann::ordered_json;
using std::chrono::sys_days;
using std::chrono::year_month_day;

constexpr std::size_t kMaxDays = 366;   // aws-semantics 4.4
constexpr std::size_t kMaxLimit = 500;  // aws-semantics 4.4

Error refused(std::string detail) { return {Origin::client, "bad_request", std::move(detail)}; }

template <class Number>
bool read_number(std::string_view text, Number& out) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    return error == std::errc{} && end == text.data() + text.size();
}

/// Exactly yyyy-mm-dd, and a day that exists.
std::optional<sys_days> parse_date(std::string_view text) {
    unsigned year = 0;
    unsigned month = 0;
    unsigned day = 0;
    if (text.size() != 10 || text[4] != '-' || text[7] != '-' ||
        !read_number(text.substr(0, 4), year) || !read_number(text.substr(5, 2), month) ||
        !read_number(text.substr(8, 2), day)) {
        return std::nullopt;
    }
    const year_month_day date{std::chrono::year{static_cast<int>(year)}, std::chrono::month{month},
                              std::chrono::day{day}};
    if (!date.ok()) return std::nullopt;
    return sys_days{date};
}

std::string to_text(sys_days day) {
    const year_month_day date{day};
    std::array<char, 40> text{};
    std::snprintf(text.data(), text.size(), "%04d-%02u-%02u", static_cast<int>(date.year()),
                  static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
    return text.data();
}

/// Opaque to clients: a key id in hexadecimal.
std::string to_position(std::string_view key) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string out;
    for (const char c : key) {
        out.push_back(kDigits[static_cast<unsigned char>(c) >> 4]);
        out.push_back(kDigits[static_cast<unsigned char>(c) & 15]);
    }
    return out;
}

std::optional<std::string> from_position(std::string_view position) {
    if (position.empty() || position.size() % 2 != 0) return std::nullopt;
    std::string escaped;
    for (std::size_t i = 0; i < position.size(); i += 2) {
        escaped += '%';
        escaped += position.substr(i, 2);
    }
    return percent_decode(escaped);
}

Result<UsageRequest> read_parameters(const std::map<std::string, std::string>& parameters,
                                     std::optional<sys_days>& start, std::optional<sys_days>& end) {
    UsageRequest out;
    for (const auto& [name, value] : parameters) {
        if (name == "usagePlanId") {
            out.query.usage_plan_id = value;
        } else if (name == "keyId") {
            out.query.key_id = value;
        } else if (name == "startDate" || name == "endDate") {
            auto& date = name == "startDate" ? start : end;
            if (!value.empty() && !(date = parse_date(value))) {
                return refused(name + " must be a date as in 2026-01-31");
            }
        } else if (name == "limit") {
            if (!read_number(value, out.limit) || out.limit < 1 || out.limit > kMaxLimit) {
                return refused("limit must be 1 to 500");
            }
        } else if (name == "position") {
            auto key = from_position(value);
            if (!key) return refused("Invalid position parameter");
            out.position = std::move(*key);
        } else {
            return refused(
                "Unknown parameter; known are usagePlanId, keyId, startDate, endDate, limit and "
                "position");
        }
    }
    return out;
}

Json to_json(const UsageRequest& request, const PlanUsage& plan) {
    Json values = Json::object();
    std::string last;
    bool more = false;
    for (auto key = plan.keys.upper_bound(request.position); key != plan.keys.end(); ++key) {
        more = values.size() == request.limit;
        if (more) break;
        Json days = Json::array();
        for (const UsageDay& day : key->second)
            days.push_back({day.used, day.remaining});
        values[key->first] = std::move(days);
        last = key->first;
    }
    Json out{{"usagePlanId", plan.usage_plan_id},
             {"startDate", to_text(request.query.start)},
             {"endDate", to_text(request.query.end)}};
    if (more) out["position"] = to_position(last);
    out["values"] = std::move(values);
    return out;
}

}  // namespace

Result<UsageRequest> parse_usage(const std::map<std::string, std::string>& parameters,
                                 sys_days today) {
    std::optional<sys_days> start;
    std::optional<sys_days> end;
    auto out = read_parameters(parameters, start, end);
    if (!out) return out;
    out->query.end = end.value_or(today);
    out->query.start = start.value_or(out->query.end);
    if (out->query.start > out->query.end) return refused("startDate must not be after endDate");
    if (out->query.days() > kMaxDays) return refused("At most 366 days can be asked for");
    if (!out->position.empty() && out->query.usage_plan_id.empty()) {
        return refused("position needs a usagePlanId");
    }
    return out;
}

Reply usage_reply(const UsageRequest& request, const std::vector<PlanUsage>& plans) {
    Json all = Json::array();
    for (const PlanUsage& plan : plans)
        all.push_back(to_json(request, plan));
    if (request.query.usage_plan_id.empty()) return json_reply(200, {{"item", std::move(all)}});
    if (all.empty())
        return error_reply(404, "NotFoundException", "Invalid Usage Plan ID specified");
    return json_reply(200, all.front());
}

}  // namespace sluice::admin
