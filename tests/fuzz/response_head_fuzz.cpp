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
#include "fuzz/head_checks.hpp"
#include "sluice/http/head.hpp"

namespace {

using namespace sluice::http;
using State = HeadResult::State;

bool same(const ResponseHead& a, const ResponseHead& b) {
    if (a.status != b.status || a.reason != b.reason || a.minor_version != b.minor_version ||
        a.framing != b.framing || a.content_length != b.content_length ||
        a.keep_alive != b.keep_alive) {
        return false;
    }
    return sluice::fuzz::same_lists(a.fields, b.fields);
}

HeadResult check_judgement(std::string_view bytes, const HeadLimits& limits, ResponseHead& head) {
    const HeadResult result =
        sluice::fuzz::check_byte_by_byte(read_response_head, same, bytes, limits, head);
    if (result.state == State::refused) FUZZ_CHECK(result.status == 502);
    if (result.state == State::complete) FUZZ_CHECK(head.status >= 100 && head.status <= 599);
    return result;
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

std::string first_line(const ResponseHead& head) {
    std::string line = head.minor_version == 1 ? "HTTP/1.1 " : "HTTP/1.0 ";
    line += std::to_string(head.status) + ' ';
    line += head.reason;
    return line + "\r\n";
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes{reinterpret_cast<const char*>(data), size};
    if (size > 4096) return 0;
    ResponseHead head;
    check_judgement(bytes, {.head_bytes = 96, .target_bytes = 24, .fields = 3}, head);
    const HeadResult result = check_judgement(bytes, {}, head);
    if (result.state != State::complete) return 0;
    check_against_beast(bytes.substr(0, result.consumed), head);
    sluice::fuzz::check_written_again(read_response_head, same, first_line(head), head);
    return 0;
}
