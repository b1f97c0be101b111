// SPDX-License-Identifier: Apache-2.0
#include "sluice/config/key_csv.hpp"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <unordered_map>

#include "config/csv.hpp"
#include "config/key_value.hpp"
#include "config/text.hpp"

namespace sluice::config {
namespace {

constexpr std::size_t kMaxName = 1024;

struct Columns {
    std::optional<std::size_t> name, key, description, enabled, plans;
};

class Import {
public:
    Import(std::optional<std::span<const UsagePlan>> plans, KeyCsv& out) : out_(out) {
        if (!plans) return;
        plans_.emplace();
        for (const UsagePlan& plan : *plans)
            plans_->emplace(plan.id, &plan);
    }

    bool read_header(const CsvRow& row) {
        const std::pair<std::string_view, std::optional<std::size_t>*> known[] = {
            {"name", &columns_.name},
            {"key", &columns_.key},
            {"description", &columns_.description},
            {"enabled", &columns_.enabled},
            {"usageplanids", &columns_.plans}};
        for (std::size_t i = 0; i < row.cells.size(); ++i) {
            for (const auto& [name, column] : known) {
                if (lower(row.cells[i].text) != name) continue;
                if (*column)
                    return fail("column " + in_quotes(row.cells[i].text) + " stands twice");
                *column = i;
            }
        }
        if (!columns_.name) return fail("the mandatory column Name is missing");
        if (!columns_.key) return fail("the mandatory column Key is missing");
        return true;
    }

    void read_row(const CsvRow& row, int number) {
        const std::string fault = add(row);
        if (!fault.empty()) out_.warnings.push_back({number, row.line, fault});
    }

private:
    bool fail(std::string message) {
        out_.error = std::move(message);
        return false;
    }

    static std::string cell(const CsvRow& row, std::optional<std::size_t> column) {
        if (!column || *column >= row.cells.size()) return {};
        return row.cells[*column].text;
    }

    std::string add(const CsvRow& row) {
        ApiKey key;
        key.name = cell(row, columns_.name);
        key.value = cell(row, columns_.key);
        key.description = cell(row, columns_.description);
        key.where.line = row.line;
        key.where.column = 1;
        if (const auto fault = text_fault(key)) return *fault;
        const std::string enabled = lower(cell(row, columns_.enabled));
        if (!enabled.empty() && enabled != "true" && enabled != "false") {
            return "invalid value for enabled";
        }
        key.enabled = enabled != "false";
        key.usage_plan_ids = split_plans(cell(row, columns_.plans));
        if (const auto fault = plans_fault(key)) return *fault;
        store(std::move(key));
        return {};
    }

    static std::optional<std::string> text_fault(const ApiKey& key) {
        if (key.value.empty()) return "missing key";
        if (key.name.empty()) return "missing name";
        if (key.value.size() < kMinKeyValue) return "key shorter than 20 characters";
        if (key.value.size() > kMaxKeyValue) return "key longer than 128 characters";
        if (!is_key_value(key.value)) {
            return "key with a character that is not printable ASCII, or a blank, comma or quote";
        }
        if (key.name.size() > kMaxName) return "name longer than 1024 characters";
        if (key.description.size() > kMaxName) return "description longer than 1024 characters";
        return {};
    }

    static std::vector<std::string> split_plans(std::string_view text) {
        std::vector<std::string> ids;
        while (!text.empty()) {
            const auto comma = std::min(text.find(','), text.size());
            const std::string id(trimmed(text.substr(0, comma)));
            if (!id.empty() && std::find(ids.begin(), ids.end(), id) == ids.end()) {
                ids.push_back(id);
            }
            text.remove_prefix(std::min(comma + 1, text.size()));
        }
        return ids;
    }

    std::optional<std::string> plans_fault(const ApiKey& key) const {
        if (!plans_) return {};
        std::set<std::pair<std::string, std::string>> covered;
        for (const std::string& id : key.usage_plan_ids) {
            const auto plan = plans_->find(id);
            if (plan == plans_->end()) return "unknown usage plan " + shown_id(id);
            for (const PlanStage& stage : plan->second->api_stages) {
                if (covered.emplace(stage.api_id, stage.stage).second) continue;
                return "key already in usage plan for API stage " + stage.api_id + ":" +
                       stage.stage;
            }
        }
        return {};
    }

    /// As it stands, when that is safe to print.
    static std::string shown_id(const std::string& id) {
        const auto safe = [](char c) { return is_alnum(c) || c == '-' || c == '_'; };
        return id.size() <= 64 && std::all_of(id.begin(), id.end(), safe) ? id : in_quotes(id);
    }

    void store(ApiKey key) {
        key.id = key_id(key.value);
        const auto [at, added] = index_.emplace(key.value, out_.keys.size());
        if (added) {
            out_.keys.push_back(std::move(key));
        } else {
            out_.keys[at->second] = std::move(key);
        }
    }

    KeyCsv& out_;
    Columns columns_{};
    std::optional<std::unordered_map<std::string, const UsagePlan*>> plans_{};
    std::unordered_map<std::string, std::size_t> index_{};
};

KeyCsv parse(std::string_view text, std::optional<std::span<const UsagePlan>> plans) {
    KeyCsv out;
    constexpr std::string_view kMark = "\xEF\xBB\xBF";
    if (text.starts_with(kMark)) text.remove_prefix(kMark.size());
    if (const auto bad = find_bad_utf8(text)) {
        out.error = "line " + std::to_string(bad->line) + ": " + bad->message;
        return out;
    }
    const Csv csv = parse_csv(text);
    out.error = csv.error;
    if (!out.error.empty()) return out;
    if (csv.rows.empty()) {
        out.error = "the header row is missing";
        return out;
    }
    Import import(plans, out);
    if (!import.read_header(csv.rows.front())) return out;
    int number = 1;
    for (const CsvRow& row : csv.rows) {
        if (number > 1 && !row.blank()) import.read_row(row, number);
        ++number;
    }
    return out;
}

}  // namespace

std::string to_string(const KeyCsvWarning& warning) {
    return "Row " + std::to_string(warning.row) + ": " + warning.reason;
}

KeyCsv parse_key_csv(std::string_view text) { return parse(text, {}); }

KeyCsv parse_key_csv(std::string_view text, std::span<const UsagePlan> plans) {
    return parse(text, plans);
}

std::string import_report(const KeyCsv& csv) {
    nlohmann::ordered_json report{{"ids", nlohmann::ordered_json::array()},
                                  {"warnings", nlohmann::ordered_json::array()}};
    for (const ApiKey& key : csv.keys)
        report["ids"].push_back(key.id);
    for (const KeyCsvWarning& row : csv.warnings)
        report["warnings"].push_back(to_string(row));
    return report.dump();
}

}  // namespace sluice::config
