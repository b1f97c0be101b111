// SPDX-License-Identifier: Apache-2.0
#include "sluice/config/key_csv.hpp"

#include <gtest/gtest.h>

namespace sluice::config {
namespace {

const std::string kKey = "apikey1234abcdefghij0123456789";

std::vector<std::string> warnings_of(const KeyCsv& csv) {
    std::vector<std::string> texts;
    for (const KeyCsvWarning& warning : csv.warnings)
        texts.push_back(to_string(warning));
    return texts;
}

/// The only warning about one row below a header with every column.
std::string warning_of(const std::string& row) {
    const KeyCsv csv = parse_key_csv("Name,Key,Description,Enabled,UsagePlanIds\n" + row);
    EXPECT_TRUE(csv.error.empty()) << csv.error;
    EXPECT_EQ(csv.warnings.size() + csv.keys.size(), 1U);
    return csv.warnings.empty() ? "" : to_string(csv.warnings.front());
}

std::vector<UsagePlan> plans() {
    std::vector<UsagePlan> plans(3);
    plans[0].id = "gold";
    plans[1].id = "silver";
    plans[2].id = "other";
    for (UsagePlan& plan : plans)
        plan.api_stages.resize(1);
    for (std::size_t i = 0; i < 3; ++i) {
        plans[i].api_stages[0].api_id = "shop";
        plans[i].api_stages[0].stage = i < 2 ? "prod" : "dev";
    }
    return plans;
}

// The three files of AWS's own page (golden case api-key-csv-format).
TEST(KeyCsv, ReadsTheExamplesOfTheGuide) {
    const KeyCsv a = parse_key_csv("Key,name\n" + kKey + ",MyFirstApiKey\n");
    ASSERT_EQ(a.keys.size(), 1U);
    EXPECT_EQ(a.keys[0].name, "MyFirstApiKey");
    EXPECT_EQ(a.keys[0].value, kKey);
    EXPECT_TRUE(a.keys[0].enabled);
    EXPECT_TRUE(a.keys[0].usage_plan_ids.empty());

    const KeyCsv b = parse_key_csv("Name,key,description,Enabled,usageplanIds\nMyFirstApiKey," +
                                   kKey + ",An imported key,TRUE,c7y23b\n");
    ASSERT_EQ(b.keys.size(), 1U);
    EXPECT_EQ(b.keys[0].description, "An imported key");
    EXPECT_EQ(b.keys[0].usage_plan_ids, std::vector<std::string>{"c7y23b"});

    const KeyCsv c = parse_key_csv("Enabled,Name,key,UsageplanIds\ntrue,MyFirstApiKey," + kKey +
                                   ",\"c7y23b,glvrsr\"\n");
    ASSERT_EQ(c.keys.size(), 1U);
    EXPECT_EQ(c.keys[0].usage_plan_ids, (std::vector<std::string>{"c7y23b", "glvrsr"}));
}

TEST(KeyCsv, UnderstandsByteOrderMarkCrlfPaddingAndBothQuotes) {
    const KeyCsv csv = parse_key_csv(
        "\xEF\xBB\xBF  NAME , \"Key\" ,UsagePlanIds, Ignored\r\n \"O\"\"Brien, Pat\" , " + kKey +
        " , 'a, b' ,\"x\r\ny\"\r\nO'Neil,x" + kKey + ",,\r\n");
    ASSERT_TRUE(csv.error.empty()) << csv.error;
    ASSERT_EQ(csv.keys.size(), 2U);
    EXPECT_EQ(csv.keys[0].name, "O\"Brien, Pat");
    EXPECT_EQ(csv.keys[0].value, kKey);
    EXPECT_EQ(csv.keys[0].usage_plan_ids, (std::vector<std::string>{"a", "b"}));
    EXPECT_EQ(csv.keys[1].name, "O'Neil");
    EXPECT_EQ(csv.keys[1].where.line, 4) << "the row before has a line end in a cell";
}

TEST(KeyCsv, EnabledIsTrueWhenAbsentAndCaseDoesNotMatter) {
    EXPECT_TRUE(parse_key_csv("Name,Key,Enabled\na," + kKey + ",\n").keys.at(0).enabled);
    EXPECT_TRUE(parse_key_csv("Name,Key,Enabled\na," + kKey + ",tRuE\n").keys.at(0).enabled);
    EXPECT_FALSE(parse_key_csv("Name,Key,Enabled\na," + kKey + ",FALSE\n").keys.at(0).enabled);
}

TEST(KeyCsv, WarnsWithTheRowAndTheReason) {
    EXPECT_EQ(warning_of("a,,,,\n"), "Row 2: missing key");
    EXPECT_EQ(warning_of("a\n"), "Row 2: missing key");
    EXPECT_EQ(warning_of("," + kKey + ",,,\n"), "Row 2: missing name");
    EXPECT_EQ(warning_of("a,nineteen-characters,,,\n"), "Row 2: key shorter than 20 characters");
    EXPECT_EQ(warning_of("a,twenty-characters-20,,,\n"), "");
    EXPECT_EQ(warning_of("a," + std::string(128, 'x') + ",,,\n"), "");
    EXPECT_EQ(warning_of("a," + std::string(129, 'x') + ",,,\n"),
              "Row 2: key longer than 128 characters");
    EXPECT_EQ(warning_of("a," + kKey + ",,maybe,\n"), "Row 2: invalid value for enabled");
    EXPECT_EQ(warning_of(std::string(1025, 'n') + "," + kKey + ",,,\n"),
              "Row 2: name longer than 1024 characters");
    EXPECT_EQ(
        warning_of("a,\"" + kKey + " with blanks\",,,\n"),
        "Row 2: key with a character that is not printable ASCII, or a blank, comma or quote");
}

TEST(KeyCsv, CountsRowsFromTheHeaderAndSkipsBlankLines) {
    const KeyCsv csv = parse_key_csv("Name,Key\n\n  \na,short\n\nb," + kKey + "\n,\n");
    EXPECT_EQ(warnings_of(csv), (std::vector<std::string>{"Row 4: key shorter than 20 characters",
                                                          "Row 7: missing key"}));
    ASSERT_EQ(csv.keys.size(), 1U);
    EXPECT_EQ(csv.keys[0].where.line, 6);
}

TEST(KeyCsv, TheLastRowOfAKeyWins) {
    const KeyCsv csv = parse_key_csv("Name,Key,Enabled,UsagePlanIds\na," + kKey + ",true,p\nb,x" +
                                     kKey + ",true,\nc," + kKey + ",false,q\n");
    ASSERT_EQ(csv.keys.size(), 2U);
    EXPECT_EQ(csv.keys[0].name, "c");
    EXPECT_FALSE(csv.keys[0].enabled);
    EXPECT_EQ(csv.keys[0].usage_plan_ids, std::vector<std::string>{"q"});
    EXPECT_TRUE(csv.warnings.empty());
}

TEST(KeyCsv, ChecksPlansWhenTheyAreKnown) {
    const std::string text = "Name,Key,UsagePlanIds\na," + kKey + ",\"gold,other,gold\"\nb,b" +
                             kKey + ",bronze\nc,c" + kKey + ",'gold,silver'\n";
    const auto known = plans();
    const KeyCsv csv = parse_key_csv(text, known);
    EXPECT_EQ(warnings_of(csv), (std::vector<std::string>{
                                    "Row 3: unknown usage plan bronze",
                                    "Row 4: key already in usage plan for API stage shop:prod"}));
    ASSERT_EQ(csv.keys.size(), 1U);
    EXPECT_EQ(csv.keys[0].usage_plan_ids, (std::vector<std::string>{"gold", "other"}));
    EXPECT_EQ(parse_key_csv(text).keys.size(), 3U) << "nothing to check against";
}

TEST(KeyCsv, RefusesAFileItCannotRead) {
    EXPECT_EQ(parse_key_csv("").error, "the header row is missing");
    EXPECT_EQ(parse_key_csv("Name,Value\na,b\n").error, "the mandatory column Key is missing");
    EXPECT_EQ(parse_key_csv("Key,Enabled\n").error, "the mandatory column Name is missing");
    EXPECT_EQ(parse_key_csv("Name,Key,KEY\n").error, "column \"KEY\" stands twice");
    EXPECT_EQ(parse_key_csv("Name,Key\na,\"b\nc\n").error, "line 2: a quoted cell is not closed");
    EXPECT_EQ(parse_key_csv("Name,Key\na,\"b\"c\n").error, "line 2: text behind a closing quote");
    EXPECT_EQ(parse_key_csv("Name,Key\na,\xFF\n").error, "line 2: not UTF-8 text");
    EXPECT_EQ(parse_key_csv(std::string(2000, ',')).error, "line 1: too many cells");
    EXPECT_TRUE(parse_key_csv("Name,Key\na," + kKey + "\nb,\"").keys.empty());
}

TEST(KeyCsv, ReportsAsImportApiKeysAnswers) {
    const KeyCsv csv = parse_key_csv("Name,Key\na," + kKey + "\nb,\n");
    EXPECT_EQ(import_report(csv),
              "{\"ids\":[\"" + csv.keys.at(0).id + "\"],\"warnings\":[\"Row 3: missing key\"]}");
    EXPECT_EQ(import_report(KeyCsv{}), R"({"ids":[],"warnings":[]})");
}

TEST(KeyCsv, NeverShowsAKeyInAWarning) {
    const KeyCsv csv = parse_key_csv(
        "Name,Key\na,s3cret\n,s3cret-0123456789-0123456789\nb,\"s3cret s3cret s3cret s3cret\"\n");
    ASSERT_EQ(csv.warnings.size(), 3U);
    for (const std::string& text : warnings_of(csv)) {
        EXPECT_EQ(text.find("s3cret"), std::string::npos) << text;
    }
}

TEST(KeyCsv, ReadsAHundredThousandRows) {
    std::string text = "Name,Key\n";
    for (int i = 0; i < 100'000; ++i) {
        text += "k" + std::to_string(i) + "," + kKey + std::to_string(i) + "\n";
    }
    EXPECT_EQ(parse_key_csv(text).keys.size(), 100'000U);
}

}  // namespace
}  // namespace sluice::config
