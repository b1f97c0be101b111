// SPDX-License-Identifier: Apache-2.0
#include "telemetry/escape.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <random>

namespace sluice::telemetry {
namespace {

std::string json(std::string_view text) {
    std::string out;
    append_json(out, text);
    return out;
}

std::string xml(std::string_view text) {
    std::string out;
    append_xml(out, text);
    return out;
}

std::string csv(std::string_view text, bool quoted = false) {
    std::string out;
    append_csv(out, text, quoted);
    return out;
}

std::string plain(std::string_view text, std::string_view delimiters) {
    std::string out;
    append_plain(out, text, clean_plain(delimiters));
    return out;
}

std::string random_bytes(std::mt19937& random, std::size_t size) {
    std::string text(size, 'a');
    for (char& c : text) {
        if (random() % 8 == 0) c = static_cast<char>(random());
    }
    return text;
}

TEST(Escape, FindsADirtyByteAtEveryPosition) {
    const CleanBytes clean = clean_plain("|;");
    for (std::size_t size = 1; size < 50; ++size) {
        for (std::size_t at = 0; at < size; ++at) {
            for (int byte = 0; byte < 256; ++byte) {
                std::string text(size, 'x');
                text[at] = static_cast<char>(byte);
                const bool expected =
                    byte >= 0x20 && byte <= 0x7E &&
                    std::string_view("\"\\|;").find(text[at]) == std::string_view::npos;
                ASSERT_EQ(is_clean(text, clean), expected) << size << ' ' << at << ' ' << byte;
            }
        }
    }
    EXPECT_TRUE(is_clean("", clean));
}

TEST(Escape, MakesJsonThatReadsBackAsSent) {
    EXPECT_EQ(json("plain"), "plain");
    EXPECT_EQ(json("a\"b\\c\n\t\r\b\f\x01\x7F"), R"(a\"b\\c\n\t\r\b\f\u0001\u007F)");
    EXPECT_EQ(json("\xC3\xA9\xE2\x80\xA8\xC2\x85"), "\xC3\xA9\\u2028\\u0085");
    EXPECT_EQ(json("\xFF\xC3"), R"(\u00FF\u00C3)");
    EXPECT_EQ(json(std::string_view("\0", 1)), R"(\u0000)");
    std::mt19937 random(1);
    for (std::size_t size = 0; size < 2000; ++size) {
        const std::string escaped = '"' + json(random_bytes(random, size % 100)) + '"';
        ASSERT_TRUE(nlohmann::json::accept(escaped)) << escaped;
        for (const char c : escaped)
            ASSERT_GE(static_cast<unsigned char>(c), 0x20);
    }
    const std::string text = "\"\\/\b\f\n\r\t\x7F\xE2\x82\xAC\xF0\x9F\x98\x80";
    EXPECT_EQ(nlohmann::json::parse('"' + json(text) + '"').get<std::string>(), text);
}

TEST(Escape, MakesXmlThatHoldsOnlyWhatXmlCan) {
    EXPECT_EQ(xml("</ip><a b=\"c\" d='e'>&"),
              "&lt;/ip&gt;&lt;a b=&quot;c&quot; d=&apos;e&apos;&gt;&amp;");
    EXPECT_EQ(xml("\n\r\t"), "&#x0A;&#x0D;&#x09;");
    EXPECT_EQ(xml("\x01\x1F"), "&#xFFFD;&#xFFFD;");
    EXPECT_EQ(xml("\xC3\xA9\xFF\xE2\x80\xA8"), "\xC3\xA9&#xFF;&#x2028;");
    EXPECT_EQ(xml("\xEF\xBF\xBF"), "&#xFFFD;");
}

TEST(Escape, QuotesCsvFieldsThatNeedIt) {
    EXPECT_EQ(csv("plain text"), "plain text");
    EXPECT_EQ(csv("a,b"), "\"a,b\"");
    EXPECT_EQ(csv("a\"b"), "\"a\"\"b\"");
    EXPECT_EQ(csv("a\r\nb"), "\"a\\x0D\\x0Ab\"");
    EXPECT_EQ(csv("a\\b\x01"), "a\\x5Cb\\x01");
    EXPECT_EQ(csv("=1+1"), "=1+1");
    EXPECT_EQ(csv("\xC3\xA9\xFF\xC2\x85"), "\xC3\xA9\\xFF\\xC2\\x85");
    EXPECT_EQ(csv("a\",b", true), "a\"\",b");
}

TEST(Escape, WritesPlainTextAsNginxDoes) {
    EXPECT_EQ(plain("a b", ""), "a b");
    EXPECT_EQ(plain("a b|c", "| "), "a\\x20b\\x7Cc");
    EXPECT_EQ(plain("\"\\\n\xC3\xA9\x7F", ""), "\\x22\\x5C\\x0A\\xC3\\xA9\\x7F");
}

TEST(Escape, LeavesTextForPeopleReadable) {
    std::string out;
    append_text(out, "a \"b\" \\ \xC3\xA9\n\x1B[31m\xFF\xC2\x9B");
    EXPECT_EQ(out, "a \"b\" \\ \xC3\xA9\\x0A\\x1B[31m\\xFF\\xC2\\x9B");
}

}  // namespace
}  // namespace sluice::telemetry
