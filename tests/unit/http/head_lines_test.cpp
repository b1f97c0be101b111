// SPDX-License-Identifier: Apache-2.0
//
// Scans look at sixteen bytes at once: here every byte stands at every place around those borders,
// and the bytes are a block of their own, so that AddressSanitizer sees a look beyond their end.
#include "http/head_lines.hpp"

#include <memory>

#include "unit/http/head_cases.hpp"

namespace sluice::http {
namespace {

using strict::Cursor;

/// `text` alone in memory of exactly its size, `before` bytes of 'a' in front of it.
class Block {
public:
    explicit Block(std::string_view text, std::size_t before = 0)
        : size_{before + text.size()}, bytes_{std::make_unique<char[]>(size_)} {
        std::fill_n(bytes_.get(), before, 'a');
        text.copy(bytes_.get() + before, text.size());
    }
    std::string_view view() const { return {bytes_.get(), size_}; }

private:
    std::size_t size_;
    std::unique_ptr<char[]> bytes_;
};

bool is_token_byte(char c) {
    constexpr std::string_view punctuation = "!#$%&'*+-.^_`|~";
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           punctuation.find(c) != punctuation.npos;
}
bool is_target_byte(char c) { return c > 0x20 && c < 0x7f && c != '%' && c != '#' && c != '\\'; }
bool is_control_byte(char c) {
    return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f;
}

/// Calls `check(text, place)` with each byte at each place of texts as long as two blocks and some.
template <class Check>
void with_every_byte_everywhere(Check check) {
    for (const std::size_t length : {1U, 2U, 7U, 15U, 16U, 17U, 31U, 32U, 33U, 37U}) {
        for (std::size_t place = 0; place < length; ++place) {
            for (int c = 0; c < 256; ++c) {
                std::string text(length, 'v');
                text[place] = static_cast<char>(c);
                check(text, place);
            }
        }
    }
}

TEST(TokenEnd, IsFoundWithEveryByteAtEveryPlace) {
    with_every_byte_everywhere([](const std::string& text, std::size_t place) {
        for (const std::size_t before : {0U, 3U, 16U}) {
            const Block block{text, before};
            const Cursor in{block.view()};
            const char* const from = in.begin + before;
            const std::size_t end = is_token_byte(text[place]) ? text.size() : place;
            ASSERT_EQ(strict::find_token_end(in, from), from + end)
                << testing::PrintToString(text) << " behind " << before;
        }
    });
}

TEST(Control, IsFoundWithEveryByteAtEveryPlace) {
    with_every_byte_everywhere([](const std::string& text, std::size_t place) {
        for (const std::size_t before : {0U, 3U, 16U}) {
            const Block block{text, before};
            const Cursor in{block.view()};
            const char* const from = in.begin + before;
            const std::size_t end = is_control_byte(text[place]) ? place : text.size();
            ASSERT_EQ(strict::find_control(in, from), from + end)
                << testing::PrintToString(text) << " behind " << before;
        }
    });
}

TEST(Scan, StepsOverNothingThatMayNotStandInATarget) {
    with_every_byte_everywhere([](const std::string& text, std::size_t place) {
        const Block block{text, 16};
        const Cursor in{block.view()};
        const char* const from = in.begin + 16;
        const std::size_t end = is_target_byte(text[place]) ? text.size() : place;
        ASSERT_LE(static_cast<std::size_t>(scan::over_target(from, in) - from), end)
            << testing::PrintToString(text);
    });
}

TEST(Scan, StaysWhereItIsAtTheEndAndBehindIt) {
    const Block block{"0123456789abcdefghij"};
    const scan::Window all{block.view().data(), block.view().data() + 20};
    EXPECT_EQ(scan::over_word(all.end, all), all.end);
    const scan::Window shorter{all.begin, all.end - 2};
    EXPECT_EQ(scan::over_target(all.end, shorter), all.end) << "an escape may pass the limit";
    EXPECT_EQ(scan::over_text(nullptr, {nullptr, nullptr}), nullptr);
}

/// Reads a head that is alone in its memory, whole and cut short everywhere.
template <class Head, class Read>
Head read_alone(const std::string& head, Read read, Block& block) {
    block = Block{head};
    for (std::size_t n = 0; n < head.size(); ++n) {
        const Block part{std::string_view{head}.substr(0, n)};
        Head ignored;
        EXPECT_EQ(outcome(read(part.view(), {}, ignored)), "more") << n << " bytes of " << head;
    }
    Head result;
    const HeadResult done = read(block.view(), {}, result);
    EXPECT_EQ(outcome(done), "ok") << head;
    EXPECT_EQ(done.consumed, head.size());
    return result;
}

TEST(RequestHead, HasNamesAndValuesOfEveryLengthAtItsEnd) {
    Block block{""};
    for (std::size_t name = 1; name <= 36; ++name) {
        for (std::size_t value = 0; value <= 36; value += name % 3 + 1) {
            const std::string n = "x" + std::string(name - 1, 'N');
            const std::string v(value, 'v');
            const auto head =
                read_alone<RequestHead>("GET / HTTP/1.1\r\nHost: a\r\n" + n + ": " + v + "\r\n\r\n",
                                        read_request_head, block);
            ASSERT_EQ(head.fields.size(), 2U);
            EXPECT_EQ(head.fields.all()[1].id, Field::unknown);
            EXPECT_EQ(head.fields.all()[1].name, n);
            EXPECT_EQ(head.fields.all()[1].value, v);
        }
    }
}

TEST(ResponseHead, HasNamesAndValuesOfEveryLengthAtItsEnd) {
    Block block{""};
    for (std::size_t name = 1; name <= 36; ++name) {
        for (std::size_t value = 0; value <= 36; value += name % 3 + 1) {
            const std::string n = "x" + std::string(name - 1, 'N');
            const std::string v(value, 'v');
            const auto head = read_alone<ResponseHead>(
                "HTTP/1.1 200\r\n" + n + ":\t" + v + " \r\n\r\n", read_response_head, block);
            ASSERT_EQ(head.fields.size(), 1U);
            EXPECT_EQ(head.fields.all()[0].name, n);
            EXPECT_EQ(head.fields.all()[0].value, v);
        }
    }
}

TEST(RequestHead, HasTargetsOfEveryLengthWithAnEscapeAtEveryPlace) {
    Block block{""};
    for (std::size_t length = 1; length <= 40; ++length) {
        for (std::size_t place = 1; place <= length; place += 3) {
            std::string target = "/" + std::string(length - 1, 'x');
            target.insert(place, "%4a");
            const auto head = read_alone<RequestHead>("GET " + target + " HTTP/1.0\r\n\r\n",
                                                      read_request_head, block);
            EXPECT_EQ(head.target, target);
        }
    }
}

}  // namespace
}  // namespace sluice::http
