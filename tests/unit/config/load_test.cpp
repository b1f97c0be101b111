// SPDX-License-Identifier: Apache-2.0
#include "sluice/config/load.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "config/node.hpp"

namespace sluice::config {
namespace {

namespace fs = std::filesystem;

/// A directory that goes away with the test.
class Folder {
public:
    Folder() {
        std::string name = (fs::temp_directory_path() / "sluice-config-XXXXXX").string();
        path_ = ::mkdtemp(name.data());
    }
    ~Folder() { fs::remove_all(path_); }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;

    const fs::path& path() const { return path_; }
    void write(const std::string& name, const std::string& text) const {
        fs::create_directories((path_ / name).parent_path());
        std::ofstream(path_ / name, std::ios::binary) << text;
    }

private:
    fs::path path_;
};

std::string messages(const Loaded& loaded) {
    std::string out;
    for (const Problem& problem : loaded.problems)
        out += to_string(problem) + "\n";
    return out;
}

const std::string kMock = "{ GET: { integration: { type: MOCK } } }";

TEST(Load, ReadsADirectoryInNameOrderAndConcatenatesLists) {
    const Folder folder;
    folder.write("20-b.yml", "restApis: [ { id: b } ]\ncompatibility: aws\n");
    folder.write("10-a.yaml", "restApis: [ { id: a } ]\n");
    folder.write("30-c.json", R"({"restApis": [{"id": "c"}]})");
    folder.write("notes.txt", "restApis: [ { id: d } ]\n");
    folder.write("sub/40-e.yaml", "restApis: [ { id: e } ]\n");
    const Loaded loaded = load(folder.path());
    EXPECT_TRUE(loaded.ok()) << messages(loaded);
    std::string ids;
    for (const RestApi& api : loaded.config.rest_apis)
        ids += api.id;
    EXPECT_EQ(ids, "abc");
    EXPECT_EQ(loaded.config.compatibility, Compatibility::aws);
    EXPECT_EQ(loaded.config.rest_apis[1].where.file, (folder.path() / "20-b.yml").string());
}

TEST(Load, ASecondDefinitionInAnotherFileNamesBothPlaces) {
    const Folder folder;
    folder.write("a.yaml", "server: { workers: 1 }\nrestApis: [ { id: shop } ]\n");
    folder.write("b.yaml", "restApis:\n  - id: shop\nserver: { workers: 2 }\n");
    const std::string a = (folder.path() / "a.yaml").string();
    const std::string b = (folder.path() / "b.yaml").string();
    EXPECT_EQ(messages(load(folder.path())),
              b + ":2:9: restApis: second definition of id \"shop\"; the first is at " + a +
                  ":2:13\n" + b + ":3:9: server: second definition; the first is at " + a +
                  ":1:9\n");
}

TEST(Load, RelativePathsAreRelativeToTheFileThatNamesThem) {
    const Folder folder;
    folder.write("conf/main.yaml",
                 "admin: { tokenFile: ../secrets/token }\n"
                 "state: { path: ./x/../state.db }\n"
                 "server: { log: { file: log.txt } }\n");
    folder.write("secrets/token", "  the-token\n");
    const Loaded loaded = load(folder.path() / "conf");
    ASSERT_TRUE(loaded.ok()) << messages(loaded);
    EXPECT_EQ(loaded.config.admin->token, "the-token");
    EXPECT_EQ(loaded.config.state.path, folder.path() / "conf/state.db");
    EXPECT_EQ(loaded.config.server.log.file, (folder.path() / "conf/log.txt").string());
}

TEST(Load, AFileThatIsNotThereIsAProblemNotAnException) {
    const Folder folder;
    EXPECT_EQ(messages(load(folder.path() / "missing.yaml")),
              (folder.path() / "missing.yaml").string() + ":1:1: cannot read \"" +
                  (folder.path() / "missing.yaml").string() + "\": No such file or directory\n");
    EXPECT_FALSE(load(folder.path()).ok()) << "a directory without files is a mistake";
}

TEST(Load, RefusesWhatIsTooLarge) {
    const Folder folder;
    folder.write("big.yaml", "# " + std::string(kMaxFileBytes, 'x') + "\n");
    EXPECT_NE(messages(load(folder.path() / "big.yaml")).find("is larger than"), std::string::npos);
    EXPECT_FALSE(load_text("# " + std::string(kMaxFileBytes, 'x')).ok());
    std::string many = "a: [";
    for (std::size_t i = 0; i < kMaxNodes; ++i)
        many += "1,";
    EXPECT_NE(messages(load_text(many + "]")).find("more than 4000000 values"), std::string::npos);
}

TEST(Load, HostileNestingIsRefusedQuickly) {
    for (const char* opening : {"[", "{a: ", "- ", "? ", "a:\n "}) {
        std::string text;
        for (int i = 0; i < 20'000; ++i)
            text += opening;
        EXPECT_FALSE(load_text(text).ok()) << opening;
    }
}

TEST(Load, DefaultsFollowThePersonality) {
    const Config standard = load_text("").config;
    EXPECT_EQ(standard.server.limits.header_bytes, 32'768U);
    EXPECT_FALSE(standard.server.pass_headers_with_underscores);
    const Config aws = load_text("compatibility: aws").config;
    EXPECT_EQ(aws.server.limits.header_bytes, 10'240U);
    EXPECT_TRUE(aws.server.pass_headers_with_underscores);
    const Config own = load_text(
                           "compatibility: aws\nserver: { limits: { headerBytes: 64KiB }, "
                           "headersWithUnderscores: drop }")
                           .config;
    EXPECT_EQ(own.server.limits.header_bytes, 65'536U);
    EXPECT_FALSE(own.server.pass_headers_with_underscores);
}

TEST(Load, WithoutListenersThereIsOneNamedPublic) {
    const Config config = load_text("").config;
    ASSERT_EQ(config.listeners.size(), 1U);
    EXPECT_EQ(config.listeners[0].name, "public");
    EXPECT_EQ(config.listeners[0].address, "0.0.0.0");
    EXPECT_EQ(config.listeners[0].port, 8080);
    EXPECT_FALSE(config.admin);
}

TEST(Load, NullIsNotSetAndZeroIsZero) {
    const Config config =
        load_text("restApis: [ { id: a, name: null, resources: { /: " + kMock +
                  " } } ]\n"
                  "stages: [ { restApiId: a, stageName: s, methodSettings: { \"*/*\": "
                  "{ throttlingRateLimit: 0, throttlingBurstLimit: null } } } ]\n"
                  "server: { accountThrottle: { rateLimit: 0 } }\n")
            .config;
    const MethodSettings& settings = config.stages.at(0).method_settings.at("*/*");
    EXPECT_EQ(settings.throttling_rate_limit, 0.0);
    EXPECT_FALSE(settings.throttling_burst_limit);
    EXPECT_FALSE(settings.caching_enabled);
    EXPECT_EQ(config.server.account_throttle->rate_limit, 0.0);
    EXPECT_FALSE(config.server.account_throttle->burst_limit);
    EXPECT_EQ(config.rest_apis.at(0).name, "a");
}

TEST(Load, CacheSizesAreGigabytesOrHaveAUnit) {
    const auto bytes = [](const std::string& size) {
        const Loaded loaded =
            load_text("stages: [ { restApiId: a, stageName: s, cacheClusterSize: " + size + " } ]");
        return loaded.config.stages.at(0).cache_bytes;
    };
    EXPECT_EQ(bytes("\"0.5\""), 536'870'912U);
    EXPECT_EQ(bytes("1.6"), 1'717'986'918U);
    EXPECT_EQ(bytes("237"), 237ULL << 30U);
    EXPECT_EQ(bytes("64MiB"), 64ULL << 20U);
    EXPECT_EQ(bytes("null"), 536'870'912U);
}

TEST(Load, TheEnvironmentIsNeverShown) {
    ::setenv("SLUICE_TEST_SECRET", "hunter2 hunter2", 1);
    const std::string all =
        "compatibility: ${SLUICE_TEST_SECRET}\n"
        "listeners: [ { name: \"${SLUICE_TEST_SECRET}\", address: \"${SLUICE_TEST_SECRET}\", "
        "port: \"${SLUICE_TEST_SECRET}\", tls: \"${SLUICE_TEST_SECRET}\" } ]\n"
        "server: { healthPaths: \"${SLUICE_TEST_SECRET}\", trustedProxies: "
        "[\"${SLUICE_TEST_SECRET}\"], accountThrottle: { rateLimit: \"${SLUICE_TEST_SECRET}\" }, "
        "limits: { bodyBytes: \"${SLUICE_TEST_SECRET}\" } }\n"
        "state: { redis: { url: \"${SLUICE_TEST_SECRET}\" } }\n"
        "restApis: [ { id: \"${SLUICE_TEST_SECRET}\", resources: { /a: { GET: { integration: { "
        "type: HTTP_PROXY, uri: \"${SLUICE_TEST_SECRET}\" } } } } } ]\n"
        "backends: [ { name: \"${SLUICE_TEST_SECRET}\", targets: [ { url: "
        "\"${SLUICE_TEST_SECRET}\" } ] } ]\n"
        "apiKeys: [ { value: \"${SLUICE_TEST_SECRET}\" } ]\n";
    const Loaded loaded = load_text(all);
    EXPECT_GE(loaded.problems.size(), 13U) << messages(loaded);
    EXPECT_EQ(messages(loaded).find("hunter2"), std::string::npos) << messages(loaded);
}

TEST(Load, ASubstitutedLineEndStaysOutOfNames) {
    ::setenv("SLUICE_TEST_LINES", "a\nb", 1);
    EXPECT_FALSE(load_text("restApis: [ { id: a, name: \"${SLUICE_TEST_LINES}\" } ]").ok());
    ::setenv("SLUICE_TEST_BYTES", "a\xff", 1);
    EXPECT_FALSE(load_text("restApis: [ { id: a, description: \"${SLUICE_TEST_BYTES}\" } ]").ok());
}

TEST(Load, KeysOfCsvFilesJoinThoseOfTheFiles) {
    const Folder folder;
    folder.write("main.yaml",
                 "restApis: [ { id: a, resources: { /: " + kMock +
                     " } } ]\n"
                     "stages: [ { restApiId: a, stageName: s } ]\n"
                     "usagePlans: [ { id: gold, apiStages: [ { apiId: a, stage: s } ] } ]\n"
                     "apiKeyFiles: [ keys/k.csv ]\n");
    folder.write("keys/k.csv",
                 "Name,Key,UsagePlanIds\nalice,0123456789abcdefghij,gold\nbob,short,gold\n");
    const Loaded loaded = load(folder.path() / "main.yaml");
    EXPECT_TRUE(loaded.ok());
    ASSERT_EQ(loaded.config.api_keys.size(), 1U);
    EXPECT_EQ(loaded.config.api_keys[0].name, "alice");
    EXPECT_EQ(loaded.config.api_keys[0].where.line, 2);
    EXPECT_EQ(messages(loaded), (folder.path() / "keys/k.csv").string() +
                                    ":3:1: warning: Row 3: key shorter than 20 characters\n");
}

TEST(Load, AKeyWithoutIdGetsTheOneOfItsCsvRow) {
    const Loaded loaded = load_text("apiKeys: [ { value: apikey1234abcdefghij0123456789 } ]");
    EXPECT_EQ(loaded.config.api_keys.at(0).id, "n1c4bxyw8a");
}

TEST(Load, TheDumpIsJsonToo) {
    const Loaded loaded =
        load_text("apiKeys: [ { id: k, value: apikey1234abcdefghij0123456789 } ]");
    const auto json = nlohmann::json::parse(dump_json(loaded.config));
    EXPECT_EQ(json["apiKeys"][0]["value"], "********");
    EXPECT_EQ(json["listeners"][0]["port"], 8080);
}

TEST(Load, TwentyThousandKeysLoadInSeconds) {
    std::string text = "apiKeys:\n";
    for (int i = 0; i < 20'000; ++i) {
        text += "  - { name: k" + std::to_string(i) + ", value: value-0123456789-0123456789-" +
                std::to_string(i) + " }\n";
    }
    EXPECT_EQ(load_text(text).config.api_keys.size(), 20'000U);
}

}  // namespace
}  // namespace sluice::config
