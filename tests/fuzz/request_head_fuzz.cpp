// SPDX-License-Identifier: Apache-2.0
// floor: http
//
// A request head is judged alike byte by byte and at once; Boost.Beast agrees on what we accept;
// writing an accepted head again and reading that gives the same head.
#include <cstdint>
#include <set>
#include <string>
#include <string_view>

#include "fuzz/beast_views.hpp"
#include "fuzz/check.hpp"
#include "sluice/http/head.hpp"

namespace {

using namespace sluice::http;
using State = HeadResult::State;

const std::set<int> kStatuses{400, 405, 414, 417, 431, 501, 505};

bool same(const RequestHead& a, const RequestHead& b) {
    if (a.verb != b.verb || a.method != b.method || a.target != b.target ||
        a.authority != b.authority || a.origin_form != b.origin_form ||
        a.minor_version != b.minor_version || a.framing != b.framing ||
        a.content_length != b.content_length || a.keep_alive != b.keep_alive ||
        a.expect_continue != b.expect_continue || a.fields.size() != b.fields.size()) {
        return false;
    }
    for (std::size_t i = 0; i < a.fields.size(); ++i) {
        const HeaderField& x = a.fields.all()[i];
        const HeaderField& y = b.fields.all()[i];
        if (x.id != y.id || x.name != y.name || x.value != y.value) return false;
    }
    return true;
}

void check_byte_by_byte(std::string_view bytes, const HeadLimits& limits) {
    RequestHead at_once;
    const HeadResult whole = read_request_head(bytes, limits, at_once);
    RequestHead head;
    HeadResult result;
    for (std::size_t n = 0; n <= bytes.size() && result.state == State::incomplete; ++n) {
        result = read_request_head(bytes.substr(0, n), limits, head);
    }
    FUZZ_CHECK(result.state == whole.state);
    FUZZ_CHECK(result.consumed == whole.consumed);
    FUZZ_CHECK(result.reason == whole.reason);
    FUZZ_CHECK(whole.state == State::complete || result.status == whole.status);
    if (whole.state == State::refused) {
        FUZZ_CHECK(!whole.reason.empty() && kStatuses.contains(whole.status));
    }
    if (whole.state == State::complete) {
        FUZZ_CHECK(same(head, at_once));
        FUZZ_CHECK(whole.consumed <= limits.head_bytes);
        FUZZ_CHECK(head.target.size() <= limits.target_bytes);
        FUZZ_CHECK(head.fields.size() <= limits.fields);
    }
}

void check_against_beast(std::string_view bytes, const RequestHead& head) {
    if (bytes.starts_with("\r\n")) bytes.remove_prefix(2);
    const sluice::fuzz::BeastViews<true> beast{bytes};
    if (!beast.accepts()) {
        FUZZ_CHECK(beast.refuses_a_list());
        return;
    }
    FUZZ_CHECK(beast.target == head.target);
    FUZZ_CHECK(same_fields(beast, head.fields));
    FUZZ_CHECK(same_framing(beast, head));
    FUZZ_CHECK(beast.keep_alive() == head.keep_alive);
}

void check_written_again(const RequestHead& head) {
    std::string text{head.method};
    text += ' ';
    text += head.target;
    text += head.minor_version == 1 ? " HTTP/1.1\r\n" : " HTTP/1.0\r\n";
    for (const HeaderField& field : head.fields.all()) {
        ((text += field.name) += ": ") += field.value;
        text += "\r\n";
    }
    text += "\r\n";
    RequestHead again;
    const HeadResult result = read_request_head(text, {.head_bytes = 1U << 20U}, again);
    FUZZ_CHECK(result.state == State::complete);
    FUZZ_CHECK(result.consumed == text.size());
    FUZZ_CHECK(same(head, again));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes{reinterpret_cast<const char*>(data), size};
    if (size > 4096) return 0;
    check_byte_by_byte(bytes, {});
    check_byte_by_byte(bytes, {.head_bytes = 96, .target_bytes = 24, .fields = 3});
    RequestHead head;
    const HeadResult result = read_request_head(bytes, {}, head);
    if (result.state != State::complete) return 0;
    check_against_beast(bytes.substr(0, result.consumed), head);
    check_written_again(head);
    return 0;
}
