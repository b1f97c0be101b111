// SPDX-License-Identifier: Apache-2.0
#include "app/cli.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "support/peer.hpp"
#include "unit/net/certificates.hpp"

namespace sluice::app {
namespace {

using ::test::Peer;
using ::test::Port;

const std::string kGood = R"(
restApis: [ { id: a, resources: { /x: { GET: { integration: { type: MOCK } } } } } ]
stages: [ { restApiId: a, stageName: s } ]
usagePlans: [ { id: gold, apiStages: [ { apiId: a, stage: s } ] } ]
apiKeys: [ { id: k, value: very-secret-key-0123456789, usagePlanIds: [gold] } ]
)";

class CliTest : public testing::Test {
protected:
    /// The exit code of `sluice WORDS...`; what it printed is in out_ and errors_.
    int sluice(std::vector<std::string> words) {
        words.insert(words.begin(), "sluice");
        std::vector<char*> argv;
        for (std::string& word : words)
            argv.push_back(word.data());
        std::ostringstream out;
        std::ostringstream errors;
        auto* const usual_out = std::cout.rdbuf(out.rdbuf());
        auto* const usual_errors = std::cerr.rdbuf(errors.rdbuf());
        const int code = run_command(static_cast<int>(argv.size()), argv.data());
        std::cout.rdbuf(usual_out);
        std::cerr.rdbuf(usual_errors);
        out_ = out.str();
        errors_ = errors.str();
        return code;
    }
    std::string file(const std::string& text, const std::string& name = "sluice.yaml") {
        return dir_.write(name, text).string();
    }

    net::test::TempDir dir_;
    std::string out_{};
    std::string errors_{};
};

TEST_F(CliTest, FailsOnWrongUsageWithTwo) {
    EXPECT_EQ(sluice({}), kUsage);
    EXPECT_EQ(sluice({"frobnicate"}), kUsage);
    EXPECT_EQ(sluice({"validate"}), kUsage) << "--config is required";
    EXPECT_EQ(sluice({"validate", "--config", "x", "--format", "xml"}), kUsage);
    EXPECT_EQ(sluice({"keys"}), kUsage);
    EXPECT_EQ(sluice({"keys", "generate", "--count", "0"}), kUsage);
    EXPECT_FALSE(errors_.empty());
}

TEST_F(CliTest, HelpsWithoutFailing) {
    EXPECT_EQ(sluice({"--help"}), kOk);
    for (const auto* command :
         {"run", "validate", "print-config", "schema", "keys", "usage", "healthcheck", "version"}) {
        EXPECT_NE(out_.find(command), std::string::npos) << command;
    }
}

TEST_F(CliTest, ValidatesAGoodConfiguration) {
    const std::string path = file(kGood);
    EXPECT_EQ(sluice({"validate", "--config", path}), kOk);
    EXPECT_EQ(out_, path + ": ok\n");
    EXPECT_EQ(sluice({"run", "--check", "-c", path}), kOk);
}

TEST_F(CliTest, ReportsEveryProblemAndExitsWithThree) {
    const std::string path = file("restApis: [ { id: a, resurces: {} } ]\nnonsense: 1\n");
    for (const auto& words : {std::vector<std::string>{"validate", "--config", path},
                              std::vector<std::string>{"run", "--config", path},
                              std::vector<std::string>{"print-config", "--config", path}}) {
        EXPECT_EQ(sluice(words), kInvalidConfig) << words[0];
        EXPECT_NE(errors_.find(path + ":1:22: "), std::string::npos) << errors_;
        EXPECT_NE(errors_.find("resources"), std::string::npos) << "the nearest valid key";
        EXPECT_NE(errors_.find(path + ":2:1: "), std::string::npos) << errors_;
    }
    EXPECT_EQ(sluice({"validate", "--config", dir_.path() / "none.yaml"}), kInvalidConfig);
}

TEST_F(CliTest, ReportsProblemsAsJson) {
    const std::string path = file("nonsense: 1\n");
    EXPECT_EQ(sluice({"validate", "--config", path, "--format", "json"}), kInvalidConfig);
    const auto problem = nlohmann::json::parse(out_).at("problems").at(0);
    EXPECT_EQ(problem.at("severity"), "error");
    EXPECT_EQ(problem.at("file"), path);
    EXPECT_EQ(problem.at("line"), 1);
    EXPECT_EQ(problem.at("column"), 1);
    EXPECT_EQ(errors_, "");
}

TEST_F(CliTest, PrintsTheConfigurationWithoutSecrets) {
    EXPECT_EQ(sluice({"print-config", "--config", file(kGood)}), kOk);
    EXPECT_NE(out_.find("restApis:"), std::string::npos);
    EXPECT_EQ(out_.find("very-secret-key"), std::string::npos);
    EXPECT_EQ(sluice({"print-config", "--config", file(out_, "again.yaml")}), kOk) << errors_;
}

TEST_F(CliTest, PrintsASchemaAndAReference) {
    EXPECT_EQ(sluice({"schema"}), kOk);
    EXPECT_TRUE(nlohmann::json::parse(out_).contains("$schema"));
    EXPECT_EQ(sluice({"reference"}), kOk);
    EXPECT_NE(out_.find("restApis"), std::string::npos);
}

TEST_F(CliTest, GeneratesKeysThatDiffer) {
    EXPECT_EQ(sluice({"keys", "generate", "--count", "50"}), kOk);
    std::istringstream lines{out_};
    std::set<std::string> keys;
    for (std::string key; std::getline(lines, key);) {
        EXPECT_EQ(key.size(), 40U) << "contract 10";
        keys.insert(key);
    }
    EXPECT_EQ(keys.size(), 50U);
}

TEST_F(CliTest, SaysWhatAnImportWouldDo) {
    const std::string csv = file(
        "Name,key,description,Enabled,usageplanIds\n"
        "n,import-key-0123456789abc,d,true,gold\n",
        "keys.csv");
    EXPECT_EQ(sluice({"keys", "import", csv, "--config", file(kGood)}), kOk);
    const auto report = nlohmann::json::parse(out_);
    EXPECT_EQ(report.at("ids").size(), 1U);
    EXPECT_TRUE(report.at("warnings").empty());
    const std::string broken = file("no,columns\n", "broken.csv");
    EXPECT_EQ(sluice({"keys", "import", broken, "--config", file(kGood)}), kInvalidConfig);
    EXPECT_EQ(sluice({"keys", "import", dir_.path() / "none.csv", "--config", file(kGood)}),
              kFailed);
}

TEST_F(CliTest, PrintsItsVersion) {
    EXPECT_EQ(sluice({"version"}), kOk);
    EXPECT_EQ(out_, std::string{"sluice "} + SLUICE_VERSION + "\n");
}

/// An admin listener that answers one request.
class CliAdminTest : public CliTest {
protected:
    int ask(std::vector<std::string> words, const std::string& answer) {
        std::thread server{[&] {
            Peer peer = port_.accept();
            request_ = peer.read_until("\r\n\r\n");
            peer.send(answer);
        }};
        words.insert(words.end(),
                     {"--admin", "http://127.0.0.1:" + std::to_string(port_.number())});
        const int code = sluice(words);
        server.join();
        return code;
    }
    static std::string answer(const std::string& status, const std::string& body) {
        return "HTTP/1.1 " + status +
               "\r\nConnection: close\r\nContent-Length: " + std::to_string(body.size()) +
               "\r\n\r\n" + body;
    }
    Port port_;
    std::string request_{};
};

TEST_F(CliAdminTest, AsksForUsageWithTheGivenFilters) {
    const std::string token = file("the-token\n", "token");
    EXPECT_EQ(ask({"usage", "--plan", "a b&c", "--key", "k1", "--start", "2026-11-01", "--end",
                   "2026-11-21", "--token-file", token},
                  answer("200 OK", "{}")),
              kOk);
    EXPECT_TRUE(
        request_.starts_with("GET /usage?usagePlanId=a%20b%26c&keyId=k1&"
                             "startDate=2026-11-01&endDate=2026-11-21 HTTP/1.1\r\n"))
        << request_;
    EXPECT_NE(request_.find("Bearer the-token\r\n"), std::string::npos) << request_;
    EXPECT_EQ(out_, "{}\n");
}

TEST_F(CliAdminTest, IsHealthyWhenTheGatewayIsReady) {
    EXPECT_EQ(ask({"healthcheck"}, answer("200 OK", "ready")), kOk);
    EXPECT_TRUE(request_.starts_with("GET /readyz HTTP/1.1\r\n")) << request_;
    EXPECT_EQ(out_, "ok\n");
}

TEST_F(CliAdminTest, FailsWithTheReasonWhenItIsNotReady) {
    EXPECT_EQ(ask({"healthcheck"}, answer("503 No", "draining")), kFailed);
    EXPECT_NE(errors_.find("503"), std::string::npos);
    EXPECT_NE(errors_.find("draining"), std::string::npos);
}

TEST_F(CliAdminTest, FailsWhenNobodyAnswers) {
    const std::string url = "http://127.0.0.1:" + std::to_string(port_.number());
    port_.close();
    EXPECT_EQ(sluice({"healthcheck", "--admin", url}), kFailed);
    EXPECT_NE(errors_.find(url + ": "), std::string::npos) << errors_;
}

}  // namespace
}  // namespace sluice::app
