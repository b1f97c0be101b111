// SPDX-License-Identifier: Apache-2.0
#include "admin/monitoring.hpp"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "admin/iso_time.hpp"
#include "sluice/base/result.hpp"
#include "sluice/telemetry/cloudwatch.hpp"

namespace sluice::admin {
namespace {

using Json = nlohmann::ordered_json;
using Parameters = std::map<std::string, std::string>;
using std::chrono::minutes;
using telemetry::CloudMetric;
using telemetry::History;
using telemetry::Statistic;
using telemetry::Totals;

constexpr std::int64_t kMaxDatapoints = 1440;  // GetMetricStatistics
constexpr std::int64_t kMaxPeriod = 86'400;
constexpr std::size_t kMaxStatistics = 15;  // five plain ones and ten percentiles there
constexpr minutes kDefaultRange{60};

Error refused(std::string detail) { return {Origin::client, "bad_request", std::move(detail)}; }

Reply bad_request(const Error& error) {
    return error_reply(400, "BadRequestException", error.detail);
}

struct Question {
    CloudMetric metric = CloudMetric::count;
    std::vector<Statistic> statistics{};
    minutes period{1};
    History::Minute start{};
    History::Minute end{};
    std::optional<std::string> api{}, stage{}, resource{}, method{};
};

Result<void> read_metric(Question& out, const std::string& text) {
    const auto metric = telemetry::parse_cloud_metric(text);
    if (metric) {
        out.metric = *metric;
        return {};
    }
    std::string known;
    for (std::size_t i = 0; i < telemetry::kCloudMetrics; ++i) {
        if (i > 0) known += i + 1 < telemetry::kCloudMetrics ? ", " : " and ";
        known += telemetry::to_string(static_cast<CloudMetric>(i));
    }
    return refused("Unknown metric; known are " + known);
}

Result<void> read_statistics(Question& out, std::string_view text) {
    while (true) {
        const auto comma = text.find(',');
        auto one = telemetry::parse_statistic(text.substr(0, comma));
        if (!one) {
            return refused(
                "statistic must be Sum, Average, SampleCount, Minimum, Maximum or a percentile "
                "such as p99 or p99.9; several are separated by commas");
        }
        out.statistics.push_back(std::move(*one));
        if (out.statistics.size() > kMaxStatistics) return refused("At most 15 statistics");
        if (comma == text.npos) return {};
        text.remove_prefix(comma + 1);
    }
}

Result<void> read_period(Question& out, const std::string& text) {
    std::int64_t seconds = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
    const bool is_number = error == std::errc{} && end == text.data() + text.size();
    if (!is_number || seconds < 60 || seconds > kMaxPeriod || seconds % 60 != 0)
        return refused("period must be a multiple of 60, at most 86400");
    out.period = minutes{seconds / 60};
    return {};
}

Result<void> read_time(std::optional<WallTime>& out, const std::string& name,
                       const std::string& text) {
    out = parse_iso_time(text);
    if (!out) return refused(name + " must be a time as in 2026-01-31T23:59:00Z");
    return {};
}

/// As GetMetricStatistics does: the start is rounded down to its minute, and periods count from
/// there; the end does not belong to it.
Result<void> settle_range(Question& out, std::optional<WallTime> start, std::optional<WallTime> end,
                          WallTime now) {
    const WallTime last = end.value_or(now);
    out.start = std::chrono::floor<minutes>(start.value_or(last - kDefaultRange));
    out.end = std::chrono::ceil<minutes>(last);
    if (out.start >= out.end) return refused("end must be after start");
    const std::int64_t points = (out.end - out.start + out.period - minutes{1}) / out.period;
    if (points <= kMaxDatapoints) return {};
    return refused("That would be " + std::to_string(points) +
                   " datapoints and 1440 is the most: take a longer period or a shorter time");
}

Result<void> check_dimensions(const Question& q) {
    if (q.stage && !q.api) return refused("stage needs api");
    if (q.resource.has_value() != q.method.has_value())
        return refused("resource and method go together");
    if (q.resource && !q.stage) return refused("resource and method need api and stage");
    return {};
}

Result<Question> parse(const Parameters& parameters, WallTime now) {
    Question out;
    std::optional<WallTime> start;
    std::optional<WallTime> end;
    const std::map<std::string_view, std::optional<std::string>*> kDimensions{
        {"api", &out.api},
        {"stage", &out.stage},
        {"resource", &out.resource},
        {"method", &out.method}};
    for (const auto& [name, value] : parameters) {
        Result<void> read;
        if (name == "metric") {
            read = read_metric(out, value);
        } else if (name == "statistic") {
            read = read_statistics(out, value);
        } else if (name == "period") {
            read = read_period(out, value);
        } else if (name == "start") {
            read = read_time(start, name, value);
        } else if (name == "end") {
            read = read_time(end, name, value);
        } else if (const auto found = kDimensions.find(name); found != kDimensions.end()) {
            *found->second = value;
        } else {
            read = refused(
                "Unknown parameter; known are metric, statistic, period, start, end, api, stage, "
                "resource and method");
        }
        if (!read) return read.error();
    }
    if (!parameters.contains("metric")) return refused("metric is missing");
    if (!parameters.contains("statistic")) return refused("statistic is missing");
    if (auto ok = check_dimensions(out); !ok) return ok.error();
    if (auto ok = settle_range(out, start, end, now); !ok) return ok.error();
    return out;
}

bool is_asked_for(const Question& q, const telemetry::SeriesLabels& labels) {
    const auto matches = [](const std::optional<std::string>& wanted, const std::string& label) {
        return !wanted || *wanted == label;
    };
    // AWS drops what is not ASCII from the dimension, so both spellings are known.
    const bool is_api =
        matches(q.api, labels.api) || matches(q.api, telemetry::api_name_dimension("", labels.api));
    return is_api && matches(q.stage, labels.stage) && matches(q.resource, labels.resource) &&
           matches(q.method, labels.method);
}

std::map<History::Minute, Totals> by_period(const Question& q, const History& history) {
    std::map<History::Minute, Totals> out;
    history.visit(
        q.start, q.end, [&](const telemetry::SeriesLabels& l) { return is_asked_for(q, l); },
        [&](History::Minute minute, const telemetry::SeriesLabels&, const Totals& totals) {
            out[minute - (minute - q.start) % q.period].add(totals);
        });
    return out;
}

/// Percentiles have a place of their own, as in AWS's answers.
Json datapoint(const Question& q, History::Minute at, const Totals& totals) {
    Json out{{"Timestamp", to_iso_time(at)}};
    Json percentiles = Json::object();
    bool has_value = false;
    for (const Statistic& statistic : q.statistics) {
        const auto value = telemetry::evaluate(q.metric, statistic, totals);
        if (!value) continue;
        has_value = true;
        const bool is_plain = statistic.kind != Statistic::Kind::percentile;
        (is_plain ? out : percentiles)[statistic.name] = *value;
    }
    if (!has_value) return nullptr;
    if (!percentiles.empty()) out["ExtendedStatistics"] = std::move(percentiles);
    out["Unit"] = telemetry::unit_of(q.metric);
    return out;
}

Reply no_history() {
    return error_reply(404, "NotFoundException",
                       "No history is kept: server.metrics.historyBytes is 0");
}

bool is_word(std::string_view text) {
    return !text.empty() && text.size() <= 64 &&
           std::all_of(text.begin(), text.end(), [](unsigned char c) {
               return std::isalnum(c) != 0 || c == '-' || c == '_';
           });
}

Result<telemetry::CloudWatchView> parse_view(const Parameters& parameters) {
    telemetry::CloudWatchView view;
    for (const auto& [name, value] : parameters) {
        if (name == "style") {
            const auto style = telemetry::parse_exporter_style(value);
            if (!style) return refused("Unknown style; known are exporter and yace");
            view.style = *style;
        } else if (name == "dimensions") {
            const auto dimensions = telemetry::parse_dimensions(value);
            if (!dimensions) {
                return refused(
                    "dimensions must be ApiName or ApiName,Stage or ApiName,Stage,Resource,Method");
            }
            view.dimensions = *dimensions;
        } else if (name == "region" || name == "account") {
            if (!is_word(value)) return refused(name + " must be one word");
            (name == "region" ? view.region : view.account) = value;
        } else {
            return refused("Unknown parameter; known are style, dimensions, region and account");
        }
    }
    return view;
}

}  // namespace

Reply metric_statistics(const Parameters& parameters, const History& history, WallTime now) {
    if (!history.is_kept()) return no_history();
    const auto question = parse(parameters, now);
    if (!question) return bad_request(question.error());
    Json points = Json::array();
    for (const auto& [minute, totals] : by_period(*question, history)) {
        Json point = datapoint(*question, minute, totals);
        if (!point.is_null()) points.push_back(std::move(point));
    }
    return json_reply(200, {{"Label", telemetry::to_string(question->metric)},
                            {"Datapoints", std::move(points)}});
}

Reply cloudwatch_metrics(const Parameters& parameters, const History& history,
                         std::span<const ApiObject> apis) {
    if (!history.is_kept()) return no_history();
    const auto view = parse_view(parameters);
    if (!view) return bad_request(view.error());
    std::vector<telemetry::CloudWatchApi> known;
    for (const ApiObject& api : apis) {
        telemetry::CloudWatchApi one{.id = api.id, .name = api.name};
        for (const StageObject& stage : api.stages)
            one.stages.push_back(stage.name);
        known.push_back(std::move(one));
    }
    return {.body = telemetry::render_cloudwatch(history, *view, known),
            .content_type = "text/plain; version=0.0.4; charset=utf-8"};
}

}  // namespace sluice::admin
