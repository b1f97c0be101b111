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
#include "fuzz/head_checks.hpp"
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
        a.expect_continue != b.expect_continue) {
        return false;
    }
    return sluice::fuzz::same_lists(a.fields, b.fields);
}

HeadResult check_judgement(std::string_view bytes, const HeadLimits& limits, RequestHead& head) {
    const HeadResult result =
        sluice::fuzz::check_byte_by_byte(read_request_head, same, bytes, limits, head);
    if (result.state == State::refused) FUZZ_CHECK(kStatuses.contains(result.status));
    if (result.state == State::complete) {
        FUZZ_CHECK(result.consumed <= limits.head_bytes);
        FUZZ_CHECK(head.target.size() <= limits.target_bytes);
    }
    return result;
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

std::string first_line(const RequestHead& head) {
    std::string line{head.method};
    line += ' ';
    line += head.target;
    return line + (head.minor_version == 1 ? " HTTP/1.1\r\n" : " HTTP/1.0\r\n");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes{reinterpret_cast<const char*>(data), size};
    if (size > 4096) return 0;
    RequestHead head;
    check_judgement(bytes, {.head_bytes = 96, .target_bytes = 24, .fields = 3}, head);
    const HeadResult result = check_judgement(bytes, {}, head);
    if (result.state != State::complete) return 0;
    check_against_beast(bytes.substr(0, result.consumed), head);
    sluice::fuzz::check_written_again(read_request_head, same, first_line(head), head);
    return 0;
}
