// SPDX-License-Identifier: Apache-2.0
//
// Tables of heads: one line is the rule, the bytes, and what reading them must give.
#pragma once

#include <gtest/gtest.h>

#include <cctype>
#include <ostream>
#include <string>
#include <string_view>

#include "sluice/http/head.hpp"

namespace sluice::http {

using namespace std::string_literals;

struct HeadCase {
    std::string rule;
    std::string bytes;
    /// "400 bad_method", "more", or "ok" and words that must be in the head's summary.
    std::string expected;
};

inline void PrintTo(const HeadCase& c, std::ostream* out) {
    *out << c.rule << ": " << testing::PrintToString(c.bytes);
}

/// Rule words joined by '_' and a number: the name ctest and gtest show.
inline std::string case_name(const testing::TestParamInfo<HeadCase>& info) {
    std::string name;
    for (const char c : info.param.rule) {
        name += std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_';
    }
    return name + "_" + std::to_string(info.index);
}

inline std::string word(std::string_view name, std::string_view value) {
    return " " + std::string{name} + "=" + std::string{value} + " ";
}

inline std::string framing_word(Framing framing, std::uint64_t length) {
    switch (framing) {
        case Framing::none:
            return " none ";
        case Framing::length:
            return " length=" + std::to_string(length) + " ";
        case Framing::chunked:
            return " chunked ";
        case Framing::until_close:
            return " until_close ";
    }
    return " ? ";
}

inline std::string fields_words(const FieldList& fields) {
    std::string text;
    for (const HeaderField& field : fields.all())
        text += word(field.name, field.value);
    return text + " fields=" + std::to_string(fields.size()) + " ";
}

inline std::string summary(const RequestHead& head) {
    return word("method", head.method) + word("target", head.target) +
           word("authority", head.authority) + word("form", head.origin_form) + " 1." +
           std::to_string(head.minor_version) + " " +
           framing_word(head.framing, head.content_length) +
           (head.verb == Verb::unknown ? " verb_unknown " : "") +
           (head.keep_alive ? " keep " : " close ") + (head.expect_continue ? " expect " : "") +
           fields_words(head.fields);
}

inline std::string summary(const ResponseHead& head) {
    return word("status", std::to_string(head.status)) + word("reason", head.reason) + " 1." +
           std::to_string(head.minor_version) + " " +
           framing_word(head.framing, head.content_length) +
           (head.keep_alive ? " keep " : " close ") + fields_words(head.fields);
}

inline std::string outcome(const HeadResult& result) {
    switch (result.state) {
        case HeadResult::State::complete:
            return "ok";
        case HeadResult::State::incomplete:
            return "more";
        case HeadResult::State::refused:
            break;
    }
    return std::to_string(result.status) + " " + std::string{result.reason};
}

/// Reads `c.bytes` at once and in every shorter length, and compares with what is expected.
template <class Head, class Read>
void check_case(const HeadCase& c, const HeadLimits& limits, Read read) {
    Head head;
    const HeadResult whole = read(c.bytes, limits, head);
    const std::string words = summary(head);
    if (c.expected.starts_with("ok")) {
        ASSERT_EQ(outcome(whole), "ok");
        std::string_view rest = std::string_view{c.expected}.substr(2);
        while (!rest.empty()) {
            rest.remove_prefix(1);
            const std::string_view wanted = rest.substr(0, rest.find('|'));
            EXPECT_NE(words.find(" " + std::string{wanted} + " "), words.npos)
                << "no [" << wanted << "] in [" << words << "]";
            rest.remove_prefix(wanted.size());
        }
    } else {
        ASSERT_EQ(outcome(whole), c.expected);
    }
    HeadResult result;
    std::size_t n = 0;
    while (n <= c.bytes.size() && result.state == HeadResult::State::incomplete) {
        result = read(std::string_view{c.bytes}.substr(0, n++), limits, head);
    }
    EXPECT_EQ(outcome(result), outcome(whole)) << "after " << n - 1 << " bytes";
    if (whole.state == HeadResult::State::complete) {
        EXPECT_EQ(n - 1, whole.consumed);
        EXPECT_EQ(summary(head), words);
    }
}

}  // namespace sluice::http
