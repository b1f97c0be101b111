// SPDX-License-Identifier: Apache-2.0
//
// Execution logs: aws-semantics 15.1, 15.4 and the texts of 2.4, 3.5, 4.3, 7.6.
#include "support/execution_log.hpp"

namespace test::execution_log {
namespace {

TEST(ExecutionLog, InfoWithDataTraceHasTheLinesOfAwsInTheirOrder) {
    Proxied p{ok, "", api("loggingLevel: INFO, dataTraceEnabled: true")};
    const Response r = p.gateway.post("/s/pets/7%20x?foo=b%61r&q=a+b", "hello", {{"X-Mine", "1"}});
    const std::string id = id_of(r);
    const std::string url = "http://127\\.0\\.0\\.1:" + std::to_string(p.origin.port()) +
                            "/animals/7%20x\\?foo=b%61r&q=a\\+b";
    expect_lines(
        texts(log_of(p.gateway), id),
        {"Extended Request Id: \\S{16}",
         "Verifying Usage Plan for request: " + id + "\\. API Key:  API Stage: api/s",
         "API Key  authorized because method 'ANY /pets/\\{id\\}' does not require API Key\\. "
         "Request will not contribute to throttle or quota limits",
         "Usage Plan check succeeded for API Key  and API Stage api/s",
         "Starting execution for request: " + id,
         "HTTP Method: POST, Resource Path: /pets/7%20x",
         "Method request path: \\{id=7 x\\}",
         "Method request query string: \\{foo=bar, q=a b\\}",
         "Method request headers: \\{Host=.*, X-Mine=1, .*Content-Length=5.*\\}|"
         "Method request headers: \\{.*X-Mine=1.*\\}",
         "Method request body before transformations: hello",
         "Endpoint request URI: " + url,
         "Endpoint request headers: \\{Host=.*x-amzn-RequestId=" + id + ".*\\}",
         "Endpoint request body after transformations: hello",
         "Sending request to " + url,
         "Received response\\. Status: 200, Integration latency: \\d+ ms",
         "Endpoint response headers: \\{.*X-From=origin.*\\}",
         "Endpoint response body before transformations: body!",
         "Method response body after transformations: body!",
         "Method response headers: \\{.*x-amzn-RequestId=" + id + ".*\\}",
         "Successfully completed execution",
         "Method completed with status: 200"});
}

TEST(ExecutionLog, InfoAloneNamesNeitherHeadersNorBodies) {
    Proxied p{ok, "", api("loggingLevel: INFO")};
    const Response r = p.gateway.post("/s/pets/7", "secret-body", {{"X-Mine", "secret-header"}});
    const Lines lines = log_of(p.gateway);
    EXPECT_EQ(texts(lines, id_of(r)).size(), 13U);
    EXPECT_FALSE(has(lines, "secret"));
    EXPECT_FALSE(has(lines, "body|headers"));
}

TEST(ExecutionLog, MockHasNoEndpointLines) {
    Proxied p{ok, "", api("loggingLevel: INFO, dataTraceEnabled: true")};
    const Response r = p.gateway.get("/s/mock");
    const Lines seen = texts(log_of(p.gateway), id_of(r));
    EXPECT_FALSE(has(seen, "Endpoint|Sending|Received"));
    EXPECT_TRUE(has(seen, "^Method response body after transformations: pets!$"));
    EXPECT_TRUE(has(seen, "^Method response headers: \\{Content-Type=application/json"));
    EXPECT_EQ(seen.back(), "Method completed with status: 200");
}

TEST(ExecutionLog, OffWritesNothingAndMakesNoFile) {
    Proxied p{ok, "", api("loggingLevel: \"OFF\"")};
    p.gateway.get("/s/pets/7");
    p.gateway.get("/s/none");
    EXPECT_EQ(p.gateway.stop(), 0);
    EXPECT_FALSE(std::filesystem::exists(log_file(p.gateway).parent_path()));
}

TEST(ExecutionLog, OneMethodAlone) {
    Proxied p{ok, "",
              std::regex_replace(api("metricsEnabled: false"), std::regex{"\"cached/GET\""},
                                 "\"mock/GET\": { loggingLevel: INFO }, \"cached/GET\"")};
    p.gateway.get("/s/pets/7");
    p.gateway.get("/s/none");
    const std::string id = id_of(p.gateway.get("/s/mock"));
    const Lines lines = log_of(p.gateway);
    EXPECT_EQ(texts(lines, id).size(), lines.size());
    EXPECT_GT(lines.size(), 5U);
}

// ------------------------------------------------------------------ refusals

struct Refused {
    std::string name, key;
    int times;  ///< the last one is refused
    int status;
    std::string says;
};
void PrintTo(const Refused& r, std::ostream* out) { *out << r.name; }

class Refusals : public testing::TestWithParam<Refused> {};

TEST_P(Refusals, AreExplainedAtErrorAndAtInfo) {
    for (const std::string level : {"ERROR", "INFO"}) {
        Proxied p{ok, "", api("loggingLevel: " + level)};
        Response r;
        for (int i = 0; i < GetParam().times; ++i) {
            r = p.gateway.get("/s/closed",
                              GetParam().key.empty() ? Headers{} : key(GetParam().key));
        }
        ASSERT_EQ(r.status, GetParam().status);
        const Lines lines = log_of(p.gateway);
        const Lines seen = texts(lines, id_of(r));
        EXPECT_TRUE(has(seen, GetParam().says)) << testing::PrintToString(seen);
        ASSERT_FALSE(seen.empty());
        EXPECT_EQ(seen.back(), "Method completed with status: " + std::to_string(r.status));
        EXPECT_EQ(has(seen, "Extended Request Id"), level == "INFO");
        if (level == "ERROR") {
            EXPECT_EQ(lines.size(), seen.size()) << "only the refused one";
        }
        if (!GetParam().key.empty()) {
            EXPECT_FALSE(has(lines, GetParam().key.substr(0, 12)));
        }
    }
}

const std::string kNotAuthorized =
    " not authorized because method 'GET /closed' requires API Key and API Key is not associated "
    "with a Usage Plan for API Stage api/s: No Usage Plan found for key and API Stage$";

INSTANTIATE_TEST_SUITE_P(
    ExecutionLog, Refusals,
    testing::Values(
        Refused{"NoKey", "", 1, 403, "^API Key " + kNotAuthorized},
        Refused{"UnknownKey", "unknown-key-0123456789-vwxyz1", 1, 403,
                "^API Key \\*{23}vwxyz1" + kNotAuthorized},
        Refused{"DisabledKey", "disabled-key-0123456789zyxwvu", 1, 403,
                "^API Key check failed: the key is disabled$"},
        Refused{"Quota", kKey, 3, 429,
                "^API Key \\*{24}abcdef exceeded quota limit for API Stage api/s: Key quota "
                "exhausted for Usage Plan ID plan\\. Limit: 2 Period: DAY$"},
        Refused{"Throttle", "slow-key-0123456789ab-slowly", 2, 429,
                "^API Key \\*{22}slowly exceeded throttle limit for API Stage api/s: Key throttle "
                "limit exceeded for Usage Plan ID slow, RestApi api, Stage s, Resource \\w+, "
                "HttpMethod GET\\. Limit: 0\\.01 Burst: 1$"}),
    [](const auto& test) { return test.param.name; });

TEST(ExecutionLog, NamesTheStagesOwnThrottle) {
    Proxied p{ok, "",
              api("loggingLevel: ERROR, throttlingRateLimit: 0.01, throttlingBurstLimit: 1")};
    p.gateway.get("/s/mock");
    const Response r = p.gateway.get("/s/mock");
    ASSERT_EQ(r.status, 429);
    EXPECT_TRUE(has(texts(log_of(p.gateway), id_of(r)),
                    "Key throttle limit exceeded for RestApi api, Stage s, Resource \\w+, "
                    "HttpMethod GET\\. Limit: 0\\.01 Burst: 1$"));
}

// ------------------------------------------------------------------ failures of the backend

TEST(ExecutionLog, TellsTimeoutsFromNetworkErrors) {
    const auto hang = [](const Received&) { return Answer::nothing().hang(); };
    Proxied late{hang, "", api("loggingLevel: ERROR")};
    const Response timeout = late.gateway.get("/s/pets/7");
    ASSERT_EQ(timeout.status, 504);
    const Lines seen = texts(log_of(late.gateway), id_of(timeout));
    ASSERT_FALSE(seen.empty());
    EXPECT_EQ(seen.front(), "Execution failed due to a timeout error");
    EXPECT_EQ(seen.back(), "Method completed with status: 504");

    const auto close = [](const Received&) { return Answer::nothing().close(); };
    Proxied gone{close, "", api("loggingLevel: ERROR")};
    const Response broken = gone.gateway.get("/s/pets/7");
    ASSERT_EQ(broken.status, 502);
    EXPECT_TRUE(has(texts(log_of(gone.gateway), id_of(broken)),
                    "^Execution failed due to a network error communicating with endpoint$"));
}

TEST(ExecutionLog, AtErrorSaysNothingAboutWhatWentWell) {
    const auto by_path = [](const Received& r) {
        return Answer::of(std::stoi(r.target.substr(r.target.rfind('/') + 1)));
    };
    Proxied p{by_path, "", api("loggingLevel: ERROR")};
    p.gateway.get("/s/mock");
    p.gateway.get("/s/pets/200");
    p.gateway.get("/s/pets/404");
    const Response bad = p.gateway.get("/s/pets/503");
    const Lines lines = log_of(p.gateway);
    expect_lines(texts(lines, id_of(bad)),
                 {"Received response\\. Status: 503, Integration latency: \\d+ ms",
                  "Method completed with status: 503"});
    EXPECT_EQ(lines.size(), 2U);
}

TEST(ExecutionLog, ErrorWithDataTraceLogsEveryRequest) {
    Proxied p{ok, "", api("loggingLevel: ERROR, dataTraceEnabled: true")};
    const Response r = p.gateway.get("/s/pets/7");
    EXPECT_TRUE(has(texts(log_of(p.gateway), id_of(r)), "Method request headers"));
}

TEST(ExecutionLog, SaysWhatMatchedNoMethod) {
    Proxied p{ok, "", api("loggingLevel: ERROR")};
    const Response r = p.gateway.get("/s/nothing/here");
    ASSERT_EQ(r.status, 403);
    EXPECT_TRUE(has(texts(log_of(p.gateway), id_of(r)), "no method GET /nothing/here$"));
}

TEST(ExecutionLog, NamesHitsAndMisses) {
    Proxied p{ok, "", api("loggingLevel: INFO")};
    const Response miss = p.gateway.get("/s/cached");
    const Response hit = p.gateway.get("/s/cached");
    const Lines lines = log_of(p.gateway);
    const Lines first = texts(lines, id_of(miss));
    const Lines second = texts(lines, id_of(hit));
    EXPECT_TRUE(has(first, "^Cache miss for key [0-9a-f]{16}$"));
    EXPECT_TRUE(has(first, "^Sending request to"));
    EXPECT_TRUE(has(second, "^Cache hit for key [0-9a-f]{16}$"));
    EXPECT_FALSE(has(second, "^Sending request to"));
}

// ------------------------------------------------------------------ hostile input, secrets

TEST(ExecutionLog, NoClientCanForgeALineNorSeeAKey) {
    Proxied p{ok, "", api("loggingLevel: INFO, dataTraceEnabled: true")};
    Client client = p.gateway.client();
    const std::string forged = "(11111111-2222-3333-4444-555555555555) Method completed";
    client.post("/s/pets/7?a=%0A" + std::string{"(11111111-2222-3333-4444-555555555555)"} +
                    "&b=%0d%0a%E2%80%A8",
                "x\n" + forged + "\r\n" + forged, {{"X-Mine", "tab\there"}});
    client.get("/s/pets/%C2%85(11111111-2222-3333-4444-555555555555)");
    client.get("/s/closed", {{"x-api-key", kKey}, {"Authorization", "Bearer abcdefghijklmnop"}});
    client.post("/s/pets/7", std::string(100'000, 'A'));
    client.get("/s/pets/7", {{"X-Long", std::string(5'000, 'B')}});
    const Lines lines = log_of(p.gateway);
    EXPECT_GT(lines.size(), 60U);
    const std::regex shape{"\\([0-9a-f-]{36}\\) .+"};
    for (const std::string& line : lines) {
        EXPECT_TRUE(std::regex_search(line.substr(0, 80), shape)) << line;
        EXPECT_FALSE(line.starts_with("(11111111"));
        EXPECT_LE(line.size(), 39U + 30U + 1024U + 12U);
        for (const char c : line)
            EXPECT_FALSE(static_cast<unsigned char>(c) < 0x20 || c == 0x7F);
        EXPECT_EQ(line.find("execution-key"), std::string::npos);
        EXPECT_EQ(line.find("Bearer"), std::string::npos);
    }
    EXPECT_TRUE(has(lines, "A \\[TRUNCATED\\]$"));
    EXPECT_TRUE(has(lines, "B \\[TRUNCATED\\]$"));
    EXPECT_TRUE(has(lines, "x-api-key=\\*{24}abcdef"));
}

}  // namespace
}  // namespace test::execution_log
