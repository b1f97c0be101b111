// SPDX-License-Identifier: Apache-2.0
//
// The last full minute under the names that exporters of CloudWatch give it, so that dashboards
// and alarms made for them go on (aws-semantics 14, ecosystem 4).
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/telemetry/history.hpp"

namespace sluice::telemetry {

enum class ExporterStyle : std::uint8_t {
    exporter,  ///< prometheus/cloudwatch_exporter: api_name, stage...
    yace       ///< yet-another-cloudwatch-exporter: dimension_ApiName, dimension_Stage...
};
std::optional<ExporterStyle> parse_exporter_style(std::string_view);

/// Which of CloudWatch's sets of dimensions; a sum over more than one would count twice.
enum class Dimensions : std::uint8_t { api, stage, method };
/// "ApiName", "ApiName,Stage" or "ApiName,Stage,Resource,Method".
std::optional<Dimensions> parse_dimensions(std::string_view);

struct CloudWatchView {
    ExporterStyle style = ExporterStyle::exporter;
    Dimensions dimensions = Dimensions::stage;
    std::string region = "local";
    std::string account = "000000000000";
};

/// An API and its stages, which appear with zeros when nobody asked for them.
struct CloudWatchApi {
    std::string id{};
    std::string name{};
    std::vector<std::string> stages{};
};

/// AWS's dimension ApiName: the name's ASCII characters, or the id when it has none.
std::string api_name_dimension(std::string_view id, std::string_view name);

std::string render_cloudwatch(const History&, const CloudWatchView&,
                              std::span<const CloudWatchApi>);

}  // namespace sluice::telemetry
