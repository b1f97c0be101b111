// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>
#include <regex>
#include <set>
#include <sstream>

#include "support/load.hpp"
#include "support/proxied.hpp"
#include "support/rotation.hpp"

namespace test {
namespace {

std::string logging(const std::string& format, const std::string& destination = "access.log") {
    return R"(
restApis:
  - id: api
    resources:
      /pets/{id}: { ANY: { integration: { type: HTTP_PROXY, uri: "http://origin/{id}" } } }
      /closed: { GET: { apiKeyRequired: true, integration: { type: MOCK, body: "in" } } }
stages: [ { restApiId: api, stageName: s, accessLogSettings: { destination: ")" +
           destination + R"(", format: )" + format + R"( } } ]
usagePlans: [ { id: plan, apiStages: [ { apiId: api, stage: s } ] } ]
apiKeys: [ { id: k1, name: k, value: logged-key-0123456789abc, enabled: true, usagePlanIds: [plan] } ]
backends: [ { name: origin, targets: [ { url: "${ORIGIN}" } ] } ]
)";
}

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    std::istringstream in{text};
    for (std::string line; std::getline(in, line);)
        lines.push_back(line);
    return lines;
}

class AccessLog : public testing::Test {
protected:
    /// Stops the gateway and returns its log: nothing is lost on a graceful stop.
    static std::vector<std::string> log_of(Proxied& p) {
        EXPECT_EQ(p.gateway.stop(), 0);
        return lines_of(read_file(p.gateway.directory() / "access.log"));
    }
    static Answer ok(const Received&) { return Answer::of(200, "body!"); }
};

TEST_F(AccessLog, Clf) {
    Proxied p{ok, "", logging("CLF")};
    const std::string id = p.gateway.get("/s/pets/7?q=1").header("x-amzn-RequestId");
    const auto lines = log_of(p);
    ASSERT_EQ(lines.size(), 1U);
    EXPECT_TRUE(std::regex_match(
        lines[0],
        std::regex{
            R"re(127\.0\.0\.1 - - \[\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d \+0000\] "GET /pets/\{id\} HTTP/1\.1" 200 5 )re" +
            id + " \\S+"}))
        << lines[0];
}

TEST_F(AccessLog, Json) {
    Proxied p{ok, "", logging("JSON")};
    const Response r = p.gateway.get("/s/pets/7");
    const auto lines = log_of(p);
    ASSERT_EQ(lines.size(), 1U);
    const auto line = nlohmann::json::parse(lines[0]);
    EXPECT_EQ(line["requestId"], r.header("x-amzn-RequestId"));
    EXPECT_EQ(line["extendedRequestId"], r.header("x-amz-apigw-id"));
    EXPECT_EQ(line["ip"], "127.0.0.1");
    EXPECT_EQ(line["resourcePath"], "/pets/{id}");
    EXPECT_EQ(line["status"], "200");
    EXPECT_EQ(line["responseLength"], "5");
}

TEST_F(AccessLog, XmlAndCsv) {
    Proxied xml{ok, "", logging("XML")};
    xml.gateway.get("/s/pets/7");
    const auto xml_lines = log_of(xml);
    ASSERT_EQ(xml_lines.size(), 1U);
    EXPECT_TRUE(xml_lines[0].starts_with("<request id=\"")) << xml_lines[0];
    EXPECT_NE(xml_lines[0].find("<status>200</status>"), std::string::npos);
    EXPECT_TRUE(xml_lines[0].ends_with("</request>"));

    Proxied csv{ok, "", logging("CSV")};
    csv.gateway.get("/s/pets/7");
    const auto csv_lines = log_of(csv);
    ASSERT_EQ(csv_lines.size(), 1U);
    EXPECT_EQ(std::count(csv_lines[0].begin(), csv_lines[0].end(), ','), 10) << csv_lines[0];
}

TEST_F(AccessLog, EveryOutcomeHasItsLine) {
    Proxied p{
        ok, "",
        logging(
            "'$context.requestId $context.status $context.httpMethod $context.path "
            "$context.error.responseType $context.identity.apiKeyId $context.integration.status'")};
    Client client = p.gateway.client();
    client.get("/s/pets/7");
    client.get("/s/closed");
    client.get("/s/closed", key("logged-key-0123456789abc"));
    client.get("/s/none");
    const auto lines = log_of(p);
    ASSERT_EQ(lines.size(), 4U);
    const auto tail = [&](std::size_t n) { return lines[n].substr(37); };
    EXPECT_EQ(tail(0), "200 GET /s/pets/7 - - 200");
    EXPECT_EQ(tail(1), "403 GET /s/closed INVALID_API_KEY - -");
    EXPECT_EQ(tail(2), "200 GET /s/closed - k1 -");
    EXPECT_EQ(tail(3), "403 GET /s/none MISSING_AUTHENTICATION_TOKEN - -");
}

TEST_F(AccessLog, NoRequestCanForgeALineOrAField) {
    const std::map<std::string, std::string> formats{
        {"json",
         R"('{"id":"$context.requestId","agent":"$context.identity.userAgent","path":"$context.path","host":"$context.domainName"}')"},
        {"plain", R"('$context.requestId "$context.identity.userAgent" "$context.path"')"},
        {"xml",
         R"('<r id="$context.requestId"><a>$context.identity.userAgent</a><p>$context.path</p></r>')"}};
    for (const auto& [name, format] : formats) {
        Proxied p{ok, "", logging(format)};
        Client client = p.gateway.client();
        const std::vector<std::string> agents{"\",\"status\":\"200", "a\\",
                                              "</a><a>forged",       "\" \"forged",
                                              "tab\there",           "\xff\xfe bytes",
                                              "%0d%0aforged",        "$context.status",
                                              std::string(3000, 'A')};
        for (const std::string& agent : agents)
            client.get("/s/pets/7", {{"User-Agent", agent}});
        client.get("/s/pets/%22%2C%0Ax", {});
        client.get("/s/pets/%22%2C%22x");
        const auto lines = log_of(p);
        ASSERT_GE(lines.size(), agents.size() + 1) << name;
        for (const std::string& line : lines) {
            for (const char c : line)
                EXPECT_FALSE(static_cast<unsigned char>(c) < 0x20) << name << line;
            if (name == "json") {
                const auto parsed = nlohmann::json::parse(line, nullptr, false);
                ASSERT_FALSE(parsed.is_discarded()) << line;
                EXPECT_EQ(parsed.size(), 4U);
            }
            if (name == "plain") {
                // A quote inside a value is escaped, so exactly four stand alone.
                const std::string bare = std::regex_replace(line, std::regex{R"(\\.)"}, "");
                EXPECT_EQ(std::count(bare.begin(), bare.end(), '"'), 4) << line;
            }
            if (name == "xml") {
                EXPECT_EQ(line.find("forged") != std::string::npos &&
                              line.find("<a>forged") != std::string::npos,
                          false)
                    << line;
            }
        }
    }
}

TEST_F(AccessLog, KeyValueNeverAppears) {
    Proxied p{ok, "",
              logging("'$context.requestId $context.identity.apiKey $context.identity.apiKeyId'")};
    p.gateway.get("/s/closed", key("logged-key-0123456789abc"));
    const auto lines = log_of(p);
    ASSERT_EQ(lines.size(), 1U);
    EXPECT_EQ(lines[0].find("logged-key"), std::string::npos) << lines[0];
    EXPECT_TRUE(lines[0].ends_with(" ******************789abc k1")) << lines[0];
}

TEST_F(AccessLog, LosesNothingOnAGracefulStop) {
    Proxied p{ok, "", logging("JSON"), {.workers = 2}};
    constexpr int kRequests = 3000;
    Client client = p.gateway.client();
    for (int i = 0; i < kRequests; ++i)
        client.get("/s/none");
    const auto lines = log_of(p);
    EXPECT_EQ(lines.size(), static_cast<std::size_t>(kRequests));
}

TEST_F(AccessLog, StandardOutputIsADestination) {
    Proxied p{ok, "", logging("CLF", "-")};
    p.gateway.get("/s/pets/7");
    EXPECT_TRUE(eventually(
        [&] { return p.gateway.process().out().find("GET /pets/{id}") != std::string::npos; }));
}

TEST_F(AccessLog, ReopensOnUsr1) {
    Proxied p{ok, "", logging("CLF")};
    const auto file = p.gateway.directory() / "access.log";
    const auto rotated = p.gateway.directory() / "access.log.1";
    p.gateway.get("/s/pets/1");
    ASSERT_TRUE(eventually([&] { return !read_file(file).empty(); }));
    std::filesystem::rename(file, rotated);
    p.gateway.signal(SIGUSR1);
    ASSERT_TRUE(eventually([&] { return std::filesystem::exists(file); }));
    p.gateway.get("/s/pets/2");
    EXPECT_TRUE(eventually([&] { return lines_of(read_file(file)).size() == 1; }));
    EXPECT_EQ(lines_of(read_file(rotated)).size(), 1U);
}

/// Rotated again and again while requests come: the lines of all files are the requests.
TEST_F(AccessLog, RotationUnderLoadLosesNoLine) {
    Proxied p{ok, "", logging("'$context.requestId $context.status'"), {.workers = 2}};
    constexpr int kRequests = 20'000;
    constexpr int kRotations = 8;
    std::atomic<bool> done{false};
    std::thread load{[&] {
        const LoadResult r = run_load({.port = p.gateway.port(),
                                       .target = "/s/none",
                                       .headers = {},
                                       .connections = 8,
                                       .requests = kRequests});
        EXPECT_EQ(r.answers(), kRequests);
        done = true;
    }};
    const auto file = p.gateway.directory() / "access.log";
    const int rotations = rotate_until(done, p.gateway, file, kRotations);
    load.join();
    EXPECT_GE(rotations, 2);
    EXPECT_EQ(p.gateway.metrics().sum("sluice_access_log_dropped_total"), 0);
    EXPECT_EQ(p.gateway.stop(), 0);
    std::set<std::string> ids;
    std::size_t lines = 0;
    for (const auto& entry : std::filesystem::directory_iterator{p.gateway.directory()}) {
        if (!entry.path().filename().string().starts_with("access.log")) continue;
        for (const std::string& line : lines_of(read_file(entry.path()))) {
            EXPECT_EQ(line.substr(36), " 403") << line;
            ids.insert(line.substr(0, 36));
            ++lines;
        }
    }
    EXPECT_EQ(lines, static_cast<std::size_t>(kRequests));
    EXPECT_EQ(ids.size(), lines) << "each request has a line of its own";
}

TEST_F(AccessLog, FullDiskDoesNotDisturbRequests) {
    Proxied p{ok, "", logging("CLF", "/dev/full")};
    Client client = p.gateway.client();
    for (int i = 0; i < 200; ++i)
        EXPECT_EQ(client.get("/s/pets/1").status, 200);
    EXPECT_TRUE(
        eventually([&] { return p.gateway.metrics().sum("sluice_access_log_dropped_total") > 0; }));
}

}  // namespace
}  // namespace test
