// SPDX-License-Identifier: Apache-2.0
// floor: telemetry
//
// Whatever a request sends, an access-log line is one line with the fields of its format. The
// first byte of the input chooses the format; 'T' takes the rest as a template, else the rest is
// what the request sent in every place that it can influence.
#include <algorithm>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "fuzz/check.hpp"
#include "sluice/telemetry/access_log.hpp"
#include "unit/telemetry/records.hpp"

namespace {

using sluice::telemetry::AccessLogFormat;
using sluice::telemetry::AccessRecord;

constexpr const char* kTypedJson =
    R"({"id":"$context.requestId","status":$context.status,"ua":$context.identity.userAgent,)"
    R"("error":$context.error.messageString,"again":"$context.error.messageString"})";
constexpr const char* kPiped =
    "$context.requestId|$context.identity.userAgent|$context.path|$context.status";

std::string line(const AccessLogFormat& format, const AccessRecord& record) {
    std::string out;
    format.append(record, out);
    FUZZ_CHECK(out.ends_with('\n'));
    out.pop_back();
    for (const char c : out)
        FUZZ_CHECK((static_cast<unsigned char>(c) >= 0x20 && c != 0x7F));
    return out;
}

std::string line(const char* text, const AccessRecord& record) {
    std::string error;
    const auto format = AccessLogFormat::compile(text, error);
    FUZZ_CHECK(format != nullptr && error.empty());
    return line(*format, record);
}

/// Fields of one RFC 4180 record.
std::size_t csv_fields(std::string_view record) {
    std::size_t fields = 1;
    bool quoted = false;
    for (std::size_t i = 0; i < record.size(); ++i) {
        const bool starts = i == 0 || record[i - 1] == ',';
        if (!quoted && record[i] == '"') {
            FUZZ_CHECK(starts);
            quoted = true;
        } else if (quoted && record[i] == '"') {
            if (i + 1 < record.size() && record[i + 1] == '"') {
                ++i;
            } else {
                quoted = false;
                FUZZ_CHECK(i + 1 == record.size() || record[i + 1] == ',');
            }
        } else if (!quoted && record[i] == ',') {
            ++fields;
        }
    }
    FUZZ_CHECK(!quoted);
    return fields;
}

/// Parts between blanks that stand outside of double quotes.
std::size_t clf_fields(std::string_view record) {
    std::size_t fields = 1;
    bool quoted = false;
    for (const char c : record) {
        if (c == '"') quoted = !quoted;
        if (c == ' ' && !quoted) ++fields;
    }
    FUZZ_CHECK(!quoted);
    return fields;
}

void check_entities(std::string_view text) {
    for (auto at = text.find('&'); at != text.npos; at = text.find('&', at + 1)) {
        const std::string_view name = text.substr(at + 1, text.find(';', at) - at - 1);
        const bool known = name == "amp" || name == "lt" || name == "gt" || name == "quot" ||
                           name == "apos" || name.starts_with("#x");
        FUZZ_CHECK(known && name.size() <= 6);
    }
}

bool is_ascii(std::string_view text) {
    return std::all_of(text.begin(), text.end(),
                       [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

void check_json(const AccessRecord& record, std::string_view sent) {
    const auto preset = nlohmann::json::parse(line("JSON", record));
    FUZZ_CHECK(preset.size() == 11 && preset["status"] == "200");
    const auto typed = nlohmann::json::parse(line(kTypedJson, record));
    FUZZ_CHECK(typed.size() == 5 && typed["status"] == 200);
    if (!is_ascii(sent) || sent.empty()) return;
    FUZZ_CHECK(preset["ip"] == sent && typed["ua"] == sent && typed["error"] == sent);
    FUZZ_CHECK(nlohmann::json::parse(typed["again"].get<std::string>()) == sent);
}

void check_template(std::string_view text) {
    std::string error;
    const auto format = AccessLogFormat::compile(text, error);
    FUZZ_CHECK((format == nullptr) == !error.empty());
    FUZZ_CHECK(error.size() < 300);
    // A template may hold tabs of its own.
    if (format != nullptr && text.find('\t') == text.npos) {
        line(*format, sluice::test::typical_record());
        line(*format, sluice::test::hostile_record("\"\n,</a>\\ \xFF"));
        line(*format, AccessRecord());
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::string_view sent{reinterpret_cast<const char*>(data) + 1, size - 1};
    const AccessRecord record = sluice::test::hostile_record(sent);
    if (data[0] == 'T') {
        check_template(sent);
        return 0;
    }
    check_json(record, sent);
    FUZZ_CHECK(csv_fields(line("CSV", record)) == 11);
    FUZZ_CHECK(clf_fields(line("CLF", record)) == 10);
    const std::string piped = line(kPiped, record);
    FUZZ_CHECK(std::count(piped.begin(), piped.end(), '|') == 3);
    const std::string xml = line("XML", record);
    FUZZ_CHECK(std::count(xml.begin(), xml.end(), '<') == 22);
    check_entities(xml);
    return 0;
}
