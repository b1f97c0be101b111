// SPDX-License-Identifier: Apache-2.0
#include "config/substitute.hpp"

#include <gtest/gtest.h>

#include <map>

namespace sluice::config {
namespace {

std::optional<std::string> environment(const std::string& name) {
    static const std::map<std::string, std::string> kValues{
        {"NAME", "value"}, {"EMPTY", ""}, {"NESTED", "${NAME}"}, {"_x1", "under"}};
    const auto found = kValues.find(name);
    if (found == kValues.end()) return {};
    return found->second;
}

struct Case {
    const char* text;
    const char* expected;
    bool changed;
};

TEST(Substitute, ReplacesNamesAndDefaults) {
    const Case cases[] = {
        {"plain", "plain", false},
        {"", "", false},
        {"${NAME}", "value", true},
        {"a${NAME}b${NAME}c", "avaluebvaluec", true},
        {"${_x1}", "under", true},
        {"${EMPTY}", "", true},
        {"${UNSET:-default}", "default", true},
        {"${UNSET:-}", "", true},
        {"${UNSET:-a:-b}", "a:-b", true},
        {"${EMPTY:-default}", "default", true},
        {"${NAME:-default}", "value", true},
        {"${NESTED}", "${NAME}", true},
        {"$${NAME}", "${NAME}", false},
        {"$$${NAME}", "$${NAME}", false},
        {"$NAME $1 {x} $", "$NAME $1 {x} $", false},
        {"${stageVariables.x}", "${stageVariables.x}", false},
        {"http://${stageVariables.x}/${NAME}", "http://${stageVariables.x}/value", true},
    };
    for (const Case& c : cases) {
        const Substituted result = substitute(c.text, environment);
        EXPECT_EQ(result.fault, "") << c.text;
        EXPECT_EQ(result.text, c.expected) << c.text;
        EXPECT_EQ(result.changed, c.changed) << c.text;
    }
}

TEST(Substitute, RefusesWhatItCannotReplaceAndNeverShowsAValue) {
    EXPECT_EQ(substitute("x${UNSET}", environment).fault, "environment variable UNSET is not set");
    for (const char* text : {"${NAME", "${NAME:-", "a${"}) {
        EXPECT_EQ(substitute(text, environment).fault, "a substitution is not closed with \"}\"")
            << text;
    }
    for (const char* text : {"${}", "${1X}", "${NAME:x}", "${a b}", "${:-x}", "${a.b:-c}"}) {
        EXPECT_EQ(substitute(text, environment).fault,
                  "a substitution reads ${NAME} or ${NAME:-default}")
            << text;
    }
    EXPECT_EQ(substitute("${NAME}${UNSET}", environment).fault.find("value"), std::string::npos);
}

}  // namespace
}  // namespace sluice::config
