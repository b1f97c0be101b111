// SPDX-License-Identifier: Apache-2.0
#include "config/otel_environment.hpp"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <functional>
#include <map>

#include "config/names.hpp"
#include "config/otlp_url.hpp"
#include "config/text.hpp"

namespace sluice::config {
namespace {

int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    const char lower = static_cast<char>(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

std::string percent_decoded(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const int high = text[i] == '%' && i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
        const int low = high >= 0 ? hex_digit(text[i + 2]) : -1;
        if (low < 0) {
            out += text[i];
            continue;
        }
        out += static_cast<char>(high << 4 | low);
        i += 2;
    }
    return out;
}

/// Signals, limits and log levels that say nothing about how Sluice traces.
bool is_for_others(std::string_view name) {
    constexpr std::string_view kPrefixes[] = {"OTEL_EXPORTER_OTLP_METRICS_",
                                              "OTEL_EXPORTER_OTLP_LOGS_",
                                              "OTEL_METRIC",
                                              "OTEL_LOG",
                                              "OTEL_BLRP_",
                                              "OTEL_EXPORTER_PROMETHEUS_"};
    return std::any_of(std::begin(kPrefixes), std::end(kPrefixes),
                       [&](std::string_view prefix) { return name.starts_with(prefix); });
}

class OtelReader {
public:
    explicit OtelReader(const Variables& variables)
        : variables_{variables.begin(), variables.end()} {}

    OtelSettings read() {
        Tracing& t = out_.tracing;
        flag("OTEL_SDK_DISABLED", t.disabled);
        exporter();
        endpoint();
        signal("HEADERS", [&](const std::string& name, const std::string& value) {
            if (!read_pairs(value, t.headers)) error(name, "must read name=value,...", "");
        });
        signal("TIMEOUT", [&](const std::string& name, const std::string& value) {
            integer(name, value, t.timeout, 1);
        });
        signal("PROTOCOL", [&](const std::string& name, const std::string& value) {
            if (value != "http/protobuf") error(name, "only http/protobuf is supported", value);
        });
        signal("COMPRESSION", [&](const std::string& name, const std::string& value) {
            if (value != "none") error(name, "only none is supported", value);
        });
        signal("CERTIFICATE",
               [&](const std::string&, const std::string& value) { t.certificate_file = value; });
        sampler();
        resource();
        batches();
        propagators();
        rest();
        return std::move(out_);
    }

private:
    std::optional<std::string> take(const std::string& name) {
        const auto it = variables_.find(name);
        if (it == variables_.end()) return {};
        std::string value{trimmed(it->second)};
        variables_.erase(it);
        if (value.empty()) return {};  // the specification: as if it were not set
        return value;
    }
    /// Calls `use` with OTEL_EXPORTER_OTLP_TRACES_`what`, or with the one for all signals.
    void signal(const std::string& what,
                const std::function<void(const std::string&, const std::string&)>& use) {
        const std::string general = "OTEL_EXPORTER_OTLP_" + what;
        const std::string own = "OTEL_EXPORTER_OTLP_TRACES_" + what;
        const auto of_all = take(general);
        const auto of_traces = take(own);
        if (of_traces)
            use(own, *of_traces);
        else if (of_all)
            use(general, *of_all);
    }
    void error(const std::string& name, const std::string& what, const std::string& value) {
        out_.errors.push_back(name + (value.empty() ? "" : "=" + value) + ": " + what);
    }
    void warn(const std::string& name, const std::string& what) {
        out_.warnings.push_back(name + ": " + what);
    }
    void flag(const std::string& name, bool& flag) {
        const auto value = take(name);
        if (!value) return;
        const std::string word = lower(*value);
        flag = word == "true";
        if (word != "true" && word != "false") warn(name, "neither true nor false, so false");
    }
    template <class T>
    void integer(const std::string& name, const std::string& text, T& to, std::int64_t least) {
        std::int64_t value = 0;
        const auto [end, bad] = std::from_chars(text.data(), text.data() + text.size(), value);
        const bool whole = bad == std::errc{} && end == text.data() + text.size();
        if (!whole || value < least || value > 3'600'000) {
            return error(name, "must be an integer from " + std::to_string(least) + " to 3600000",
                         text);
        }
        to = T(value);
    }

    void exporter() {
        const auto value = take("OTEL_TRACES_EXPORTER");
        if (!value || *value == "otlp") return;
        if (*value == "none")
            out_.tracing.disabled = true;
        else
            error("OTEL_TRACES_EXPORTER", "only otlp and none are supported", *value);
    }
    void endpoint() {
        const std::string general = "OTEL_EXPORTER_OTLP_ENDPOINT";
        const std::string own = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";
        const auto of_all = take(general);
        const auto of_traces = take(own);
        if (!of_all && !of_traces) return;
        const std::string url = of_traces ? *of_traces : traces_endpoint(*of_all);
        if (!parse_otlp_url(url)) {
            return error(of_traces ? own : general, "must be an http or https URL", "");
        }
        out_.tracing.endpoint = url;
    }
    void sampler() {
        const std::string name = "OTEL_TRACES_SAMPLER";
        const auto value = take(name);
        const auto argument = take(name + "_ARG");
        if (value) {
            const auto known =
                std::find_if(std::begin(kTraceSamplers), std::end(kTraceSamplers),
                             [&](const auto& entry) { return entry.first == *value; });
            if (known == std::end(kTraceSamplers))
                error(name, "is not supported", *value);
            else
                out_.tracing.sampler = known->second;
        }
        if (!argument) return;
        const auto rate = parse_number(*argument);
        if (!rate || *rate < 0 || *rate > 1) {
            return error(name + "_ARG", "must be a number from 0 to 1", *argument);
        }
        out_.tracing.sampler_rate = *rate;
    }
    void resource() {
        Tracing& t = out_.tracing;
        std::vector<std::pair<std::string, std::string>> pairs;
        const auto attributes = take("OTEL_RESOURCE_ATTRIBUTES");
        if (attributes && !read_pairs(*attributes, pairs)) {
            error("OTEL_RESOURCE_ATTRIBUTES", "must read name=value,...", *attributes);
        }
        for (auto& [name, value] : pairs) {
            if (name == "service.name")
                t.service_name = value;
            else
                t.resource_attributes[name] = value;
        }
        if (const auto service = take("OTEL_SERVICE_NAME")) t.service_name = *service;
    }
    void batches() {
        Tracing& t = out_.tracing;
        const auto number = [&](const std::string& name, auto& to, std::int64_t least) {
            if (const auto value = take(name)) integer(name, *value, to, least);
        };
        number("OTEL_BSP_SCHEDULE_DELAY", t.schedule_delay, 1);
        number("OTEL_BSP_EXPORT_TIMEOUT", t.export_timeout, 1);
        number("OTEL_BSP_MAX_QUEUE_SIZE", t.max_queue_size, 1);
        number("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", t.max_export_batch_size, 1);
    }
    void propagators() {
        const auto value = take("OTEL_PROPAGATORS");
        if (!value) return;
        for (std::string_view left = *value; !left.empty();) {
            const std::string_view one = trimmed(left.substr(0, left.find(',')));
            left.remove_prefix(std::min(left.size(), left.find(',')));
            if (!left.empty()) left.remove_prefix(1);
            if (one == "tracecontext" || one == "baggage" || one == "xray") continue;
            error("OTEL_PROPAGATORS", "only tracecontext, xray and baggage are supported",
                  std::string{one});
        }
    }
    void rest() {
        for (const auto& [name, value] : variables_) {
            if (!is_for_others(name) && !value.empty()) warn(name, "is not supported");
        }
    }

    std::map<std::string, std::string> variables_;
    OtelSettings out_{};
};

}  // namespace

Variables otel_variables() {
    Variables found;
    for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
        const std::string_view text = *entry;
        const auto equals = text.find('=');
        if (!text.starts_with("OTEL_") || equals == text.npos) continue;
        found.emplace_back(text.substr(0, equals), text.substr(equals + 1));
    }
    std::sort(found.begin(), found.end());
    return found;
}

OtelSettings read_otel(const Variables& variables) { return OtelReader{variables}.read(); }

std::string traces_endpoint(std::string base) {
    while (base.ends_with('/'))
        base.pop_back();
    return base + "/v1/traces";
}

bool read_pairs(std::string_view text, std::vector<std::pair<std::string, std::string>>& out) {
    while (!text.empty()) {
        const std::string_view pair = trimmed(text.substr(0, text.find(',')));
        text.remove_prefix(std::min(text.size(), text.find(',')));
        if (!text.empty()) text.remove_prefix(1);
        if (pair.empty()) continue;
        const auto equals = pair.find('=');
        const std::string_view name = trimmed(pair.substr(0, equals));
        if (equals == pair.npos || name.empty()) return false;
        std::string value = percent_decoded(trimmed(pair.substr(equals + 1)));
        const auto bad = [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 0x7F; };
        if (std::any_of(value.begin(), value.end(), bad)) return false;
        out.emplace_back(name, std::move(value));
    }
    return true;
}

}  // namespace sluice::config
