// SPDX-License-Identifier: Apache-2.0
//
// tests/golden/config/*.yaml: what validate says about a bad configuration, and how a good one
// is dumped. SLUICE_UPDATE_GOLDEN=1 rewrites the *.expected files; review the difference.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "sluice/config/load.hpp"

namespace sluice::config {
namespace {

namespace fs = std::filesystem;

const fs::path kFolder = fs::path(SLUICE_SOURCE_DIR) / "tests/golden/config";

std::vector<std::string> case_names() {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(kFolder)) {
        if (entry.path().extension() == ".yaml") names.push_back(entry.path().stem().string());
    }
    std::sort(names.begin(), names.end());
    return names;
}

std::string read(const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    std::ostringstream out;
    out << in.rdbuf();
    return out.str();
}

void replace_all(std::string& text, const std::string& from, const std::string& to) {
    for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
        text.replace(at, from.size(), to);
    }
}

/// The problems, one a line, without the name of the file itself; then the dump of a good one.
std::string outcome(const std::string& name) {
    const fs::path file = kFolder / (name + ".yaml");
    const Loaded loaded = load(file);
    std::string out;
    for (const Problem& problem : loaded.problems) {
        std::string line = to_string(problem);
        if (line.starts_with(file.string() + ":")) line.erase(0, file.string().size() + 1);
        out += line + "\n";
    }
    if (loaded.ok()) out += dump(loaded.config);
    replace_all(out, kFolder.string(), "{here}");
    replace_all(out, fs::current_path().string(), "{cwd}");
    return out;
}

class ConfigGolden : public testing::TestWithParam<std::string> {
protected:
    void SetUp() override {
        ::setenv("SLUICE_TEST_WORD", "word", 1);
        ::setenv("SLUICE_TEST_NUMBER", "8081", 1);
        ::setenv("SLUICE_TEST_EMPTY", "", 1);
        ::unsetenv("SLUICE_TEST_UNSET");
        ::unsetenv("SLUICE_TEST_UNSET_KEY");
    }
};

TEST_P(ConfigGolden, SaysWhatIsExpected) {
    const fs::path expected = kFolder / (GetParam() + ".expected");
    const std::string actual = outcome(GetParam());
    if (std::getenv("SLUICE_UPDATE_GOLDEN") != nullptr) {
        std::ofstream(expected, std::ios::binary) << actual;
    }
    EXPECT_EQ(actual, read(expected));
}

TEST_P(ConfigGolden, IsRefusedExactlyWhenItsNameSaysBad) {
    EXPECT_NE(load(kFolder / (GetParam() + ".yaml")).ok(), GetParam().starts_with("bad-"));
}

TEST_P(ConfigGolden, NeverShowsASecret) {
    const std::string out = outcome(GetParam());
    for (const char* secret : {"hunter2", "top-secret", "0123456789", "short-but-legal"}) {
        EXPECT_EQ(out.find(secret), std::string::npos) << out;
    }
}

TEST_P(ConfigGolden, DumpReadsBackToTheSame) {
    const Loaded loaded = load(kFolder / (GetParam() + ".yaml"));
    if (!loaded.ok()) return;
    Config config = loaded.config;
    config.api_keys.clear();  // their masked values are no values
    if (config.admin) config.admin->token.clear();
    if (config.admin) config.admin->address = "127.0.0.1";
    const std::string once = dump(config);
    const Loaded again = load_text(once);
    for (const Problem& problem : again.problems) {
        EXPECT_EQ(problem.severity, Severity::warning) << to_string(problem) << "\n" << once;
    }
    EXPECT_EQ(dump(again.config), once);
}

std::string test_name(const testing::TestParamInfo<std::string>& info) {
    std::string name = info.param;
    std::replace(name.begin(), name.end(), '-', '_');
    return name;
}

INSTANTIATE_TEST_SUITE_P(Files, ConfigGolden, testing::ValuesIn(case_names()), test_name);

TEST(ConfigGolden, HasFortyFiveBadConfigurations) {
    const auto names = case_names();
    const auto bad = [](const std::string& name) { return name.starts_with("bad-"); };
    EXPECT_GE(std::count_if(names.begin(), names.end(), bad), 45);
}

}  // namespace
}  // namespace sluice::config
