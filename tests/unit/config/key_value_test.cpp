// SPDX-License-Identifier: Apache-2.0
#include "config/key_value.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <map>
#include <set>

namespace sluice::config {
namespace {

TEST(KeyValue, IsFortyLettersAndDigitsAndNeverTheSame) {
    std::set<std::string> seen;
    for (int i = 0; i < 1000; ++i) {
        const std::string value = generate_key_value();
        EXPECT_EQ(value.size(), 40U);
        EXPECT_TRUE(std::all_of(value.begin(), value.end(), [](unsigned char c) {
            return std::isalnum(c) != 0;
        })) << value;
        EXPECT_TRUE(is_key_value(value));
        EXPECT_TRUE(seen.insert(value).second);
    }
}

TEST(KeyValue, UsesEveryLetterEquallyOften) {
    std::map<char, int> count;
    constexpr int kValues = 5000;  // 200,000 letters: 3,226 of each, standard deviation 56
    for (int i = 0; i < kValues; ++i) {
        for (const char c : generate_key_value())
            ++count[c];
    }
    EXPECT_EQ(count.size(), 62U);
    for (const auto& [letter, times] : count) {
        // Seven deviations. Without rejection the first eight letters would come 3,906 times.
        EXPECT_NEAR(times, kValues * 40 / 62, 400) << letter;
    }
}

TEST(KeyId, IsDerivedFromTheValueOnly) {
    const std::string id = key_id("apikey1234abcdefghij0123456789");
    EXPECT_EQ(id.size(), 10U);
    EXPECT_EQ(id, key_id("apikey1234abcdefghij0123456789"));
    EXPECT_NE(id, key_id("apikey1234abcdefghij0123456788"));
    EXPECT_EQ(id.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789"), std::string::npos);
    // Counters of quotas hang on it: it must never change between versions.
    EXPECT_EQ(id, "n1c4bxyw8a");
}

TEST(KeyValue, AllowsPrintableAsciiWithoutBlankCommaAndQuotes) {
    EXPECT_TRUE(is_key_value("aZ09-_!#$%&()*+./:;<=>?@[]^`{|}~"));
    for (const char* bad : {"a b", "a,b", "a\"b", "a'b", "a\tb", "a\x7f", "\xC3\xA9"}) {
        EXPECT_FALSE(is_key_value(bad)) << bad;
    }
}

}  // namespace
}  // namespace sluice::config
