// SPDX-License-Identifier: Apache-2.0
// floor: http
//
// A response head is judged alike byte by byte and at once; Boost.Beast agrees on what we accept;
// writing an accepted head again and reading that gives the same head.
#include <cstdint>
#include <string>
#include <string_view>

#include "fuzz/beast_views.hpp"
#include "fuzz/check.hpp"
#include "sluice/http/head.hpp"

namespace {

using namespace sluice::http;
using State = HeadResult::State;

bool same(const ResponseHead& a, const ResponseHead& b) {
    if (a.status != b.status || a.reason != b.reason || a.minor_version != b.minor_version ||
        a.framing != b.framing || a.content_length != b.content_length ||
        a.keep_alive != b.keep_alive || a.fields.size() != b.fields.size()) {
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
    ResponseHead at_once;
    const HeadResult whole = read_response_head(bytes, limits, at_once);
    ResponseHead head;
    HeadResult result;
    for (std::size_t n = 0; n <= bytes.size() && result.state == State::incomplete; ++n) {
        result = read_response_head(bytes.substr(0, n), limits, head);
    }
    FUZZ_CHECK(result.state == whole.state);
    FUZZ_CHECK(result.consumed == whole.consumed);
    FUZZ_CHECK(result.reason == whole.reason);
    if (whole.state == State::refused) FUZZ_CHECK(whole.status == 502 && !whole.reason.empty());
    if (whole.state == State::complete) {
        FUZZ_CHECK(same(head, at_once));
        FUZZ_CHECK(head.status >= 100 && head.status <= 599);
        FUZZ_CHECK(head.fields.size() <= limits.fields);
    }
}

void check_against_beast(std::string_view bytes, const ResponseHead& head) {
    std::string text{bytes};
    // We forgive a missing blank before an empty reason phrase, Beast does not.
    if (text[12] == '\r') text.insert(12, 1, ' ');
    const sluice::fuzz::BeastViews<false> beast{text};
    if (!beast.accepts()) {
        FUZZ_CHECK(beast.refuses_a_list());
        return;
    }
    FUZZ_CHECK(beast.status == head.status);
    FUZZ_CHECK(same_fields(beast, head.fields));
    // Beast does not look at framing fields of a response that has no body.
    if (head.status / 100 == 1 || head.status == 204 || head.status == 304) return;
    FUZZ_CHECK(same_framing(beast, head));
    if (head.framing != Framing::until_close) FUZZ_CHECK(beast.keep_alive() == head.keep_alive);
}

void check_written_again(const ResponseHead& head) {
    std::string text = head.minor_version == 1 ? "HTTP/1.1 " : "HTTP/1.0 ";
    text += std::to_string(head.status) + ' ';
    text += head.reason;
    text += "\r\n";
    for (const HeaderField& field : head.fields.all()) {
        ((text += field.name) += ": ") += field.value;
        text += "\r\n";
    }
    text += "\r\n";
    ResponseHead again;
    const HeadResult result = read_response_head(text, {.head_bytes = 1U << 20U}, again);
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
    ResponseHead head;
    const HeadResult result = read_response_head(bytes, {}, head);
    if (result.state != State::complete) return 0;
    check_against_beast(bytes.substr(0, result.consumed), head);
    check_written_again(head);
    return 0;
}
