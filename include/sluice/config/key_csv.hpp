// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/config/model.hpp"

namespace sluice::config {

/// A row that was skipped; rows count from 1, the header row included.
struct KeyCsvWarning {
    int row = 0;
    int line = 0;  ///< where the row starts: quoted cells may hold line ends
    std::string reason{};
};

/// "Row <n>: <reason>"
std::string to_string(const KeyCsvWarning&);

struct KeyCsv {
    std::vector<ApiKey> keys{};  ///< `where` has the line only
    std::vector<KeyCsvWarning> warnings{};
    std::string error{};  ///< not empty: the file cannot be read at all, and there are no keys
};

/// AWS's CSV import format (aws-semantics 2.6). Pure. A repeated key value replaces the earlier
/// row. Ids are derived from the values.
KeyCsv parse_key_csv(std::string_view text);

/// The same, and rows that name a plan not in `plans` or two plans for one stage are skipped.
KeyCsv parse_key_csv(std::string_view text, std::span<const UsagePlan> plans);

/// {"ids":[...],"warnings":[...]}, as ImportApiKeys answers.
std::string import_report(const KeyCsv&);

}  // namespace sluice::config
