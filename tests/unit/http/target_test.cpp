// SPDX-License-Identifier: Apache-2.0
//
// Normalised targets (contract 9, robustness 1.9) in both personalities.
#include "sluice/http/target.hpp"

#include <gtest/gtest.h>

#include <cctype>
#include <iterator>
#include <ostream>
#include <random>
#include <string>
#include <vector>

#include "fuzz/naive_target.hpp"

namespace sluice::http {
namespace {

using namespace std::string_literals;
using config::Compatibility;

struct Case {
    std::string rule;
    std::string sent;
    /// The path wanted, or "!" and the reason why it is refused.
    std::string standard;
    std::string aws;
};
void PrintTo(const Case& c, std::ostream* out) {
    *out << c.rule << ": " << testing::PrintToString(c.sent);
}

std::string path_or_reason(const std::string& sent, Compatibility how) {
    std::string scratch;
    const NormalTarget result = normalise(sent, how, scratch);
    return result.ok ? std::string{result.path} : "!" + std::string{result.reason};
}

class Target : public testing::TestWithParam<Case> {};

TEST_P(Target, IsNormalised) {
    EXPECT_EQ(path_or_reason(GetParam().sent, Compatibility::standard), GetParam().standard);
    EXPECT_EQ(path_or_reason(GetParam().sent, Compatibility::aws), GetParam().aws);
}

std::string case_name(const testing::TestParamInfo<Case>& info) {
    std::string name;
    for (const char c : info.param.rule) {
        name += std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_';
    }
    return name + "_" + std::to_string(info.index);
}

/// The same in both personalities.
Case both(const std::string& rule, const std::string& sent, const std::string& wanted) {
    return {rule, sent, wanted, wanted};
}
Case kept(const std::string& rule, const std::string& sent) { return both(rule, sent, sent); }

INSTANTIATE_TEST_SUITE_P(Kept, Target,
                         testing::ValuesIn(std::vector<Case>{
                             kept("root", "/"),
                             kept("plain", "/prod/pets/17"),
                             kept("trailing slash", "/pets/"),
                             kept("case", "/Pets"),
                             kept("unreserved", "/-._~aZ0"),
                             kept("sub delims", "/!$&'()*+,;=:@"),
                             kept("odd but allowed", "/\"<>[]^`{|}"),
                             kept("multi dots are names", "/.../..../....."),
                             kept("dots in names", "/a.b/.hidden/x./..x/x.."),
                             kept("star", "*"),
                             kept("reserved escapes", "/a%3Fb%23c%25d%3Be%26f%3D"),
                             kept("case of escapes", "/a%3fb%3F"),
                             kept("space", "/a%20b"),
                             kept("plus", "/a+b%2B"),
                             kept("utf8, two bytes", "/caf%C3%A9"),
                             kept("utf8, three bytes", "/%E2%82%AC"),
                             kept("utf8, four bytes", "/%F0%9F%98%80"),
                             kept("utf8, last code point", "/%F4%8F%BF%BF"),
                             kept("utf8, before surrogates", "/%ED%9F%BF"),
                             kept("slash inside", "/a%2Fb"),
                             kept("slash inside, lower case", "/a%2fb/c"),
                             kept("two slashes inside", "/a%2Fb%2Fc"),
                             kept("slash doubly encoded", "/a%252Fb"),
                             kept("url doubly encoded", "/http%253A%252F%252Fhost%252Fx"),
                             kept("percent is data", "/100%25"),
                             kept("percent is data", "/5%25ad"),
                             kept("percent is data", "/%2525"),
                             kept("percent is data", "/a%2520b"),
                             kept("multi dots encoded twice", "/%252e%252e%252e"),
                             kept("parameters", "/a;x=1/b;y"),
                             kept("parameters behind dots in a name", "/a..;x"),
                             kept("multi dots with parameters", "/...;x"),
                             kept("matrix parameters", "/a;x=1;y=2"),
                         }),
                         case_name);

INSTANTIATE_TEST_SUITE_P(Changed, Target,
                         testing::ValuesIn(std::vector<Case>{
                             {"slashes merged", "//a", "/a", "//a"},
                             {"slashes merged", "/a//b", "/a/b", "/a//b"},
                             {"slashes merged", "/a///b////c", "/a/b/c", "/a///b////c"},
                             {"slashes merged", "//", "/", "//"},
                             {"slashes merged", "/a//", "/a/", "/a//"},
                             {"slashes merged at the end", "/a/////", "/a/", "/a/////"},
                             {"letter decoded", "/%61dmin", "/admin", "/%61dmin"},
                             {"letters decoded", "/%41%5A%61%7a", "/AZaz", "/%41%5A%61%7a"},
                             {"digits decoded", "/%30%39", "/09", "/%30%39"},
                             {"marks decoded", "/a%2Db%2e%5F%7E", "/a-b._~", "/a%2Db%2e%5F%7E"},
                             {"dots in a name decoded", "/a%2e%2eb", "/a..b", "/a%2e%2eb"},
                             {"multi dots decoded", "/%2e%2e%2e", "/...", "/%2e%2e%2e"},
                             {"neighbours stay", "/%61%20%62%2F%63", "/a%20b%2Fc",
                              "/%61%20%62%2F%63"},
                             {"decoded once only", "/%25%36%31", "/%2561", "/%25%36%31"},
                             {"decoded digits make no escape", "/%2541%42", "/%2541B", "/%2541%42"},
                             {"both at once", "//%61//b", "/a/b", "//%61//b"},
                             {"with utf8", "/%63af%C3%A9", "/caf%C3%A9", "/%63af%C3%A9"},
                             {"with parameters", "/%61;x", "/a;x", "/%61;x"},
                         }),
                         case_name);

INSTANTIATE_TEST_SUITE_P(
    DotSegments, Target,
    testing::ValuesIn(std::vector<Case>{
        both("plain", "/.", "!dot_segment"),
        both("plain", "/..", "!dot_segment"),
        both("plain", "/a/./b", "!dot_segment"),
        both("plain", "/a/../b", "!dot_segment"),
        both("plain at the end", "/a/..", "!dot_segment"),
        both("plain with slash", "/a/./", "!dot_segment"),
        both("behind two slashes", "/a//../b", "!dot_segment"),
        both("encoded", "/%2e", "!dot_segment"),
        both("encoded", "/%2E%2E/x", "!dot_segment"),
        both("half encoded", "/.%2e/x", "!dot_segment"),
        both("half encoded", "/%2e./x", "!dot_segment"),
        both("twice", "/%252e%252e/x", "!dot_segment"),
        both("twice, one dot", "/a/%252e/x", "!dot_segment"),
        both("twice, half", "/.%252e/x", "!dot_segment"),
        both("three times", "/%25252e%25252e", "!dot_segment"),
        both("six times", "/%25252525252e%2e", "!dot_segment"),
        both("digits encoded", "/%25%32%65%25%32%65", "!dot_segment"),
        both("one digit encoded", "/%252%65.", "!dot_segment"),
        both("mixed depths", "/%2e%252e", "!dot_segment"),
        both("with parameter", "/..;x/b", "!dot_segment"),
        both("with empty parameter", "/..;/b", "!dot_segment"),
        both("one dot with parameter", "/.;x", "!dot_segment"),
        both("encoded with parameter", "/%2e%2e;x", "!dot_segment"),
        both("with encoded parameter", "/..%3Bx", "!dot_segment"),
        both("twice with parameter", "/%252e%252e%253bx", "!dot_segment"),
        {"before encoded slash", "/..%2Fb", "!dot_segment", "/..%2Fb"},
        {"behind encoded slash", "/a%2F..", "!dot_segment", "/a%2F.."},
        {"between encoded slashes", "/a%2f.%2fb", "!dot_segment", "/a%2f.%2fb"},
        {"encoded between encoded slashes", "/a%2f%2e%2e%2fb", "!dot_segment", "/a%2f%2e%2e%2fb"},
        {"all twice", "/a%252f%252e%252e%252fb", "!dot_segment", "/a%252f%252e%252e%252fb"},
        {"parameter before encoded slash", "/..;x%2Fb", "!dot_segment", "!dot_segment"},
    }),
    case_name);

INSTANTIATE_TEST_SUITE_P(
    EmptySegments, Target,
    testing::ValuesIn(std::vector<Case>{
        {"encoded slash first", "/%2Fa", "!empty_segment", "/%2Fa"},
        {"encoded slash last", "/a%2F", "!empty_segment", "/a%2F"},
        {"encoded slash before slash", "/a%2F/b", "!empty_segment", "/a%2F/b"},
        {"encoded slash alone", "/%2f", "!empty_segment", "/%2f"},
        {"two encoded slashes", "/a%2F%2fb", "!empty_segment", "/a%2F%2fb"},
        {"url encoded once", "/http%3A%2F%2Fhost", "!empty_segment", "/http%3A%2F%2Fhost"},
        {"parameters only", "/;x/admin", "!empty_segment", "/;x/admin"},
        {"semicolon only", "/;", "!empty_segment", "/;"},
        {"parameters between encoded slashes", "/a%2F;x%2Fb", "!empty_segment", "/a%2F;x%2Fb"},
    }),
    case_name);

INSTANTIATE_TEST_SUITE_P(Bytes, Target,
                         testing::ValuesIn(std::vector<Case>{
                             both("raw backslash", "/a\\b", "!backslash"),
                             both("encoded backslash", "/a%5cb", "!encoded_backslash"),
                             both("encoded backslash, upper case", "/a%5Cb", "!encoded_backslash"),
                             both("backslash twice", "/a%255cb", "!encoded_backslash"),
                             both("backslash three times", "/a%25255cb", "!encoded_backslash"),
                             both("backslash by digits", "/a%25%35%63", "!encoded_backslash"),
                             both("backslash behind dots", "/..%5c..%5cx", "!encoded_backslash"),
                             both("nul", "/a%00", "!encoded_nul"),
                             both("nul twice", "/a%2500", "!encoded_nul"),
                             both("nul before extension", "/a%00.png", "!encoded_nul"),
                             both("line feed", "/a%0ab", "!encoded_control"),
                             both("carriage return", "/a%0Db", "!encoded_control"),
                             both("crlf twice", "/a%250d%250a", "!encoded_control"),
                             both("tab", "/a%09", "!encoded_control"),
                             both("del", "/a%7f", "!encoded_control"),
                             both("escape", "/a%1b", "!encoded_control"),
                             both("raw nul", "/a\0b"s, "!forbidden_byte"),
                             both("raw control", "/a\x01", "!forbidden_byte"),
                             both("raw space", "/a b", "!forbidden_byte"),
                             both("raw hash", "/a#b", "!forbidden_byte"),
                             both("raw high byte", "/a\xc3\xa9", "!forbidden_byte"),
                             both("raw del", "/a\x7f", "!forbidden_byte"),
                             both("lone percent", "/a%", "!bad_escape"),
                             both("one digit", "/a%4", "!bad_escape"),
                             both("digit missing before slash", "/a%4/b", "!bad_escape"),
                             both("not hex", "/a%zz", "!bad_escape"),
                             both("percent u", "/a%u002e", "!bad_escape"),
                             both("empty", "", "!not_origin_form"),
                             both("relative", "a/b", "!not_origin_form"),
                             both("query only", "?a", "!not_origin_form"),
                             both("absolute", "http://a/b", "!not_origin_form"),
                             both("star and more", "*/a", "!not_origin_form"),
                             both("star with query", "*?a", "!not_origin_form"),
                         }),
                         case_name);

INSTANTIATE_TEST_SUITE_P(Utf8, Target,
                         testing::ValuesIn(std::vector<Case>{
                             both("overlong slash", "/%c0%af", "!bad_utf8"),
                             both("overlong dot", "/%c0%ae%c0%ae/", "!bad_utf8"),
                             both("overlong nul", "/%C0%80", "!bad_utf8"),
                             both("overlong, three bytes", "/%e0%80%af", "!bad_utf8"),
                             both("overlong, three bytes, edge", "/%E0%9F%BF", "!bad_utf8"),
                             both("overlong, four bytes", "/%f0%80%80%af", "!bad_utf8"),
                             both("overlong, four bytes, edge", "/%F0%8F%BF%BF", "!bad_utf8"),
                             both("c1", "/%c1%9c", "!bad_utf8"),
                             both("surrogate", "/%ED%A0%80", "!bad_utf8"),
                             both("low surrogate", "/%ED%BF%BF", "!bad_utf8"),
                             both("too high", "/%F4%90%80%80", "!bad_utf8"),
                             both("five bytes", "/%F8%88%80%80%80", "!bad_utf8"),
                             both("fe", "/%FE", "!bad_utf8"),
                             both("ff", "/%ff", "!bad_utf8"),
                             both("lone continuation", "/%80", "!bad_utf8"),
                             both("latin1", "/caf%E9", "!bad_utf8"),
                             both("cut by text", "/%E2%82x", "!bad_utf8"),
                             both("cut by slash", "/%C3/%A9", "!bad_utf8"),
                             both("cut by escape", "/%C3%41", "!bad_utf8"),
                             both("cut by end", "/%F0%9F%98", "!bad_utf8"),
                             both("two starts", "/%C3%C3%A9", "!bad_utf8"),
                             both("overlong dot twice", "/%25c0%25ae", "!bad_utf8"),
                             both("overlong slash twice", "/%25e0%2580%25af", "!bad_utf8"),
                             both("overlong twice, four bytes", "/%25f0%2580%2580%25ae",
                                  "!bad_utf8"),
                             both("start of overlong only is data", "/%25c0%2541", "/%25c0%2541"),
                             kept("start of overlong only is data", "/%25e0%2580%2541"),
                             kept("start of overlong only is data", "/%25f0%2580%2580%2541"),
                         }),
                         case_name);

TEST(NormalTarget, LeavesTheQueryAlone) {
    std::string scratch;
    for (const auto how : {Compatibility::standard, Compatibility::aws}) {
        const NormalTarget result = normalise("/a?x=%2e%2e/../%5c//?%c0%ae&%61;y", how, scratch);
        ASSERT_TRUE(result.ok);
        EXPECT_EQ(result.path, "/a");
        EXPECT_TRUE(result.has_query);
        EXPECT_EQ(result.query, "x=%2e%2e/../%5c//?%c0%ae&%61;y");
    }
}

TEST(NormalTarget, TellsAnEmptyQueryFromNone) {
    std::string scratch;
    const NormalTarget empty = normalise("/a?", Compatibility::standard, scratch);
    EXPECT_TRUE(empty.ok);
    EXPECT_TRUE(empty.has_query);
    EXPECT_EQ(empty.query, "");
    const NormalTarget none = normalise("/a", Compatibility::standard, scratch);
    EXPECT_FALSE(none.has_query);
}

TEST(NormalTarget, ViewsTheInputWhenNothingChanges) {
    const std::string sent = "/a%20b/c%2Fd;e?f";
    std::string scratch;
    const std::size_t capacity = scratch.capacity();
    const NormalTarget result = normalise(sent, Compatibility::standard, scratch);
    ASSERT_TRUE(result.ok);
    EXPECT_EQ(result.path.data(), sent.data());
    EXPECT_EQ(result.query.data(), sent.data() + sent.find('?') + 1);
    EXPECT_TRUE(scratch.empty());
    EXPECT_EQ(scratch.capacity(), capacity);
}

TEST(NormalTarget, ViewsTheScratchWhenSomethingChanges) {
    std::string scratch = "left from before";
    const NormalTarget result = normalise("/%61//b?c", Compatibility::standard, scratch);
    ASSERT_TRUE(result.ok);
    EXPECT_EQ(result.path.data(), scratch.data());
    EXPECT_EQ(result.path, "/a/b");
    EXPECT_EQ(result.query, "c");
}

TEST(NormalTarget, CostsNoMoreThanALinearPassForDeeplyNestedEscapes) {
    // 5000 levels; resolving them level by level would take 25 million steps each.
    std::string sent = "/%";
    for (int i = 0; i < 5000; ++i)
        sent += "25";
    std::string scratch;
    for (int i = 0; i < 200; ++i) {
        EXPECT_EQ(normalise(sent + "2e", Compatibility::standard, scratch).reason, "dot_segment");
        EXPECT_TRUE(normalise(sent + "20", Compatibility::standard, scratch).ok);
    }
}

/// Most paths are decided by one look and never reach the checks of each segment. A segment that
/// starts with a dot sends any path there: with one in front, the verdict has to be the same.
TEST(NormalTarget, IsTheSameWithoutTheQuickLook) {
    constexpr std::string_view kPieces[] = {"/", ".", "..", "a", ";", "%2e", "%61", "?", " ", "\\"};
    constexpr std::size_t kRounds = 10 * 10 * 10 * 10 * 10;
    for (std::size_t n = 0; n < kRounds; ++n) {
        std::string sent = "/";
        for (std::size_t rest = n; rest > 0; rest /= std::size(kPieces))
            sent += kPieces[rest % std::size(kPieces)];
        for (const auto how : {Compatibility::standard, Compatibility::aws}) {
            std::string scratch;
            std::string careful_scratch;
            const NormalTarget quick = normalise(sent, how, scratch);
            const std::string longer = "/.x" + sent;
            const NormalTarget careful = normalise(longer, how, careful_scratch);
            ASSERT_EQ(quick.ok, careful.ok) << sent;
            ASSERT_EQ(quick.reason, careful.reason) << sent;
            const std::string path = quick.ok ? "/.x" + std::string{quick.path} : "";
            ASSERT_EQ(path, careful.path) << sent;
            ASSERT_EQ(quick.query, careful.query) << sent;
            ASSERT_EQ(quick.has_query, careful.has_query) << sent;
        }
    }
}

/// Random pieces of trouble: what passes shows nothing bad at any depth, and stays as it is.
TEST(NormalTarget, ShowsNothingBadHoweverOftenItIsDecoded) {
    const std::vector<std::string> pieces{"/",   ".",   "%2e", "%2F",    "%25", "2e", "2f", "%5c",
                                          "a",   "%61", ";",   "%3b",    "5c",  "00", "%",  "%32",
                                          "%65", "e",   "2",   "%C3%A9", "25",  "//", "%0"};
    std::mt19937 random{5};
    int accepted = 0;
    for (int round = 0; round < 50'000; ++round) {
        std::string sent = "/";
        for (auto n = random() % 8; n > 0; --n)
            sent += pieces[random() % pieces.size()];
        for (const auto how : {Compatibility::standard, Compatibility::aws}) {
            std::string scratch;
            const NormalTarget result = normalise(sent, how, scratch);
            const auto seen = fuzz::look_at_every_depth(sent, how == Compatibility::standard);
            if (!result.ok) continue;
            ++accepted;
            ASSERT_FALSE(seen.dot_segment || seen.control || seen.backslash) << sent;
            std::string again_scratch;
            const std::string path{result.path};
            const NormalTarget again = normalise(path, how, again_scratch);
            ASSERT_TRUE(again.ok) << sent;
            ASSERT_EQ(again.path, path) << sent;
        }
    }
    EXPECT_GT(accepted, 10'000);
}

}  // namespace
}  // namespace sluice::http
