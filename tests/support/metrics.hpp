// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <vector>

namespace test {

/// A scrape, parsed.
class Metrics {
public:
    using Labels = std::map<std::string, std::string>;
    explicit Metrics(const std::string& text);

    /// Sum over every sample of the family that carries these labels; 0 when there is none.
    double sum(const std::string& name, const Labels& labels = {}) const;
    bool has(const std::string& name) const;

private:
    struct Sample {
        std::string name;
        Labels labels;
        double value;
    };
    std::vector<Sample> samples_{};
};

}  // namespace test
