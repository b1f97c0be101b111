// SPDX-License-Identifier: Apache-2.0
// floor: config
//
// Any text gives keys that keep the rules; written out again, they are read as the same keys.
#include <algorithm>
#include <cstdint>
#include <set>
#include <string>

#include "fuzz/check.hpp"
#include "sluice/config/key_csv.hpp"

namespace {

using sluice::config::ApiKey;
using sluice::config::KeyCsv;

std::string in_quotes(const std::string& text) {
    std::string out = "\"";
    for (const char c : text)
        out += c == '"' ? std::string("\"\"") : std::string(1, c);
    return out + "\"";
}

std::string written(const std::vector<ApiKey>& keys) {
    std::string out = "Key,Name,Description,Enabled,UsagePlanIds\r\n";
    for (const ApiKey& key : keys) {
        std::string plans;
        for (const std::string& id : key.usage_plan_ids)
            plans += (plans.empty() ? "" : ",") + id;
        out += in_quotes(key.value) + "," + in_quotes(key.name) + "," + in_quotes(key.description) +
               "," + (key.enabled ? "true" : "false") + "," + in_quotes(plans) + "\r\n";
    }
    return out;
}

void check_key(const ApiKey& key) {
    FUZZ_CHECK(key.value.size() >= 20 && key.value.size() <= 128);
    FUZZ_CHECK(!key.name.empty() && key.name.size() <= 1024);
    FUZZ_CHECK(key.id.size() == 10);
    FUZZ_CHECK(key.where.line >= 2);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size > 65'536) return 0;
    const std::string text{reinterpret_cast<const char*>(data), size};
    const KeyCsv csv = sluice::config::parse_key_csv(text);
    FUZZ_CHECK(csv.error.empty() || (csv.keys.empty() && csv.warnings.empty()));
    std::set<std::string> values;
    for (const ApiKey& key : csv.keys) {
        check_key(key);
        FUZZ_CHECK(values.insert(key.value).second);
    }
    for (const auto& warning : csv.warnings)
        FUZZ_CHECK(warning.row >= 2 && warning.line >= 2);
    FUZZ_CHECK(!sluice::config::import_report(csv).empty());

    const KeyCsv again = sluice::config::parse_key_csv(written(csv.keys));
    FUZZ_CHECK(again.error.empty() && again.warnings.empty());
    FUZZ_CHECK(written(again.keys) == written(csv.keys));
    return 0;
}
