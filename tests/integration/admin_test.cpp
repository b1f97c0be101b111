// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "support/nginx.hpp"
#include "support/proxied.hpp"

namespace test {
namespace {

const std::string kSecretKey = "value-of-the-key-0123456789";

std::string with_everything() {
    return std::string{kProxyEverything} + R"(
usagePlans: [ { id: plan, name: Plan, apiStages: [ { apiId: api, stage: s } ], quota: { limit: 9, period: DAY } } ]
apiKeys: [ { id: k, name: k, value: )" +
           kSecretKey + R"(, enabled: true, usagePlanIds: [plan] } ]
)";
}

TEST(Admin, SaysHowItIs) {
    Proxied p{echo, "", with_everything()};
    EXPECT_EQ(p.gateway.admin("/healthz").status, 200);
    EXPECT_EQ(p.gateway.admin("/readyz").status, 200);
    const Response version = p.gateway.admin("/version");
    EXPECT_EQ(version.status, 200);
    EXPECT_NE(version.body.find("0.1.0"), std::string::npos);
    EXPECT_EQ(p.gateway.admin("/nothing").status, 404);
    EXPECT_EQ(p.gateway.admin("/healthz", "POST").status, 405);
}

TEST(Admin, ShowsTheConfigurationWithoutSecrets) {
    Proxied p{echo, "", with_everything()};
    const Response r = p.gateway.admin("/config");
    EXPECT_EQ(r.status, 200);
    EXPECT_EQ(r.json()["restApis"][0]["id"], "api");
    EXPECT_EQ(r.body.find(kSecretKey), std::string::npos);
}

TEST(Admin, ListsApis) {
    Proxied p{echo, "", with_everything()};
    const auto apis = p.gateway.admin("/apis").json();
    const std::string text = apis.dump();
    for (const char* part : {"\"apiId\":\"api\"", "\"name\":\"api\"", "protocolType", "\"s\""})
        EXPECT_NE(text.find(part), std::string::npos) << part << " in " << text;
}

TEST(Admin, MetricsAreCleanAndComplete) {
    std::string yaml = with_everything();
    const std::string stage = "stageName: s";
    yaml.replace(yaml.find(stage), stage.size(), "stageName: s, cacheClusterEnabled: true");
    Proxied p{echo, "", yaml};
    p.gateway.get("/s/x");
    p.gateway.get("/s2/x");
    const Response scrape = p.gateway.admin("/metrics");
    EXPECT_EQ(scrape.status, 200);
    EXPECT_TRUE(scrape.header("Content-Type").starts_with("text/plain; version=0.0.4"))
        << scrape.header("Content-Type");
    const Metrics metrics{scrape.body};
    for (const char* family : {"sluice_requests_total",
                               "sluice_4xx_errors_total",
                               "sluice_5xx_errors_total",
                               "sluice_latency_seconds_bucket",
                               "sluice_integration_latency_seconds_count",
                               "sluice_responses_total",
                               "sluice_connections",
                               "sluice_requests_in_flight",
                               "sluice_received_bytes_total",
                               "sluice_sent_bytes_total",
                               "sluice_upstream_connections",
                               "sluice_cache_bytes",
                               "sluice_cache_entries",
                               "sluice_cache_evictions_total",
                               "sluice_config_last_reload_successful",
                               "sluice_config_last_reload_timestamp_seconds",
                               "sluice_build_info",
                               "sluice_unrouted_total",
                               "process_resident_memory_bytes",
                               "process_open_fds"})
        EXPECT_TRUE(metrics.has(family)) << family;

    const std::string promtool = find_program("promtool");
    ASSERT_FALSE(promtool.empty()) << "promtool is not installed: make deps";
    const TempDir dir;
    dir.write("metrics.txt", scrape.body);
    const Finished check =
        run({.words = {"/bin/sh", "-c", promtool + " check metrics < metrics.txt"},
             .directory = dir.path()});
    EXPECT_EQ(check.status, 0) << check.out << check.errors;
    EXPECT_EQ(check.out + check.errors, "");
}

TEST(Admin, CountsByMethodWhenAskedTo) {
    std::string yaml = kProxyEverything;
    const std::string stage = "stageName: s";
    yaml.replace(yaml.find(stage), stage.size(),
                 R"(stageName: s, methodSettings: { "*/*": { metricsEnabled: true } })");
    Proxied p{echo, "", yaml};
    p.gateway.get("/s/x");
    p.gateway.post("/s/x", "");
    const Metrics metrics = p.gateway.metrics();
    EXPECT_EQ(metrics.sum("sluice_requests_total", {{"api", "api"}, {"stage", "s"}}), 2);
    EXPECT_EQ(metrics.sum("sluice_requests_total", {{"resource", "/{proxy+}"}}), 2);
}

TEST(Admin, BytesAndConnectionsAreCounted) {
    Proxied p{[](const Received&) { return Answer::of(200, std::string(10'000, 'x')); }};
    Client client = p.gateway.client();
    client.post("/s/x", std::string(5'000, 'y'));
    const Metrics metrics = p.gateway.metrics();
    EXPECT_GE(metrics.sum("sluice_received_bytes_total"), 5'000);
    EXPECT_LT(metrics.sum("sluice_received_bytes_total"), 7'000);
    EXPECT_GE(metrics.sum("sluice_sent_bytes_total"), 10'000);
    EXPECT_LT(metrics.sum("sluice_sent_bytes_total"), 12'000);
    EXPECT_EQ(metrics.sum("sluice_connections"), 1);
}

TEST(Admin, TokenIsRequiredWhenConfigured) {
    auto directory = std::make_shared<TempDir>();
    directory->write("token", "s3cret-token\n");
    Proxied p{echo,
              "admin: { address: 127.0.0.1, port: 0, tokenFile: token }\n",
              kProxyEverything,
              {.directory = directory, .wait_until_ready = false}};
    EXPECT_EQ(p.gateway.admin("/metrics").status, 401);
    EXPECT_EQ(p.gateway.admin("/config", "GET", {{"Authorization", "Bearer wrong"}}).status, 401);
    EXPECT_EQ(p.gateway.admin("/reload", "POST").status, 401);
    EXPECT_EQ(p.gateway.admin("/metrics", "GET", {{"Authorization", "Bearer s3cret-token"}}).status,
              200);
}

TEST(Admin, OpenAddressWithoutATokenIsRefused) {
    const TempDir dir;
    const auto file = dir.write("c.yaml", "admin: { address: 0.0.0.0, port: 0 }\n");
    EXPECT_EQ(sluice({"validate", "--config", file.string()}).status, 3);
}

TEST(Admin, HealthcheckCommandAgrees) {
    std::uint16_t port = 0;
    {
        Proxied p;
        port = p.gateway.admin_port();
        EXPECT_EQ(
            sluice({"healthcheck", "--admin", "http://127.0.0.1:" + std::to_string(port)}).status,
            0);
    }
    EXPECT_EQ(sluice({"healthcheck", "--admin", "http://127.0.0.1:" + std::to_string(port)}).status,
              1);
}

// ------------------------------------------------------------------ MOCK and the command line

TEST(Mock, AnswersWhatItIsTold) {
    Gateway gateway{R"(
restApis:
  - id: api
    resources:
      /tea: { ANY: { integration: { type: MOCK, statusCode: 418, headers: { X-Pot: short, Content-Type: text/plain }, body: "I'm a teapot" } } }
      /empty: { GET: { integration: { type: MOCK } } }
stages: [ { restApiId: api, stageName: s } ]
)"};
    Client client = gateway.client();
    const Response tea = client.post("/s/tea", "ignored body");
    EXPECT_EQ(tea.status, 418);
    EXPECT_EQ(tea.body, "I'm a teapot");
    EXPECT_EQ(tea.header("X-Pot"), "short");
    EXPECT_EQ(tea.headers.all("Content-Type"), std::vector<std::string>{"text/plain"});
    EXPECT_FALSE(tea.headers.has("X-Amzn-Trace-Id"));
    const Response head = client.head("/s/tea");
    EXPECT_EQ(head.header("Content-Length"), "12");
    const Response empty = client.get("/s/empty");
    EXPECT_EQ(empty.status, 200);
    EXPECT_EQ(empty.body, "");
    EXPECT_EQ(client.connections(), 1);
}

TEST(CommandLine, MisuseExitsWithTwo) {
    EXPECT_EQ(sluice({}).status, 2);
    EXPECT_EQ(sluice({"frobnicate"}).status, 2);
    EXPECT_EQ(sluice({"run"}).status, 2);
    EXPECT_EQ(sluice({"--help"}).status, 0);
}

TEST(CommandLine, VersionSchemaAndKeys) {
    EXPECT_NE(sluice({"version"}).out.find("0.1.0"), std::string::npos);
    const auto schema = nlohmann::json::parse(sluice({"schema"}).out);
    EXPECT_TRUE(schema["properties"].contains("restApis"));
    const Finished keys = sluice({"keys", "generate", "--count", "3"});
    EXPECT_EQ(keys.status, 0);
    EXPECT_EQ(keys.out.size(), 3 * 41U) << keys.out;
    EXPECT_NE(keys.out.substr(0, 40), keys.out.substr(41, 40));
}

TEST(CommandLine, QuickstartConfigurationIsValid) {
    const Finished validate =
        sluice({"validate", "--config", SLUICE_SOURCE_DIR "/config/quickstart"});
    EXPECT_EQ(validate.status, 0) << validate.out << validate.errors;
    const Finished check =
        sluice({"run", "--check", "--config", SLUICE_SOURCE_DIR "/config/quickstart"});
    EXPECT_EQ(check.status, 0) << check.out << check.errors;
    const Finished shown =
        sluice({"print-config", "--config", SLUICE_SOURCE_DIR "/config/quickstart"});
    EXPECT_EQ(shown.status, 0);
    EXPECT_EQ(shown.out.find("alice-demo-key"), std::string::npos);
}

TEST(CommandLine, ValidateCanSpeakJson) {
    const TempDir dir;
    const auto file = dir.write("c.yaml", "stagez: []\nrestApis: 7\n");
    const Finished json = sluice({"validate", "--config", file.string(), "--format", "json"});
    EXPECT_EQ(json.status, 3);
    const auto parsed = nlohmann::json::parse(json.out, nullptr, false);
    ASSERT_FALSE(parsed.is_discarded()) << json.out;
    EXPECT_NE(parsed.dump().find("stagez"), std::string::npos);
}

TEST(CommandLine, KeysImportIsADryRun) {
    const TempDir dir;
    const auto config = dir.write("c.yaml", "usagePlans: [ { id: plan, name: p } ]\n");
    const auto csv = dir.write(
        "keys.csv", "Name,Key,UsagePlanIds\nok,good-key-0123456789abcd,plan\nshort,tiny,plan\n");
    const Finished import = sluice({"keys", "import", csv.string(), "--config", config.string()});
    EXPECT_EQ(import.status, 0) << import.errors;
    const auto answer = nlohmann::json::parse(import.out);
    EXPECT_EQ(answer["ids"].size(), 1U);
    EXPECT_EQ(answer["warnings"].size(), 1U);
    EXPECT_NE(answer["warnings"][0].get<std::string>().find("Row "), std::string::npos) << answer;
    EXPECT_EQ(import.out.find("good-key-0123"), std::string::npos);
}

}  // namespace
}  // namespace test
