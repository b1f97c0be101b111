// SPDX-License-Identifier: Apache-2.0
#include "support/metrics.hpp"

#include <algorithm>
#include <sstream>
#include <stdexcept>

namespace test {

namespace {

/// Parses `a="1",b="x\"y"}` and leaves `at` behind the brace.
Metrics::Labels parse_labels(const std::string& line, std::size_t& at) {
    Metrics::Labels labels;
    while (line.at(at) != '}') {
        const std::size_t equals = line.find("=\"", at);
        if (equals == std::string::npos) throw std::runtime_error("bad sample: " + line);
        const std::string name = line.substr(at, equals - at);
        std::string value;
        for (at = equals + 2; line.at(at) != '"'; ++at) {
            if (line[at] == '\\') ++at;
            value += line.at(at);
        }
        labels[name] = value;
        if (line.at(++at) == ',') ++at;
    }
    ++at;
    return labels;
}

}  // namespace

Metrics::Metrics(const std::string& text) {
    std::istringstream lines{text};
    for (std::string line; std::getline(lines, line);) {
        if (line.empty() || line[0] == '#') continue;
        std::size_t at = line.find_first_of("{ ");
        Sample sample{line.substr(0, at), {}, 0};
        if (line.at(at) == '{') sample.labels = parse_labels(line, ++at);
        sample.value = std::stod(line.substr(at));
        samples_.push_back(std::move(sample));
    }
}

double Metrics::sum(const std::string& name, const Labels& labels) const {
    double total = 0;
    for (const Sample& s : samples_) {
        if (s.name != name) continue;
        const bool carries = std::ranges::all_of(labels, [&](const auto& wanted) {
            const auto found = s.labels.find(wanted.first);
            return found != s.labels.end() && found->second == wanted.second;
        });
        if (carries) total += s.value;
    }
    return total;
}

bool Metrics::has(const std::string& name) const {
    return std::ranges::any_of(samples_, [&](const Sample& s) { return s.name == name; });
}

}  // namespace test
