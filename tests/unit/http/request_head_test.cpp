// SPDX-License-Identifier: Apache-2.0
//
// What holds for request heads in general: limits (robustness 2), every byte everywhere, and that
// reading agrees with a naive reader and does not depend on how the bytes arrive.
#include <cstdint>
#include <random>
#include <utility>
#include <vector>

#include "http/strict.hpp"
#include "unit/http/head_cases.hpp"

namespace sluice::http {
namespace {

using State = HeadResult::State;

constexpr std::string_view kTokenPunctuation = "!#$%&'*+-.^_`|~";

bool is_alnum(int c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool is_token_byte(int c) {
    return is_alnum(c) || (c > 0 && c < 0x80 &&
                           kTokenPunctuation.find(static_cast<char>(c)) != std::string_view::npos);
}

std::string read(const std::string& bytes, const HeadLimits& limits = {}) {
    RequestHead head;
    return outcome(read_request_head(bytes, limits, head));
}

std::string fields(std::size_t count) {
    std::string text;
    for (std::size_t i = 0; i < count; ++i)
        text += "A: b\r\n";
    return text;
}

TEST(RequestHead, TakesExactlyTheTokenBytesInAMethod) {
    for (int c = 0; c < 256; ++c) {
        const std::string bytes =
            "G" + std::string(1, static_cast<char>(c)) + "T / HTTP/1.1\r\nHost: a\r\n\r\n";
        if (c == ' ') continue;  // ends the method
        EXPECT_EQ(read(bytes), is_token_byte(c) ? "ok" : "400 bad_method") << c;
    }
}

TEST(RequestHead, TakesExactlyTheTokenBytesInAName) {
    for (int c = 0; c < 256; ++c) {
        if (c == ':') continue;  // ends the name
        const std::string bytes = "GET / HTTP/1.1\r\nHost: a\r\nA" +
                                  std::string(1, static_cast<char>(c)) + "b: c\r\n\r\n";
        EXPECT_EQ(read(bytes) == "ok", is_token_byte(c)) << c;
    }
}

TEST(RequestHead, TakesNoControlByteButTabInAValueAtAnyPosition) {
    for (std::size_t at = 0; at < 20; ++at) {
        for (int c = 0; c < 256; ++c) {
            std::string value(20, 'v');
            value[at] = static_cast<char>(c);
            const bool allowed = c == '\t' || (c >= 0x20 && c != 0x7f);
            const std::string bytes = "GET / HTTP/1.1\r\nHost: a\r\nA: " + value + "\r\n\r\n";
            EXPECT_EQ(read(bytes) == "ok", allowed) << at << " " << c;
        }
    }
}

TEST(RequestHead, TakesNoForbiddenByteInATarget) {
    for (int c = 0; c < 256; ++c) {
        if (c == ' ') continue;  // ends the target
        const bool allowed = c > 0x20 && c < 0x7f && c != '#' && c != '\\' && c != '%';
        const std::string bytes =
            "GET /a" + std::string(1, static_cast<char>(c)) + "b HTTP/1.1\r\nHost: a\r\n\r\n";
        EXPECT_EQ(read(bytes) == "ok", allowed) << c;
    }
}

TEST(RequestHead, TakesOnlyNameBytesInHost) {
    for (int c = 0; c < 256; ++c) {
        const bool allowed = is_alnum(c) || (c > 0 && c < 0x80 &&
                                             std::string_view{"-._~!$&()*+;="}.find(
                                                 static_cast<char>(c)) != std::string_view::npos);
        const std::string bytes =
            "GET / HTTP/1.1\r\nHost: a" + std::string(1, static_cast<char>(c)) + "b\r\n\r\n";
        EXPECT_EQ(read(bytes) == "ok", allowed) << c;
    }
}

TEST(Authority, HidesNothingBehindANulInAnAddress) {
    EXPECT_TRUE(strict::is_authority("[::1]"));
    EXPECT_FALSE(strict::is_authority("[::1\0x]"s));
}

TEST(RequestHead, LimitsTheTarget) {
    const HeadLimits limits{.target_bytes = 10};
    const auto to = [](const std::string& target) {
        return "GET " + target + " HTTP/1.1\r\nHost: a\r\n\r\n";
    };
    EXPECT_EQ(read(to("/345678910"), limits), "ok");
    EXPECT_EQ(read(to("/3456789101"), limits), "414 target_too_long");
    EXPECT_EQ(read(to("/345678%4a"), limits), "ok");
    EXPECT_EQ(read(to("/3456789%4a"), limits), "414 target_too_long");
    EXPECT_EQ(read("GET /345678910", limits), "more");
    EXPECT_EQ(read("GET /3456789101", limits), "414 target_too_long") << "before the line ends";
    EXPECT_EQ(read("GET /345678%4", limits), "more");
}

TEST(RequestHead, LimitsTheWholeHead) {
    const std::string head = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    EXPECT_EQ(read(head, {.head_bytes = head.size()}), "ok");
    EXPECT_EQ(read(head + "body", {.head_bytes = head.size()}), "ok");
    EXPECT_EQ(read(head, {.head_bytes = head.size() - 1}), "431 head_too_large");
    EXPECT_EQ(read(head.substr(0, head.size() - 2), {.head_bytes = head.size() - 1}), "more");
    EXPECT_EQ(read("GET / HTTP/1.1\r\nA: " + std::string(100, 'a'), {.head_bytes = 64}),
              "431 head_too_large");
    EXPECT_EQ(read(std::string(64, 'G'), {.head_bytes = 64}), "414 target_too_long")
        << "a request line that fills the buffer";
    EXPECT_EQ(read("GET /" + std::string(100, 'a'), {.head_bytes = 64}), "414 target_too_long");
}

TEST(RequestHead, AnOffenceBeforeTheLimitIsTheOneReported) {
    EXPECT_EQ(read("GET / HTTP/1.1\r\nA : b\r\n" + std::string(100, 'a'), {.head_bytes = 64}),
              "400 space_in_name");
}

TEST(RequestHead, LimitsTheNumberOfFields) {
    const auto with = [](std::size_t count) {
        return "GET / HTTP/1.1\r\nHost: a\r\n" + fields(count - 1);
    };
    const HeadLimits limits{.fields = 5};
    EXPECT_EQ(read(with(5) + "\r\n", limits), "ok");
    EXPECT_EQ(read(with(6) + "\r\n", limits), "431 too_many_fields");
    EXPECT_EQ(read(with(5) + "A", limits), "431 too_many_fields") << "at its first byte";
    EXPECT_EQ(read(with(100) + "\r\n"), "ok");
    EXPECT_EQ(read(with(101) + "\r\n"), "431 too_many_fields");
    EXPECT_EQ(read(with(kMaxFields) + "\r\n", {.fields = 100'000}), "ok");
    EXPECT_EQ(read(with(kMaxFields + 1) + "\r\n", {.fields = 100'000}), "431 too_many_fields");
}

TEST(RequestHead, ConsumesTheHeadOnly) {
    const std::string first = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n";
    RequestHead head;
    const HeadResult result = read_request_head(first + "abcGET /2 HTTP/1.1\r\n", {}, head);
    EXPECT_EQ(result.consumed, first.size());
    const HeadResult skipped = read_request_head("\r\n" + first, {}, head);
    EXPECT_EQ(skipped.consumed, first.size() + 2);
}

TEST(RequestHead, NothingOfAnEarlierReadingStays) {
    RequestHead head;
    const std::string full =
        "POST http://x/y HTTP/1.0\r\nHost: a\r\nContent-Length: 3\r\nConnection: "
        "keep-alive\r\n\r\n";
    ASSERT_EQ(outcome(read_request_head(full, {}, head)), "ok");
    const std::string plain = "GET / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n";
    ASSERT_EQ(outcome(read_request_head(plain, {}, head)), "ok");
    const std::string bare = "GET / HTTP/1.1\r\nHost: b\r\n\r\n";
    ASSERT_EQ(outcome(read_request_head(bare, {}, head)), "ok");
    RequestHead fresh;
    ASSERT_EQ(outcome(read_request_head(bare, {}, fresh)), "ok");
    EXPECT_EQ(summary(head), summary(fresh));
}

TEST(RequestHead, ViewsTheBytesItWasGiven) {
    const std::string bytes = "GET /x HTTP/1.1\r\nHost: a\r\nB: c\r\n\r\n";
    RequestHead head;
    ASSERT_EQ(outcome(read_request_head(bytes, {}, head)), "ok");
    EXPECT_EQ(head.target.data(), bytes.data() + 4);
    EXPECT_EQ(head.fields.all()[1].value.data(), bytes.data() + bytes.find("c\r"));
}

// ---------------------------------------------------------------------------- fields and names

using Pairs = std::vector<std::pair<std::string, std::string>>;

/// Splits a well-formed head at CRLF and the first colon.
Pairs naive_fields(std::string text) {
    Pairs pairs;
    text.erase(0, text.find("\r\n") + 2);
    while (!text.starts_with("\r\n")) {
        const std::string line = text.substr(0, text.find("\r\n"));
        const std::size_t colon = line.find(':');
        const std::size_t first = line.find_first_not_of(" \t", colon + 1);
        const std::size_t last = line.find_last_not_of(" \t");
        pairs.emplace_back(line.substr(0, colon),
                           first == line.npos ? "" : line.substr(first, last + 1 - first));
        text.erase(0, line.size() + 2);
    }
    return pairs;
}

TEST(FieldList, HoldsWhatANaiveReaderFinds) {
    std::mt19937 random{7};
    const std::vector<std::string> names{"Accept", "X-A",  "x-a",    "COOKIE", "X-Long-Name-Here",
                                         "a_b",    "ETag", "Origin", "~",      "If-None-Match"};
    const std::vector<std::string> values{
        "",    "b",        "  lead", "trail\t", " \t ",
        "a:b", "\xff\x80", "a \t b", "\"q\\\"", std::string(70, 'v')};
    for (int round = 0; round < 500; ++round) {
        std::string text = "GET / HTTP/1.1\r\nHost: a\r\n";
        for (auto n = random() % 40; n > 0; --n) {
            text += names[random() % names.size()] + ":" + values[random() % values.size()];
            text += "\r\n";
        }
        text += "\r\n";
        RequestHead head;
        ASSERT_EQ(outcome(read_request_head(text, {}, head)), "ok") << text;
        Pairs found;
        for (const HeaderField& field : head.fields.all()) {
            found.emplace_back(field.name, field.value);
            EXPECT_EQ(field.id, field_id(field.name));
        }
        EXPECT_EQ(found, naive_fields(text));
    }
}

TEST(FieldList, FindsTheFirstOfAName) {
    FieldList list;
    EXPECT_EQ(list.find(Field::host), nullptr);
    EXPECT_EQ(list.find("x-b"), nullptr);
    EXPECT_TRUE(list.push({Field::accept, "Accept", "1"}));
    EXPECT_TRUE(list.push({Field::unknown, "X-B", "2"}));
    EXPECT_TRUE(list.push({Field::accept, "accept", "3"}));
    EXPECT_EQ(list.find(Field::accept)->value, "1");
    EXPECT_EQ(list.find("ACCEPT")->value, "1");
    EXPECT_EQ(list.find("x-b")->value, "2");
    EXPECT_EQ(list.find("x-"), nullptr);
    const FieldList copy = list;
    EXPECT_EQ(copy.size(), 3U);
    EXPECT_EQ(copy.find("x-b")->value, "2");
    list.clear();
    EXPECT_EQ(list.size(), 0U);
    EXPECT_EQ(list.find(Field::accept), nullptr);
}

TEST(FieldList, RefusesMoreThanItHolds) {
    FieldList list;
    for (std::size_t i = 0; i < kMaxFields; ++i)
        ASSERT_TRUE(list.push({}));
    EXPECT_FALSE(list.push({}));
    EXPECT_EQ(list.size(), kMaxFields);
}

TEST(FieldNames, HaveTheirIdInAnyCaseOrNone) {
    int known = 0;
    for (unsigned i = 1; i <= static_cast<unsigned>(Field::xref); ++i) {
        const auto field = static_cast<Field>(i);
        std::string name{boost::beast::http::to_string(field)};
        const Field id = field_id(name);
        EXPECT_TRUE(id == field || id == Field::unknown) << name;
        known += id == field;
        for (char& c : name)
            c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
        EXPECT_EQ(field_id(name), id) << name;
        EXPECT_EQ(field_id(name + "x"), Field::unknown);
    }
    EXPECT_EQ(known, 35);
}

TEST(FieldNames, OfFramingAreKnown) {
    EXPECT_EQ(field_id("hoSt"), Field::host);
    EXPECT_EQ(field_id("Content-Length"), Field::content_length);
    EXPECT_EQ(field_id("TRANSFER-ENCODING"), Field::transfer_encoding);
    EXPECT_EQ(field_id("connection"), Field::connection);
    EXPECT_EQ(field_id("TE"), Field::te);
    for (const char* other : {"Hosts", "x-api-key", "t", "tf", "Content_Length", "hos4"})
        EXPECT_EQ(field_id(other), Field::unknown) << other;
}

TEST(FieldNames, CompareWithoutTheCaseOfLettersOnly) {
    EXPECT_TRUE(iequals("Content-TYPE", "content-type"));
    EXPECT_TRUE(iequals("", ""));
    EXPECT_FALSE(iequals("a", "ab"));
    EXPECT_FALSE(iequals("@", "`"));
    EXPECT_FALSE(iequals("[", "{"));
    EXPECT_FALSE(iequals("a_b", "a-b"));
    EXPECT_FALSE(iequals("\xc1", "\xe1"));
}

TEST(FieldNames, CompareWithoutCaseAtEveryPlaceOfEveryLength) {
    const auto lower = [](int c) { return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c; };
    for (std::size_t length = 1; length <= 26; ++length) {
        for (std::size_t place = 0; place < length; ++place) {
            for (int c = 0; c < 256; ++c) {
                for (const int d : {c, c ^ 0x20, c ^ 0x80, c ^ 1, int{'_'}, int{'-'}}) {
                    std::string a(length, 'x');
                    std::string b(length, 'X');
                    a[place] = static_cast<char>(c);
                    b[place] = static_cast<char>(d);
                    ASSERT_EQ(iequals(a, b), lower(c) == lower(d))
                        << testing::PrintToString(a) << " " << testing::PrintToString(b);
                }
            }
        }
    }
}

TEST(FieldNames, WithOneOtherByteAreNotKnown) {
    for (const std::string name :
         {"te", "age", "host", "server", "connection", "content-length", "transfer-encoding",
          "proxy-authorization", "proxy-authentication-info"}) {
        const Field id = field_id(name);
        EXPECT_NE(id, Field::unknown) << name;
        for (std::size_t place = 0; place < name.size(); ++place) {
            for (const char c : std::string_view{"!#$%&'*+.^_`|~0z"}) {
                std::string other = name;
                other[place] = c;
                EXPECT_EQ(field_id(other) == id, other == name) << other;
            }
        }
    }
}

// -------------------------------------------------------------------------------- arrival

TEST(RequestHead, IsJudgedAlikeHoweverItArrives) {
    const std::string seed =
        "POST http://h:1/a%20b?c HTTP/1.1\r\nHost: a:80\r\nConnection: close, x\r\n"
        "Transfer-Encoding: chunked\r\nContent-Length: 4\r\nExpect: 100-continue\r\n"
        "X_Y: \t z \t\r\n\r\n";
    const std::string alphabet = "\r\n\r\n :\t,%/ab1\0\x7f\x80[]_"s;
    std::mt19937 random{11};
    const HeadLimits limits{.head_bytes = 180, .target_bytes = 24, .fields = 5};
    for (int round = 0; round < 4000; ++round) {
        std::string bytes = seed;
        for (auto n = random() % 4; n > 0; --n) {
            const std::size_t at = random() % bytes.size();
            if (random() % 2 == 0) {
                bytes[at] = alphabet[random() % alphabet.size()];
            } else {
                bytes.erase(at, random() % 30);
            }
            if (bytes.empty()) bytes = "G";
        }
        RequestHead head;
        const HeadResult whole = read_request_head(bytes, limits, head);
        std::size_t n = 0;
        HeadResult result;
        while (result.state == State::incomplete && n <= bytes.size()) {
            result = read_request_head(std::string_view{bytes}.substr(0, n++), limits, head);
        }
        ASSERT_EQ(outcome(result), outcome(whole)) << testing::PrintToString(bytes);
        ASSERT_EQ(result.consumed, whole.consumed);
    }
}

}  // namespace
}  // namespace sluice::http
