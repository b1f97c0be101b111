// SPDX-License-Identifier: Apache-2.0
//
// Names follow what both exporters do: snake case splits where a capital follows a small letter
// or a digit, so 4XXError is 4_xxerror and SampleCount is sample_count.
#include "sluice/telemetry/cloudwatch.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "telemetry/prometheus_text.hpp"

namespace sluice::telemetry {
namespace {

constexpr std::size_t kLongestDimension = 255;  // aws-semantics 14.2

struct Family {
    CloudMetric metric;
    std::vector<std::string_view> statistics;
};

const std::vector<Family>& families() {
    static const std::vector<std::string_view> kCounts{"Sum", "SampleCount", "Average", "Minimum",
                                                       "Maximum"};
    static const std::vector<std::string_view> kTimes{
        "Sum", "SampleCount", "Average", "Minimum", "Maximum", "p50", "p90", "p95", "p99", "p99.9"};
    static const std::vector<Family> all{{CloudMetric::count, kCounts},
                                         {CloudMetric::errors_4xx, kCounts},
                                         {CloudMetric::errors_5xx, kCounts},
                                         {CloudMetric::cache_hits, kCounts},
                                         {CloudMetric::cache_misses, kCounts},
                                         {CloudMetric::latency, kTimes},
                                         {CloudMetric::integration_latency, kTimes}};
    return all;
}

bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_lower_or_digit(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

std::string snake_case(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (i > 0 && is_upper(c) && is_lower_or_digit(text[i - 1])) out += '_';
        if (is_upper(c)) {
            out += static_cast<char>(c - 'A' + 'a');
        } else {
            out += is_lower_or_digit(c) ? c : '_';
        }
    }
    return out;
}

std::string_view text_of(Dimensions dimensions) {
    if (dimensions == Dimensions::api) return "ApiName";
    return dimensions == Dimensions::stage ? "ApiName,Stage" : "ApiName,Stage,Resource,Method";
}

/// One combination of dimension values: those that the view leaves out are empty.
struct Row {
    std::string labels{};
    Totals totals{};
};

class Table {
public:
    Table(const CloudWatchView& view, std::span<const CloudWatchApi> apis)
        : view_{view}, apis_{apis} {
        for (const CloudWatchApi& api : apis) {
            const std::string name = api_name_dimension(api.id, api.name);
            if (view.dimensions == Dimensions::api) row({name, "", "", ""});
            if (view.dimensions != Dimensions::stage) continue;
            for (const std::string& stage : api.stages)
                row({name, stage, "", ""});
        }
    }
    void add(const SeriesLabels& labels, const Totals& totals) {
        SeriesLabels kept = labels;
        kept.api = api_name(labels.api);
        if (view_.dimensions == Dimensions::api) kept.stage.clear();
        if (view_.dimensions != Dimensions::method) {
            kept.resource.clear();
            kept.method.clear();
        } else if (labels.method.empty()) {
            return;  // its method has no detailed metrics
        }
        row(kept).totals.add(totals);
    }
    const std::map<SeriesLabels, Row>& rows() const { return rows_; }

private:
    Row& row(const SeriesLabels& key) {
        const auto [found, is_new] = rows_.try_emplace(key);
        if (is_new) found->second.labels = labels_of(key);
        return found->second;
    }
    std::string api_name(const std::string& name) const {
        const auto api = std::find_if(apis_.begin(), apis_.end(),
                                      [&](const CloudWatchApi& a) { return a.name == name; });
        return api_name_dimension(api == apis_.end() ? "" : api->id, name);
    }
    std::string labels_of(const SeriesLabels& key) const {
        return view_.style == ExporterStyle::exporter ? exporter_labels(key) : yace_labels(key);
    }
    std::string exporter_labels(const SeriesLabels& key) const {
        std::string out = R"(job="aws_apigateway",instance="",)";
        append_label(out, "api_name", key.api);
        if (view_.dimensions != Dimensions::api) append_label(out += ',', "stage", key.stage);
        if (view_.dimensions == Dimensions::method) {
            append_label(out += ',', "resource", key.resource);
            append_label(out += ',', "method", key.method);
        }
        return out;
    }
    /// Sorted by name, as its client library writes them. It puts the API's name into the ARN
    /// where AWS has the id, because CloudWatch knows the name only.
    std::string yace_labels(const SeriesLabels& key) const {
        const std::string& name = key.api;
        std::string arn = "arn:aws:apigateway:" + view_.region + "::/restapis/" + name;
        if (view_.dimensions != Dimensions::api) arn += "/stages/" + key.stage;
        std::string out;
        append_label(out, "account_id", view_.account);
        append_label(out += ',', "dimension_ApiName", name);
        if (view_.dimensions == Dimensions::method) {
            append_label(out += ',', "dimension_Method", key.method);
            append_label(out += ',', "dimension_Resource", key.resource);
        }
        if (view_.dimensions != Dimensions::api)
            append_label(out += ',', "dimension_Stage", key.stage);
        append_label(out += ',', "name", arn);
        append_label(out += ',', "region", view_.region);
        return out;
    }

    const CloudWatchView& view_;
    const std::span<const CloudWatchApi> apis_;
    std::map<SeriesLabels, Row> rows_{};
};

/// CloudWatch has no datum for a minute without requests; sums of nothing are still 0.
std::optional<double> value_of(CloudMetric metric, const Statistic& statistic, const Totals& t) {
    const auto value = evaluate(metric, statistic, t);
    if (value) return value;
    const bool adds_up =
        statistic.kind == Statistic::Kind::sum || statistic.kind == Statistic::Kind::sample_count;
    if (adds_up) return 0;
    return std::nullopt;
}

void write_one(std::string& out, const Family& family, const Statistic& statistic,
               const Table& table, std::string_view dimensions) {
    const std::string name =
        "aws_apigateway_" + snake_case(to_string(family.metric)) + '_' + snake_case(statistic.name);
    bool has_header = false;
    for (const auto& [key, row] : table.rows()) {
        const auto value = value_of(family.metric, statistic, row.totals);
        if (!value) continue;
        if (!std::exchange(has_header, true)) {
            write_family(out, name, "gauge",
                         "CloudWatch metric AWS/ApiGateway " +
                             std::string{to_string(family.metric)} + " Dimensions: [" +
                             std::string{dimensions} + "] Statistic: " + statistic.name +
                             " Unit: " + std::string{unit_of(family.metric)});
        }
        out += name;
        out += '{';
        out += row.labels;
        out += "} ";
        append_number(out, *value);
        out += '\n';
    }
}

}  // namespace

std::optional<ExporterStyle> parse_exporter_style(std::string_view name) {
    if (name == "exporter") return ExporterStyle::exporter;
    if (name == "yace") return ExporterStyle::yace;
    return std::nullopt;
}

std::optional<Dimensions> parse_dimensions(std::string_view text) {
    for (const auto one : {Dimensions::api, Dimensions::stage, Dimensions::method}) {
        if (text == text_of(one)) return one;
    }
    return std::nullopt;
}

std::string api_name_dimension(std::string_view id, std::string_view name) {
    std::string out;
    std::copy_if(name.begin(), name.end(), std::back_inserter(out),
                 [](char c) { return c >= ' ' && c <= '~'; });
    if (out.empty()) out = id;
    return out.substr(0, kLongestDimension);
}

std::string render_cloudwatch(const History& history, const CloudWatchView& view,
                              std::span<const CloudWatchApi> apis) {
    Table table{view, apis};
    history.visit(
        history.last_full(), history.running(), [](const SeriesLabels&) { return true; },
        [&](History::Minute, const SeriesLabels& labels, const Totals& totals) {
            table.add(labels, totals);
        });
    std::string out;
    for (const Family& family : families()) {
        for (const std::string_view name : family.statistics)
            write_one(out, family, *parse_statistic(name), table, text_of(view.dimensions));
    }
    return out;
}

}  // namespace sluice::telemetry
