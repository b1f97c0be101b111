// SPDX-License-Identifier: Apache-2.0
//
// Replays tests/golden/cases (and the folder named by SLUICE_GOLDEN_CASES, if set). A case that
// needs what the gateway cannot do yet is skipped with the reason.
#include <gtest/gtest.h>

#include <cstdlib>
#include <regex>

#include "support/golden.hpp"

namespace test::golden {

void PrintTo(const Case& c, std::ostream* out) { *out << c.id; }

namespace {

std::vector<Case> all_cases() {
    std::vector<Case> cases = load_cases(SLUICE_SOURCE_DIR "/tests/golden/cases");
    if (const char* more = std::getenv("SLUICE_GOLDEN_CASES"))
        for (Case& c : load_cases(more))
            cases.push_back(std::move(c));
    return cases;
}

class GoldenCase : public testing::TestWithParam<Case> {};

/// One request, or `repeat` of them of which expect_counts says how many end how.
void play_step(Gateway& gateway, Origin& origin, const json& step, const std::string& stage,
               const Values& values) {
    origin.forget();
    std::vector<int> counts(step.value("expect_any_of", json::array()).size());
    for (int i = 0; i < step.value("repeat", 1); ++i) {
        Client client = gateway.client();
        const Response response = send_step(client, step.at("request"), stage, values);
        if (step.contains("expect")) check_response(step["expect"], response, values);
        for (std::size_t n = 0; n < counts.size(); ++n)
            if (matches_status(step["expect_any_of"][n], response)) {
                ++counts[n];
                check_response(step["expect_any_of"][n], response, values);
                break;
            }
    }
    if (step.contains("expect_counts")) {
        EXPECT_EQ(json(counts), step["expect_counts"]);
    }
    if (step.contains("upstream")) check_upstream(step["upstream"], origin.requests(), values);
    if (step.contains("log")) {
        check_log(step["log"], gateway.directory() / "API-Gateway-Execution-Logs_golden" / stage,
                  values);
    }
}

void play_requests(const Case& c) {
    const Translation translation = translate(c);
    if (!translation.waits_for.empty()) GTEST_SKIP() << "waits for: " << translation.waits_for;
    Origin origin{backend_script(c.text.value("backend", json::object()))};
    const Values values{{"BACKEND", origin.url()},
                        {"BACKEND_HOSTPORT", "127.0.0.1:" + std::to_string(origin.port())},
                        {"CLOSED_PORT", std::to_string(closed_port())},
                        {"API_ID", "golden"}};
    Gateway gateway{as_yaml(translation.config), values};
    const std::string stage = c.text["api"]["stage"]["name"];
    int number = 0;
    for (const json& step : c.text["steps"]) {
        SCOPED_TRACE("step " + std::to_string(++number) + ": " + step["request"].dump());
        play_step(gateway, origin, step, stage, values);
    }
}

/// The keys of a CSV file as the running gateway lists them.
void play_csv(const json& csv) {
    const std::string plans = "usagePlans: [ {id: c7y23b, name: a}, {id: glvrsr, name: b} ]\n";
    auto directory = std::make_shared<TempDir>();
    directory->write("keys.csv", csv.at("csv"));
    Gateway gateway{
        "compatibility: aws\napiKeyFiles: [keys.csv]\n" + plans, {}, {.directory = directory}};
    json seen = json::parse(gateway.admin("/config").body).value("apiKeys", json::array());
    ASSERT_EQ(seen.size(), csv.at("keys").size()) << seen;
    for (std::size_t i = 0; i < seen.size(); ++i) {
        const json& wanted = csv["keys"][i];
        EXPECT_EQ(seen[i].value("name", ""), wanted.at("name"));
        EXPECT_EQ(seen[i].value("enabled", true), wanted.at("enabled"));
        EXPECT_EQ(seen[i].value("usagePlanIds", json::array()), wanted.at("usagePlanIds"));
        EXPECT_EQ(seen[i].value("description", ""), wanted.value("description", ""));
        EXPECT_EQ(seen.dump().find(wanted.at("value").get<std::string>()), std::string::npos)
            << "the value of a key is shown";
    }
}

TEST_P(GoldenCase, AnswersAsRecorded) {
    const Case& c = GetParam();
    const std::string kind = c.text.at("kind");
    if (kind == "request") return play_requests(c);
    if (kind != "csv-import") GTEST_SKIP() << "waits for: " << kind;
    for (const json& csv : c.text.at("csv_cases")) {
        SCOPED_TRACE(csv.at("csv").get<std::string>());
        play_csv(csv);
    }
}

std::string test_name(const testing::TestParamInfo<Case>& parameter) {
    return std::regex_replace(parameter.param.id, std::regex{"[^A-Za-z0-9]"}, "_");
}

INSTANTIATE_TEST_SUITE_P(Aws, GoldenCase, testing::ValuesIn(all_cases()), test_name);

}  // namespace
}  // namespace test::golden
