// SPDX-License-Identifier: Apache-2.0
//
// What the fuzz targets of both heads check alike. A `reader` is read_request_head or
// read_response_head; `same` compares two of its heads.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "fuzz/check.hpp"
#include "sluice/http/head.hpp"

namespace sluice::fuzz {

template <class Head>
using HeadReader = http::HeadResult (*)(std::string_view, const http::HeadLimits&, Head&);

inline bool same_lists(const http::FieldList& a, const http::FieldList& b) {
    if (a.size() != b.size()) return false;
    for (std::size_t i = 0; i < a.size(); ++i) {
        if (a[i].id != b[i].id || a[i].name != b[i].name || a[i].value != b[i].value) return false;
    }
    return true;
}

/// The bytes are judged alike when they come one by one and at once. Returns that judgement, and
/// what was read in `head`.
template <class Head, class Same>
http::HeadResult check_byte_by_byte(HeadReader<Head> read, Same same, std::string_view bytes,
                                    const http::HeadLimits& limits, Head& head) {
    using State = http::HeadResult::State;
    const http::HeadResult whole = read(bytes, limits, head);
    Head slowly;
    http::HeadResult result;
    for (std::size_t n = 0; n <= bytes.size() && result.state == State::incomplete; ++n) {
        result = read(bytes.substr(0, n), limits, slowly);
    }
    FUZZ_CHECK(result.state == whole.state);
    FUZZ_CHECK(result.consumed == whole.consumed);
    FUZZ_CHECK(result.reason == whole.reason);
    FUZZ_CHECK(whole.state == State::complete || result.status == whole.status);
    if (whole.state == State::refused) FUZZ_CHECK(!whole.reason.empty());
    if (whole.state == State::complete) {
        FUZZ_CHECK(same(slowly, head));
        FUZZ_CHECK(head.fields.size() <= limits.fields);
    }
    return whole;
}

/// Writing the head again behind `first_line` and reading that gives the same head.
template <class Head, class Same>
void check_written_again(HeadReader<Head> read, Same same, std::string first_line,
                         const Head& head) {
    std::string text = std::move(first_line);
    for (const http::HeaderField& field : head.fields.all()) {
        ((text += field.name) += ": ") += field.value;
        text += "\r\n";
    }
    text += "\r\n";
    Head again;
    const http::HeadResult result = read(text, {.head_bytes = 1U << 20U}, again);
    FUZZ_CHECK(result.state == http::HeadResult::State::complete);
    FUZZ_CHECK(result.consumed == text.size());
    FUZZ_CHECK(same(head, again));
}

}  // namespace sluice::fuzz
