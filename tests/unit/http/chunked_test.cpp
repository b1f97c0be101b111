// SPDX-License-Identifier: Apache-2.0
//
// The chunked coding (robustness 1.5 rule 5), at once, byte by byte, and against a naive decoder.
#include "sluice/http/chunked.hpp"

#include <gtest/gtest.h>

#include <cctype>
#include <ostream>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "fuzz/naive_chunked.hpp"

namespace sluice::http {
namespace {

using namespace std::string_literals;
using State = ChunkedDecoder::State;

struct Outcome {
    State state = State::more;
    std::string data{};
    std::size_t consumed = 0;
    bool operator==(const Outcome&) const = default;
};

Outcome decode(std::string_view bytes, std::size_t piece) {
    ChunkedDecoder decoder;
    Outcome outcome;
    while (outcome.state == State::more) {
        const auto step = decoder.next(bytes.substr(outcome.consumed, piece));
        outcome.data += step.data;
        outcome.consumed += step.consumed;
        outcome.state = step.state;
        if (step.consumed == 0) break;
    }
    return outcome;
}

struct Case {
    std::string rule;
    std::string bytes;
    State state;
    std::string data{};
};
void PrintTo(const Case& c, std::ostream* out) {
    *out << c.rule << ": " << testing::PrintToString(c.bytes.substr(0, 200));
}

class Chunked : public testing::TestWithParam<Case> {};

TEST_P(Chunked, IsReadStrictly) {
    const Case& c = GetParam();
    const Outcome whole = decode(c.bytes, c.bytes.size());
    EXPECT_EQ(whole.state, c.state);
    if (c.state != State::malformed) {
        EXPECT_EQ(whole.data, c.data);
    }
    for (const std::size_t piece : {1, 2, 3, 7})
        EXPECT_EQ(decode(c.bytes, piece), whole) << piece;
}

std::string size_line(const std::string& line) { return line + "\r\nabc\r\n0\r\n\r\n"; }
std::string trailer(const std::string& fields) { return "3\r\nabc\r\n0\r\n" + fields + "\r\n"; }

/// One-byte chunks, each with an extension so long, `count` times.
std::string extended(std::size_t count, std::size_t length) {
    std::string bytes;
    for (std::size_t i = 0; i < count; ++i) {
        bytes += "1;" + std::string(length - 1, 'e') + "\r\nx\r\n";
    }
    return bytes;
}

std::string case_name(const testing::TestParamInfo<Case>& info) {
    std::string name;
    for (const char c : info.param.rule) {
        name += std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_';
    }
    return name + "_" + std::to_string(info.index);
}

constexpr State kDone = State::done;
constexpr State kMore = State::more;
constexpr State kBad = State::malformed;

INSTANTIATE_TEST_SUITE_P(
    Rules, Chunked,
    testing::ValuesIn(std::vector<Case>{
        {"one chunk", "4\r\nwiki\r\n0\r\n\r\n", kDone, "wiki"},
        {"two chunks", "4\r\nwiki\r\n5\r\npedia\r\n0\r\n\r\n", kDone, "wikipedia"},
        {"empty body", "0\r\n\r\n", kDone},
        {"data is any bytes", "6\r\n\r\n0\r\n\r\r\n0\r\n\r\n", kDone, "\r\n0\r\n\r"},
        {"hex in both cases", "aA\r\n" + std::string(170, 'x') + "\r\n0\r\n\r\n", kDone,
         std::string(170, 'x')},
        {"leading zeros", size_line("003"), kDone, "abc"},
        {"16 digits", size_line("0000000000000003"), kDone, "abc"},
        {"17 digits", size_line("00000000000000003"), kBad},
        {"many zeros in the last chunk", "000\r\n\r\n", kDone},
        {"largest size", "7fffffffffffffff\r\nabc", kMore, "abc"},
        {"above 2^63", "8000000000000000\r\nabc", kBad},
        {"16 f", "ffffffffffffffff\r\nabc", kBad},
        {"wraps 64 bits", "10000000000000003\r\nabc\r\n", kBad},
        {"next message is left", "1\r\na\r\n0\r\n\r\nGET / HTTP/1.1\r\n", kDone, "a"},
        {"no size", size_line(""), kBad},
        {"no size but extension", size_line(";a"), kBad},
        {"plus", size_line("+3"), kBad},
        {"minus", size_line("-3"), kBad},
        {"0x", size_line("0x3"), kBad},
        {"not hex", size_line("g"), kBad},
        {"h suffix", size_line("3h"), kBad},
        {"decimal point", size_line("3.0"), kBad},
        {"underscore", size_line("0_3"), kBad},
        {"comma", size_line("3,"), kBad},
        {"space before size", size_line(" 3"), kBad},
        {"tab before size", size_line("\t3"), kBad},
        {"space after size", size_line("3 "), kBad},
        {"tab after size", size_line("3\t"), kBad},
        {"space before extension", size_line("3 ;a"), kBad},
        {"vertical tab", size_line("\v3"), kBad},
        {"nul", size_line("3\0"s), kBad},
        {"high byte", size_line("3\xa0"), kBad},
        {"fullwidth digit", size_line("\xef\xbc\x93"), kBad},
        {"bare lf behind size", "3\nabc\r\n0\r\n\r\n", kBad},
        {"bare cr behind size", "3\rabc\r\n0\r\n\r\n", kBad},
        {"cr cr lf", "3\r\r\nabc\r\n0\r\n\r\n", kBad},
        {"lf cr", "3\n\rabc\r\n0\r\n\r\n", kBad},
        {"lf first", "\n3\r\nabc\r\n0\r\n\r\n", kBad},
        {"empty line first", "\r\n3\r\nabc\r\n0\r\n\r\n", kBad},
        {"data longer than size", "3\r\nabcd\r\n0\r\n\r\n", kBad},
        {"data shorter than size", "4\r\nabc\r\n0\r\n\r\n", kBad},
        {"lf behind data", "3\r\nabc\n0\r\n\r\n", kBad},
        {"cr behind data", "3\r\nabc\r0\r\n\r\n", kBad},
        {"nothing behind data", "3\r\nabc0\r\n\r\n", kBad},
        {"space behind data", "3\r\nabc \r\n0\r\n\r\n", kBad},
        {"two line ends behind data", "3\r\nabc\r\n\r\n0\r\n\r\n", kBad},
        {"extension", size_line("3;name=value"), kDone, "abc"},
        {"quoted extension", size_line("3;a=\"b;c\""), kDone, "abc"},
        {"empty extension", size_line("3;"), kDone, "abc"},
        {"tab in extension", size_line("3;a\tb"), kDone, "abc"},
        {"extension of the last chunk", "0;a\r\n\r\n", kDone},
        {"lf in extension", size_line("3;a\nb"), kBad},
        {"cr in extension", size_line("3;a\rb"), kBad},
        {"lf ends extension", "3;a\nabc\r\n0\r\n\r\n", kBad},
        {"nul in extension", size_line("3;a\0b"s), kBad},
        {"control in extension", size_line("3;a\x01"), kBad},
        {"longest size line", size_line("3;" + std::string(254, 'e')), kDone, "abc"},
        {"size line too long", size_line("3;" + std::string(255, 'e')), kBad},
        {"extensions at their limit", extended(128, 128) + "0\r\n\r\n", kDone,
         std::string(128, 'x')},
        {"extensions over their limit", extended(128, 128) + "0;\r\n\r\n", kBad},
        {"trailer", trailer("X-Sum: 1\r\n"), kDone, "abc"},
        {"trailers", trailer("A:b\r\nB:\r\nC: \t\xe9\r\n"), kDone, "abc"},
        {"trailer cannot frame", trailer("Content-Length: 5\r\n"), kDone, "abc"},
        {"trailer without colon", trailer("abc\r\n"), kBad},
        {"trailer without name", trailer(": b\r\n"), kBad},
        {"trailer with space before colon", trailer("A : b\r\n"), kBad},
        {"trailer fold", trailer("A: b\r\n c\r\n"), kBad},
        {"trailer starts with space", trailer(" A: b\r\n"), kBad},
        {"trailer bad name", trailer("A(: b\r\n"), kBad},
        {"trailer nul", trailer("A: \0\r\n"s), kBad},
        {"trailer control", trailer("A: \x02\r\n"), kBad},
        {"trailer bare lf", trailer("A: b\n"), kBad},
        {"trailer bare cr", trailer("A: b\rc\r\n"), kBad},
        {"end with bare lf", "0\r\n\n", kBad},
        {"end with bare cr", "0\r\n\rX", kBad},
        {"trailers at their limit", trailer("A:" + std::string(8188, 'v') + "\r\n"), kDone, "abc"},
        {"trailers over their limit", trailer("A:" + std::string(8189, 'v') + "\r\n"), kBad},
        {"nothing yet", "", kMore},
        {"half a size", "1", kMore},
        {"half a size line", "1\r", kMore},
        {"half the data", "4\r\nwi", kMore, "wi"},
        {"no end of data", "4\r\nwiki", kMore, "wiki"},
        {"half an end of data", "4\r\nwiki\r", kMore, "wiki"},
        {"no last chunk", "4\r\nwiki\r\n", kMore, "wiki"},
        {"no end of trailers", "0\r\n", kMore},
        {"half an end", "0\r\n\r", kMore},
        {"half a trailer", "0\r\nA: b", kMore},
    }),
    case_name);

TEST(ChunkedDecoder, LeavesTheNextMessageAlone) {
    const std::string body = "1\r\na\r\n0\r\nA: b\r\n\r\n";
    EXPECT_EQ(decode(body + "GET / HTTP/1.1\r\n", 1000).consumed, body.size());
    EXPECT_EQ(decode(body + "0\r\n\r\n", 1).consumed, body.size());
}

TEST(ChunkedDecoder, StaysDone) {
    ChunkedDecoder decoder;
    ASSERT_EQ(decoder.next("0\r\n\r\n").state, kDone);
    EXPECT_TRUE(decoder.done());
    const auto step = decoder.next("0\r\n\r\n");
    EXPECT_EQ(step.state, kDone);
    EXPECT_EQ(step.consumed, 0U);
}

TEST(ChunkedDecoder, StaysMalformed) {
    ChunkedDecoder decoder;
    ASSERT_EQ(decoder.next("z").state, kBad);
    const auto step = decoder.next("0\r\n\r\n");
    EXPECT_EQ(step.state, kBad);
    EXPECT_EQ(step.consumed, 0U);
    EXPECT_FALSE(decoder.done());
}

TEST(ChunkedDecoder, HandsOutDataAsAViewOfTheInput) {
    const std::string bytes = "3\r\nabc\r\n";
    ChunkedDecoder decoder;
    const auto step = decoder.next(bytes);
    EXPECT_EQ(step.data.data(), bytes.data() + 3);
    EXPECT_EQ(step.consumed, 6U) << "stops at the end of the data";
}

TEST(ChunkedDecoder, AgreesWithTheNaiveOneOnMutatedBodies) {
    const std::string seed = "3;ab=c\r\nabc\r\n0a\r\n0123456789\r\n0\r\nAb-c: d\r\n\r\nrest";
    const std::string alphabet = "\r\n\r\n0123afAF;: \tz\0\x7f\x80"s;
    std::mt19937 random{3};
    int done = 0;
    for (int round = 0; round < 20'000; ++round) {
        std::string bytes = seed;
        for (auto n = random() % 3; n > 0; --n) {
            const std::size_t at = random() % bytes.size();
            const char c = alphabet[random() % alphabet.size()];
            switch (random() % 3) {
                case 0:
                    bytes[at] = c;
                    break;
                case 1:
                    bytes.insert(at, 1, c);
                    break;
                default:
                    bytes.erase(at, 1);
                    break;
            }
        }
        const Outcome ours = decode(bytes, bytes.size());
        const auto naive = fuzz::naive_chunked(bytes);
        ASSERT_EQ(ours.state == kDone, naive.has_value()) << testing::PrintToString(bytes);
        if (!naive) continue;
        ++done;
        ASSERT_EQ(ours.data, naive->data);
        ASSERT_EQ(ours.consumed, naive->consumed);
    }
    EXPECT_GT(done, 5000);
}

TEST(ChunkHeader, IsReadBackAsTheSameSize) {
    for (const std::uint64_t size :
         {std::uint64_t{1}, std::uint64_t{0x1f4}, std::uint64_t{65536}}) {
        char out[18];
        const std::string_view header{out, write_chunk_header(out, size)};
        const std::string body = std::string{header} +
                                 std::string(static_cast<std::size_t>(size), 'x') + "\r\n0\r\n\r\n";
        EXPECT_EQ(decode(body, body.size()).data.size(), size);
    }
    char out[18];
    EXPECT_EQ((std::string_view{out, write_chunk_header(out, 0x1f4)}), "1f4\r\n");
    EXPECT_EQ((std::string_view{out, write_chunk_header(out, 0)}), "0\r\n");
    EXPECT_EQ((std::string_view{out, write_chunk_header(out, ~std::uint64_t{0})}),
              "ffffffffffffffff\r\n");
}

}  // namespace
}  // namespace sluice::http
