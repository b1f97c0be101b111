// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "sluice/config/load.hpp"

namespace sluice::config {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

const fs::path kRoot = SLUICE_SOURCE_DIR;

std::string read(const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    std::ostringstream out;
    out << in.rdbuf();
    return out.str();
}

const Json& parsed_schema() {
    static const Json schema_json = Json::parse(schema());
    return schema_json;
}

/// Follows $ref and the alternatives of anyOf to everything a place may be.
void collect(const Json& place, std::vector<const Json*>& out) {
    if (place.contains("$ref")) {
        const std::string name = place["$ref"].get<std::string>().substr(14);
        return collect(parsed_schema()["definitions"][name], out);
    }
    if (place.contains("anyOf")) {
        for (const Json& choice : place["anyOf"])
            collect(choice, out);
        return;
    }
    out.push_back(&place);
}

/// Whether the schema has a place for every key of a document.
void expect_known(const Json& document, const Json& place, const std::string& path) {
    std::vector<const Json*> choices;
    collect(place, choices);
    if (document.is_array()) {
        for (const Json* choice : choices) {
            if (!choice->contains("items")) continue;
            for (const Json& item : document)
                expect_known(item, (*choice)["items"], path + "[]");
        }
        return;
    }
    if (!document.is_object()) return;
    for (const auto& [key, value] : document.items()) {
        bool known = false;
        for (const Json* choice : choices) {
            if (choice->contains("properties") && (*choice)["properties"].contains(key)) {
                known = true;
                expect_known(value, (*choice)["properties"][key], path + "." + key);
            } else if (choice->contains("additionalProperties") &&
                       (*choice)["additionalProperties"].is_object()) {
                known = true;
                expect_known(value, (*choice)["additionalProperties"], path + "." + key);
            }
        }
        EXPECT_TRUE(known) << path << "." << key;
    }
}

/// A document in which an object of that definition has just this key.
std::string with_one_key(const std::string& definition, const std::string& key) {
    static const std::map<std::string, std::string> kAround{
        {"Listener", "listeners: [ { @ } ]"},
        {"ListenerTls", "listeners: [ { tls: { @ } } ]"},
        {"Certificate", "listeners: [ { tls: { certificates: [ { @ } ] } } ]"},
        {"Admin", "admin: { @ }"},
        {"Server", "server: { @ }"},
        {"Throttle", "server: { accountThrottle: { @ } }"},
        {"Limits", "server: { limits: { @ } }"},
        {"Timeouts", "server: { timeouts: { @ } }"},
        {"Metrics", "server: { metrics: { @ } }"},
        {"Log", "server: { log: { @ } }"},
        {"State", "state: { @ }"},
        {"Redis", "state: { redis: { @ } }"},
        {"RestApi", "restApis: [ { @ } ]"},
        {"Resource", "restApis: [ { resources: { /a: { @ } } } ]"},
        {"Method", "restApis: [ { resources: { /a: { GET: { @ } } } } ]"},
        {"Integration", "restApis: [ { resources: { /a: { GET: { integration: { @ } } } } } ]"},
        {"Stage", "stages: [ { @ } ]"},
        {"MethodSettings", "stages: [ { methodSettings: { \"*/*\": { @ } } } ]"},
        {"AccessLogSettings", "stages: [ { accessLogSettings: { @ } } ]"},
        {"UsagePlan", "usagePlans: [ { @ } ]"},
        {"PlanStage", "usagePlans: [ { apiStages: [ { @ } ] } ]"},
        {"Quota", "usagePlans: [ { quota: { @ } } ]"},
        {"SourceIpPrefix", "usagePlans: [ { sourceIpPrefix: { @ } } ]"},
        {"ApiKey", "apiKeys: [ { @ } ]"},
        {"DomainName", "domainNames: [ { @ } ]"},
        {"BasePathMapping", "domainNames: [ { basePathMappings: [ { @ } ] } ]"},
        {"Backend", "backends: [ { @ } ]"},
        {"Target", "backends: [ { targets: [ { @ } ] } ]"},
        {"BackendTls", "backends: [ { tls: { @ } } ]"}};
    const auto around = kAround.find(definition);
    if (around == kAround.end()) return "";
    std::string text = around->second;
    return text.replace(text.find('@'), 1, key + ": null");
}

bool says_unknown_key(const std::string& yaml) {
    for (const Problem& problem : load_text(yaml).problems) {
        if (problem.message.find("unknown key") != std::string::npos) return true;
    }
    return false;
}

TEST(Schema, IsTheOneThatShips) {
    const fs::path file = kRoot / "config/schema.json";
    if (std::getenv("SLUICE_UPDATE_GOLDEN") != nullptr) {
        std::ofstream(file, std::ios::binary) << schema();
    }
    EXPECT_EQ(read(file), schema());
}

TEST(Schema, IsClosedAndHasNoDanglingReference) {
    const Json& root = parsed_schema();
    EXPECT_EQ(root["$schema"], "http://json-schema.org/draft-07/schema#");
    EXPECT_FALSE(root["additionalProperties"].get<bool>());
    for (const auto& [name, definition] : root["definitions"].items()) {
        if (name != "substitution") {
            EXPECT_EQ(definition["additionalProperties"], false) << name;
            EXPECT_FALSE(definition["properties"].empty()) << name;
        }
    }
    const std::string text = schema();
    const std::string mark = "#/definitions/";
    for (auto at = text.find(mark); at != std::string::npos; at = text.find(mark, at + 1)) {
        const auto start = at + mark.size();
        const std::string name = text.substr(start, text.find('"', start) - start);
        EXPECT_TRUE(root["definitions"].contains(name)) << name;
    }
}

TEST(Schema, EveryKeyOfItIsAcceptedByTheReader) {
    for (const auto& [key, place] : parsed_schema()["properties"].items()) {
        EXPECT_FALSE(says_unknown_key(key + ": null")) << key;
    }
    for (const auto& [name, definition] : parsed_schema()["definitions"].items()) {
        if (name == "substitution") continue;
        for (const auto& [key, place] : definition["properties"].items()) {
            const std::string yaml = with_one_key(name, key);
            ASSERT_FALSE(yaml.empty()) << "where does " << name << " stand?";
            EXPECT_FALSE(says_unknown_key(yaml)) << name << "." << key;
        }
        EXPECT_TRUE(says_unknown_key(with_one_key(name, "noSuchKey"))) << name;
    }
}

TEST(Schema, HasAPlaceForEveryKeyOfEveryGoodConfiguration) {
    for (const auto& entry : fs::directory_iterator(kRoot / "tests/golden/config")) {
        if (entry.path().extension() != ".yaml") continue;
        const Loaded loaded = load(entry.path());
        if (!loaded.ok()) continue;
        expect_known(Json::parse(dump_json(loaded.config)), parsed_schema(),
                     entry.path().filename().string());
    }
}

TEST(Schema, RequiresWhatTheReaderRequires) {
    for (const auto& [name, definition] : parsed_schema()["definitions"].items()) {
        if (!definition.contains("required")) continue;
        for (const Json& key : definition["required"]) {
            const std::string wanted = key.get<std::string>() + ": is required";
            bool found = false;
            for (const Problem& p : load_text(with_one_key(name, "noSuchKey")).problems) {
                found = found || p.message.find("." + wanted) != std::string::npos;
            }
            EXPECT_TRUE(found) << name << " " << wanted;
        }
    }
}

TEST(Reference, NamesEveryKeyOfTheSchema) {
    const std::string text = reference_markdown();
    for (const auto& [name, definition] : parsed_schema()["definitions"].items()) {
        if (name == "substitution") continue;
        EXPECT_NE(text.find("## " + name + "\n"), std::string::npos) << name;
        for (const auto& [key, place] : definition["properties"].items()) {
            EXPECT_NE(text.find("`" + key + "`"), std::string::npos) << name << "." << key;
        }
    }
}

TEST(Reference, TellsDefaultsRangesAndWhatIsNotThereYet) {
    const std::string text = reference_markdown();
    EXPECT_NE(text.find("| `timeoutInMillis` | integer, 50 to 900000 | `29000` |"),
              std::string::npos);
    EXPECT_NE(text.find("| `certificateFile` | text | **required** |"), std::string::npos);
    EXPECT_NE(text.find("Not supported yet, and refused unless empty or off: `http2`"),
              std::string::npos);
}

TEST(Examples, AllLoadWithoutAProblem) {
    ::setenv("ALICE_KEY", "alice-0123456789-abcdefghij", 1);
    ::setenv("BOB_KEY", "bob-0123456789-abcdefghijkl", 1);
    int count = 0;
    for (const auto& entry : fs::directory_iterator(kRoot / "config/examples")) {
        if (entry.path().extension() != ".yaml") continue;
        ++count;
        const Loaded loaded = load(entry.path());
        for (const Problem& problem : loaded.problems)
            ADD_FAILURE() << to_string(problem);
        const std::string first = "# yaml-language-server: $schema=../schema.json\n";
        EXPECT_TRUE(read(entry.path()).starts_with(first)) << entry.path();
    }
    EXPECT_GE(count, 4);
}

}  // namespace
}  // namespace sluice::config
