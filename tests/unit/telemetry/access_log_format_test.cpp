// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "sluice/telemetry/access_log.hpp"
#include "unit/telemetry/files.hpp"
#include "unit/telemetry/records.hpp"

namespace sluice::telemetry {
namespace {

using namespace std::chrono_literals;
using test::hostile_record;
using test::typical_record;

std::string line(std::string_view text, const AccessRecord& record = typical_record()) {
    std::string error;
    const auto format = AccessLogFormat::compile(text, error);
    EXPECT_NE(format, nullptr) << error;
    std::string out;
    if (format) format->append(record, out);
    return out;
}

std::string mistake(std::string_view text) {
    std::string error;
    EXPECT_EQ(AccessLogFormat::compile(text, error), nullptr) << text;
    return error;
}

/// The value of one variable in plain text, without the id that every format needs.
std::string value(const std::string& variable, const AccessRecord& record = typical_record()) {
    const std::string whole = line("$context.requestId " + variable, record);
    return whole.substr(record.request_id.size() + 1, whole.size() - record.request_id.size() - 2);
}

constexpr const char* kPresets[] = {"CLF", "JSON", "XML", "CSV"};

const std::string kHostile[] = {
    "\n127.0.0.1 - - [forged] \"GET / HTTP/1.1\" 200 1 id",
    "\r\nforged",
    "\" 200 \"",
    "\",\"status\":\"200",
    "</ip><status>200</status>",
    "a,b,\"c\"",
    "back\\slash\\",
    std::string("nul\0byte", 8),
    "\x1B[2J\x7F\x9B",
    "caf\xC3\xA9 \xFF\xFE\xC3( \xED\xA0\x80",
    "\xE2\x80\xA8\xC2\x85next",
    "$context.status ${X}",
    "blank s and\ttabs",
};

TEST(AccessLogFormat, WritesTheLinesThatToolsKnow) {
    std::string lines;
    for (const char* preset : kPresets)
        lines += line(preset);
    for (const std::string& text : kHostile) {
        for (const char* preset : kPresets)
            lines += line(preset, hostile_record(text));
    }
    for (const char* preset : kPresets)
        lines += line(preset, AccessRecord());
    test::expect_golden("access_log.txt", lines);
}

/// Most values are words, which are copied without the format's own check: nothing that it would
/// escape may pass for one, wherever it stands in a value of whatever length.
TEST(AccessLogFormat, EscapesTheSameWithTheRestOfAValueAsWithoutIt) {
    constexpr const char* kFormats[] = {
        "\"$context.path\" $context.requestId", "$context.path=$context.requestId",
        "{\"p\":\"$context.path\",\"i\":$context.requestId}",
        "<p i=\"$context.requestId\">$context.path</p>", "$context.path,$context.requestId"};
    AccessRecord record = typical_record();
    for (const char* format : kFormats) {
        for (unsigned c = 0; c < 0x80; ++c) {
            std::string alone(1, static_cast<char>(c));
            record.path = alone;
            const std::string wanted = line(format, record);
            for (const std::size_t before : {1U, 14U, 15U, 16U, 17U, 40U}) {
                const std::string text = std::string(before, 'Q') + alone + "Z";
                record.path = text;
                std::string got = line(format, record);
                const auto at = got.find(std::string(before, 'Q'));
                ASSERT_NE(at, std::string::npos) << format << ' ' << c;
                got.erase(at, before);
                const auto last = got.rfind('Z');
                ASSERT_NE(last, std::string::npos) << format << ' ' << c;
                got.erase(last, 1);
                EXPECT_EQ(got, wanted) << format << ' ' << c << ' ' << before;
            }
        }
    }
}

TEST(AccessLogFormat, SaysWhatEachVariableHolds) {
    const std::pair<const char*, const char*> expected[] = {
        {"$context.apiId", "petstore"},
        {"$context.stage", "prod"},
        {"$context.resourceId", "a1b2c3"},
        {"$context.resourcePath", "/pets/{petId}"},
        {"$context.httpMethod", "GET"},
        {"$context.path", "/prod/pets/5"},
        {"$context.protocol", "HTTP/1.1"},
        {"$context.domainName", "api.example.com:8080"},
        {"$context.domainPrefix", "api"},
        {"$context.extendedRequestId", "JKJaXmPLvHcESHA="},
        {"$context.requestTime", "03/Feb/2024:14:26:05 +0000"},
        {"$context.requestTimeEpoch", "1706970365123"},
        {"$context.identity.sourceIp", "203.0.113.178"},
        {"$context.identity.userAgent", "curl/7.88.1"},
        {"$context.identity.apiKeyId", "k1"},
        {"$context.status", "200"},
        {"$context.responseLength", "1543"},
        {"$context.responseLatency", "12"},
        {"$context.integration.status", "201"},
        {"$context.integrationStatus", "201"},
        {"$context.integration.integrationStatus", "201"},
        {"$context.integration.latency", "11"},
        {"$context.integrationLatency", "11"},
        {"$context.customDomain.basePathMatched", "v1"},
        {"$context.xrayTraceId", "1-58406520-a006649127e371903a2de979"},
        {"$context.cacheStatus", "MISS"},
        {"$context.usagePlanId", "gold"},
        {"$context.throttle.level", "-"},
        {"$context.error.message", "-"},
        {"$context.error.messageString", "-"},
        {"$context.integration.error", "-"},
    };
    for (const auto& [variable, text] : expected)
        EXPECT_EQ(value(variable), text) << variable;
    AccessRecord refused = typical_record();
    refused.error_message = "Limit Exceeded";
    refused.error_response_type = "QUOTA_EXCEEDED";
    refused.throttle_level = "plan_method";
    refused.integration_error = "reset";
    EXPECT_EQ(value("\"$context.error.message\"", refused), "\"Limit Exceeded\"");
    EXPECT_EQ(value("$context.error.messageString", refused), "\"Limit Exceeded\"");
    EXPECT_EQ(value("$context.error.responseType", refused), "QUOTA_EXCEEDED");
    EXPECT_EQ(value("$context.throttle.level", refused), "plan_method");
    EXPECT_EQ(value("$context.integrationErrorMessage", refused), "reset");
}

TEST(AccessLogFormat, NeverShowsAKeyAndPrintsADashForWhatCannotExist) {
    for (const char* variable :
         {"$context.identity.apiKey", "$context.identity.caller", "$context.identity.user",
          "$context.authorizer.principalId", "$context.authorizer.claims.sub",
          "$context.authorizer.anything", "$context.waf.status", "$context.wafResponseCode",
          "$context.identity.clientCert.validity.notAfter", "$context.accountId",
          "$context.requestOverride.header.x", "$context.identity.cognitoIdentityId"}) {
        EXPECT_EQ(value(variable), "-") << variable;
    }
}

TEST(AccessLogFormat, KnowsTheFirstLabelOfAnyHost) {
    AccessRecord record = typical_record();
    for (const auto& [host, label] : {std::pair{"localhost:8080", "localhost"},
                                      {"[::1]:8080", "[::1]"},
                                      {"a.b.c", "a"},
                                      {"plain", "plain"},
                                      {"", "-"},
                                      {".x", "-"}}) {
        record.domain_name = host;
        EXPECT_EQ(value("$context.domainPrefix", record), label) << host;
    }
}

TEST(AccessLogFormat, NamesTheNearestVariable) {
    const std::pair<const char*, const char*> cases[] = {
        {"$context.requestId $context.identity.sourceIP",
         "unknown variable $context.identity.sourceIP; did you mean $context.identity.sourceIp?"},
        {"$context.requestId $context.sourceIp",
         "unknown variable $context.sourceIp; did you mean $context.identity.sourceIp?"},
        {"$context.requestid",
         "unknown variable $context.requestid; did you mean $context.requestId?"},
        {"$context.requestId.x",
         "unknown variable $context.requestId.x; did you mean $context.requestId?"},
    };
    for (const auto& [text, error] : cases)
        EXPECT_EQ(mistake(text), error);
}

TEST(AccessLogFormat, EnforcesTheRulesOfAFormat) {
    EXPECT_NE(mistake("$context.status").find("must be CLF, JSON, XML or CSV"), std::string::npos);
    EXPECT_NE(mistake("").find("$context.requestId"), std::string::npos);
    EXPECT_NE(mistake("json").find("$context.requestId"), std::string::npos);
    EXPECT_NE(mistake("$context.requestId\n$context.status").find("single line"),
              std::string::npos);
    EXPECT_NE(mistake(std::string("$context.requestId\0", 19)).find("control"), std::string::npos);
    EXPECT_NE(mistake("$context.requestId $stageVariables.x").find("$stageVariables.x"),
              std::string::npos);
    EXPECT_NE(mistake("$context.requestId $context").find("not $context"), std::string::npos);
    const std::string id = "$context.requestId ";
    EXPECT_LT(mistake(id + "$context." + std::string(8000, 'x')).size(), 200u);
    EXPECT_NE(mistake(id + std::string(8193 - id.size(), 'x')).find("8192"), std::string::npos);
    EXPECT_EQ(line(id + std::string(8192 - id.size(), 'x')).size(), 37 + 8192 - id.size() + 1);
}

TEST(AccessLogFormat, EndsEveryLineOnce) {
    const std::string expected = std::string(typical_record().request_id) + "\n";
    EXPECT_EQ(line("$context.requestId"), expected);
    EXPECT_EQ(line("$context.requestId\n"), expected);
    EXPECT_EQ(line("$context.requestId\r\n"), expected);
    EXPECT_EQ(line("$context.requestId\\n"), expected);
    EXPECT_EQ(line("JSON\n"), line("JSON"));
}

TEST(AccessLogFormat, CopiesDollarsThatNameNothing) {
    EXPECT_EQ(line("$5 $ $$context.stage. $context.extendedRequestId$"),
              "$5 $ $prod. JKJaXmPLvHcESHA=$\n");
}

TEST(AccessLogFormat, WritesTypedJsonWhereTheTemplateHasNoQuotes) {
    const char* const text =
        R"({"id":"$context.requestId","status":$context.status,"ms":$context.integrationLatency,)"
        R"("error":$context.error.messageString,"ua":$context.identity.userAgent,)"
        R"("at":$context.requestTime,"caller":$context.identity.caller,"e\"":"$context.stage"})";
    auto typical = nlohmann::json::parse(line(text));
    EXPECT_EQ(typical["status"], 200);
    EXPECT_EQ(typical["ms"], 11);
    EXPECT_EQ(typical["error"], nullptr);
    EXPECT_EQ(typical["caller"], nullptr);
    EXPECT_EQ(typical["ua"], "curl/7.88.1");
    EXPECT_EQ(typical["at"], "03/Feb/2024:14:26:05 +0000");
    EXPECT_EQ(typical["e\""], "prod");
    auto hostile = nlohmann::json::parse(line(text, hostile_record("1,\"status\":\"\\\n")));
    EXPECT_EQ(hostile["ua"], "1,\"status\":\"\\\n");
    EXPECT_EQ(hostile["error"], "1,\"status\":\"\\\n");
    auto empty = nlohmann::json::parse(line(text, AccessRecord()));
    EXPECT_EQ(empty["status"], nullptr);
    EXPECT_EQ(empty["id"], "-");
}

TEST(AccessLogFormat, KeepsJsonWholeWhateverIsSent) {
    for (const std::string& text : kHostile) {
        const std::string out = line("JSON", hostile_record(text));
        const auto parsed = nlohmann::json::parse(out);
        EXPECT_EQ(parsed.size(), 11u);
        EXPECT_EQ(parsed["status"], "200");
    }
}

TEST(AccessLogFormat, MakesOnePrintableLineOfAnything) {
    const char* const own =
        R"($context.requestId [$context.error.message] "$context.identity.userAgent" )"
        R"($context.path|$context.error.messageString "$context.error.messageString")";
    std::string large(65'536, 'x');
    large[40'000] = '\n';
    std::vector<std::string> values(std::begin(kHostile), std::end(kHostile));
    values.push_back(large);
    values.push_back(std::string(65'536, '\x01'));
    for (const std::string& text : values) {
        for (const char* format : {"CLF", "JSON", "XML", "CSV", own}) {
            const std::string out = line(format, hostile_record(text));
            ASSERT_EQ(std::count(out.begin(), out.end(), '\n'), 1);
            ASSERT_EQ(out.back(), '\n');
            const auto unsafe = [](char c) {
                return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
            };
            ASSERT_TRUE(std::none_of(out.begin(), out.end() - 1, unsafe)) << format;
        }
    }
}

TEST(AccessLogFormat, KeepsPlainFieldsApart) {
    const char* const text =
        "$context.requestId $context.identity.userAgent|$context.path;"
        "\"$context.error.message\" [$context.integration.error] end";
    const std::string out = line(text, hostile_record("a b|c;d]\"e"));
    EXPECT_EQ(out,
              "a\\x20b|c;d]\\x22e a\\x20b\\x7Cc;d]\\x22e|a\\x20b|c\\x3Bd]\\x22e;"
              "\"a b|c;d]\\x22e\" [a\\x20b|c;d\\x5D\\x22e] end\n");
}

TEST(AccessLogFormat, QuotesCsvFields) {
    AccessRecord record = typical_record();
    record.user_agent = "a, \"b\"\n";
    EXPECT_EQ(line("$context.requestId,$context.identity.userAgent,$context.status", record),
              std::string(record.request_id) + ",\"a, \"\"b\"\"\\x0A\",200\n");
    EXPECT_EQ(line(R"("$context.requestId","$context.identity.userAgent")", record),
              "\"" + std::string(record.request_id) + "\",\"a, \"\"b\"\"\\x0A\"\n");
}

TEST(AccessLogFormat, NeedsNoMemoryOnceTheBufferIsLargeEnough) {
    std::string error;
    const auto format = AccessLogFormat::compile("JSON", error);
    std::string out;
    out.reserve(65'536);
    const char* const before = out.data();
    for (int i = 0; i < 200; ++i)
        format->append(typical_record(), out);
    EXPECT_EQ(out.data(), before);
    EXPECT_EQ(std::count(out.begin(), out.end(), '\n'), 200);
}

TEST(AccessLogFormat, TellsWhetherTheKeyAndTheTraceAreShown) {
    const auto shown = [](const std::string& variables) {
        std::string error;
        const auto format = AccessLogFormat::compile("$context.requestId " + variables, error);
        return std::pair{format->shows_api_key_id(), format->shows_trace_id()};
    };
    EXPECT_EQ(shown("$context.stage"), std::pair(false, false));
    EXPECT_EQ(shown("$context.identity.apiKeyId"), std::pair(true, false));
    EXPECT_EQ(shown("$context.xrayTraceId"), std::pair(false, true));
    EXPECT_EQ(shown("$context.identity.apiKey"), std::pair(false, false));
}

}  // namespace
}  // namespace sluice::telemetry
