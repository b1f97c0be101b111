// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sluice::config {

struct CsvCell {
    std::string text{};  ///< trimmed, without quotes
};

struct CsvRow {
    int line = 1;  ///< where it starts
    std::vector<CsvCell> cells{};

    bool blank() const { return cells.size() == 1 && cells[0].text.empty(); }
};

struct Csv {
    std::vector<CsvRow> rows{};
    std::string error{};
};

/// RFC 4180 with CRLF or LF, padded cells, and cells in single quotes (aws-semantics 2.6). A
/// single quote that is not closed before the cell ends is a letter: O'Brien. Pure.
Csv parse_csv(std::string_view);

}  // namespace sluice::config
