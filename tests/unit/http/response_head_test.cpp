// SPDX-License-Identifier: Apache-2.0
//
// Response heads from backends (robustness 3.1): what is refused is answered with 502.
#include <vector>

#include "unit/http/head_cases.hpp"

namespace sluice::http {
namespace {

/// A whole head with this status line.
std::string line(const std::string& text) { return text + "\r\n\r\n"; }
/// A whole head with these field lines; a line's end is part of the text.
std::string with(const std::string& fields) { return "HTTP/1.1 200 OK\r\n" + fields + "\r\n"; }
std::string with_10(const std::string& fields) { return "HTTP/1.0 200 OK\r\n" + fields + "\r\n"; }

class ResponseHeads : public testing::TestWithParam<HeadCase> {};
TEST_P(ResponseHeads, AreReadStrictly) {
    check_case<ResponseHead>(GetParam(), {}, read_response_head);
}

INSTANTIATE_TEST_SUITE_P(
    StatusLine, ResponseHeads,
    testing::ValuesIn(std::vector<HeadCase>{
        {"ok", line("HTTP/1.1 200 OK"), "ok|status=200|reason=OK|1.1|until_close|keep|fields=0"},
        {"1.0", line("HTTP/1.0 200 OK"), "ok|1.0|close"},
        {"long reason", line("HTTP/1.1 404 Not Found"), "ok|status=404|reason=Not Found"},
        {"empty reason", line("HTTP/1.1 200 "), "ok|reason="},
        {"no blank before empty reason", line("HTTP/1.1 200"), "ok|status=200|reason="},
        {"tab and high bytes in reason", line("HTTP/1.1 200 a\tb\xe9"), "ok|reason=a\tb\xe9"},
        {"lowest status", line("HTTP/1.1 100 C"), "ok|status=100"},
        {"interim", line("HTTP/1.1 103 Early Hints"), "ok|status=103"},
        {"switching", line("HTTP/1.1 101 S"), "ok|status=101"},
        {"unknown status", line("HTTP/1.1 299 x"), "ok|status=299"},
        {"highest status", line("HTTP/1.1 599 x"), "ok|status=599"},
        {"600", line("HTTP/1.1 600 x"), "502 bad_status"},
        {"999", line("HTTP/1.1 999 x"), "502 bad_status"},
        {"099", line("HTTP/1.1 099 x"), "502 bad_status"},
        {"000", line("HTTP/1.1 000 x"), "502 bad_status"},
        {"two digits", line("HTTP/1.1 20 x"), "502 bad_status"},
        {"four digits", line("HTTP/1.1 2000 x"), "502 bad_status"},
        {"sign", line("HTTP/1.1 +20 x"), "502 bad_status"},
        {"minus", line("HTTP/1.1 -20 x"), "502 bad_status"},
        {"hex", line("HTTP/1.1 0x1 x"), "502 bad_status"},
        {"letters", line("HTTP/1.1 abc x"), "502 bad_status"},
        {"fraction", line("HTTP/1.1 200.1 x"), "502 bad_status"},
        {"no status", line("HTTP/1.1"), "502 bad_status"},
        {"no status behind blank", line("HTTP/1.1 "), "502 bad_status"},
        {"two blanks", line("HTTP/1.1  200 OK"), "502 bad_status"},
        {"tab before status", line("HTTP/1.1\t200 OK"), "502 bad_status"},
        {"tab behind status", line("HTTP/1.1 200\tOK"), "502 bad_status"},
        {"1.2", line("HTTP/1.2 200 OK"), "502 version_not_supported"},
        {"0.9", line("HTTP/0.9 200 OK"), "502 version_not_supported"},
        {"2.0", line("HTTP/2.0 200 OK"), "502 version_not_supported"},
        {"2", line("HTTP/2 200 OK"), "502 version_not_supported"},
        {"two minor digits", line("HTTP/1.10 200 OK"), "502 bad_status"},
        {"lower case", line("http/1.1 200 OK"), "502 bad_version"},
        {"icy", line("ICY 200 OK"), "502 bad_version"},
        {"space first", line(" HTTP/1.1 200 OK"), "502 bad_version"},
        {"empty line first", "\r\n" + line("HTTP/1.1 200 OK"), "502 bad_version"},
        {"0.9 body", "<html>hello</html>", "502 bad_version"},
        {"http2 settings", "\0\0\x12\x04\0\0\0\0\0"s, "502 bad_version"},
        {"request", line("GET / HTTP/1.1"), "502 bad_version"},
        {"nul in reason", line("HTTP/1.1 200 a\0b"s), "502 bad_reason_phrase"},
        {"control in reason", line("HTTP/1.1 200 a\x01"), "502 bad_reason_phrase"},
        {"del in reason", line("HTTP/1.1 200 a\x7f"), "502 bad_reason_phrase"},
        {"bare lf", "HTTP/1.1 200 OK\nA: b\r\n\r\n", "502 bare_lf"},
        {"bare lf without reason", "HTTP/1.1 200\nA: b\r\n\r\n", "502 bare_lf"},
        {"bare cr", "HTTP/1.1 200 OK\rA: b\r\n\r\n", "502 bare_cr"},
        {"nothing yet", "", "more"},
        {"half a version", "HTTP/1", "more"},
        {"half a status", "HTTP/1.1 20", "more"},
        {"status only", "HTTP/1.1 200", "more"},
        {"half a reason", "HTTP/1.1 200 O", "more"},
        {"half a line end", "HTTP/1.1 200 OK\r", "more"},
        {"no empty line yet", "HTTP/1.1 200 OK\r\n", "more"},
    }),
    case_name);

INSTANTIATE_TEST_SUITE_P(
    Fields, ResponseHeads,
    testing::ValuesIn(std::vector<HeadCase>{
        {"blanks at both ends go", with("A: \t b \t\r\n"), "ok|A=b|fields=1"},
        {"repeats are kept", with("Set-Cookie: a\r\nSet-Cookie: b\r\n"), "ok|fields=2"},
        {"underscore names are kept", with("Content_Length: 5\r\n"), "ok|fields=1|until_close"},
        {"host is nothing special", with("Host: a b\r\nHost: c\r\n"), "ok|fields=2"},
        {"bytes from 0x80 pass", with("A: caf\xe9\r\n"), "ok|A=caf\xe9"},
        {"nul in value", with("A: b\0\r\n"s), "502 bad_value"},
        {"control in value", with("A: \x02\r\n"), "502 bad_value"},
        {"nul in name", with("A\0: b\r\n"s), "502 bad_name"},
        {"bad name", with("A{}: b\r\n"), "502 bad_name"},
        {"bare lf", with("A: b\nC: d\r\n"), "502 bare_lf"},
        {"bare cr", with("A: b\rC: d\r\n"), "502 bare_cr"},
        {"no colon", with("Abc\r\n"), "502 no_colon"},
        {"space before colon", with("A : b\r\n"), "502 space_in_name"},
        {"tab before colon", with("A\t: b\r\n"), "502 space_in_name"},
        {"fold", with("A: b\r\n c\r\n"), "502 obs_fold"},
        {"fold with tab", with("A: b\r\n\tc\r\n"), "502 obs_fold"},
        {"blank before first name", with(" A: b\r\n"), "502 obs_fold"},
        {"empty name", with(": b\r\n"), "502 empty_name"},
        {"lf ends the head", "HTTP/1.1 200 OK\r\nA: b\r\n\n", "502 bare_lf"},
        {"half a field", "HTTP/1.1 200 OK\r\nA: b", "more"},
    }),
    case_name);

INSTANTIATE_TEST_SUITE_P(
    Framing, ResponseHeads,
    testing::ValuesIn(std::vector<HeadCase>{
        {"length", with("Content-Length: 5\r\n"), "ok|length=5"},
        {"length 0", with("Content-Length: 0\r\n"), "ok|length=0"},
        {"length on 1.0", with_10("Content-Length: 5\r\n"), "ok|length=5|close"},
        {"highest length", with("Content-Length: 9223372036854775807\r\n"),
         "ok|length=9223372036854775807"},
        {"chunked", with("Transfer-Encoding: chunked\r\n"), "ok|chunked"},
        {"chunked in any case", with("transfer-encoding: CHUNKED\r\n"), "ok|chunked"},
        {"neither", with(""), "ok|until_close"},
        {"both", with("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"), "502 te_and_cl"},
        {"both", with("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"), "502 te_and_cl"},
        {"conflicting lengths", with("Content-Length: 5\r\nContent-Length: 6\r\n"),
         "502 repeated_field"},
        {"equal lengths", with("Content-Length: 5\r\nContent-Length: 5\r\n"), "502 repeated_field"},
        {"list of lengths", with("Content-Length: 5, 5\r\n"), "502 bad_content_length"},
        {"empty length", with("Content-Length:\r\n"), "502 bad_content_length"},
        {"negative length", with("Content-Length: -1\r\n"), "502 bad_content_length"},
        {"signed length", with("Content-Length: +1\r\n"), "502 bad_content_length"},
        {"hex length", with("Content-Length: 0x1\r\n"), "502 bad_content_length"},
        {"length too large", with("Content-Length: 9223372036854775808\r\n"),
         "502 bad_content_length"},
        {"unknown coding", with("Transfer-Encoding: gzip\r\n"), "502 unknown_transfer_coding"},
        {"two codings", with("Transfer-Encoding: gzip, chunked\r\n"),
         "502 unknown_transfer_coding"},
        {"identity", with("Transfer-Encoding: identity\r\n"), "502 unknown_transfer_coding"},
        {"chunked twice", with("Transfer-Encoding: chunked, chunked\r\n"),
         "502 bad_transfer_encoding"},
        {"repeated coding", with("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"),
         "502 repeated_field"},
        {"empty coding", with("Transfer-Encoding:\r\n"), "502 bad_transfer_encoding"},
        {"chunked on 1.0", with_10("Transfer-Encoding: chunked\r\n"), "502 te_on_http_10"},
        {"1.1 stays", with(""), "ok|keep"},
        {"1.1 close", with("Connection: x, Close\r\n"), "ok|close"},
        {"1.0 closes", with_10(""), "ok|close"},
        {"1.0 keep-alive", with_10("Connection: Keep-Alive\r\n"), "ok|keep"},
        {"close wins", with("Connection: close\r\nConnection: keep-alive\r\n"), "ok|close"},
        {"odd options mean nothing", with("Connection: a b;c\r\n"), "ok|keep"},
    }),
    case_name);

TEST(ResponseHead, IsLimitedInBytesAndFields) {
    const std::string head = "HTTP/1.1 200 OK\r\nA: b\r\nC: d\r\n\r\n";
    ResponseHead out;
    const auto read = [&out](std::string_view bytes, const HeadLimits& limits) {
        return outcome(read_response_head(bytes, limits, out));
    };
    EXPECT_EQ(read(head, {.head_bytes = head.size()}), "ok");
    EXPECT_EQ(read(head, {.head_bytes = head.size() - 1}), "502 head_too_large");
    EXPECT_EQ(read(std::string_view{head}.substr(0, 20), {.head_bytes = 20}), "502 head_too_large");
    EXPECT_EQ(read("HTTP/1.1 200 " + std::string(100, 'x'), {.head_bytes = 64}),
              "502 head_too_large");
    EXPECT_EQ(read(head, {.fields = 2}), "ok");
    EXPECT_EQ(read(head, {.fields = 1}), "502 too_many_fields");
}

TEST(ResponseHead, ConsumesTheHeadOnlySoThatAFinalHeadMayFollowAnInterimOne) {
    const std::string interim = "HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n";
    const std::string both = interim + "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n";
    ResponseHead head;
    const HeadResult first = read_response_head(both, {}, head);
    ASSERT_EQ(first.consumed, interim.size());
    EXPECT_EQ(head.status, 103);
    const HeadResult second =
        read_response_head(std::string_view{both}.substr(first.consumed), {}, head);
    EXPECT_EQ(outcome(second), "ok");
    EXPECT_EQ(head.status, 204);
    EXPECT_EQ(head.fields.size(), 1U) << "nothing of the earlier head stays";
    EXPECT_FALSE(head.keep_alive);
}

}  // namespace
}  // namespace sluice::http
