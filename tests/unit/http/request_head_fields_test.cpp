// SPDX-License-Identifier: Apache-2.0
//
// Field lines of a request (robustness 1.3), body framing (1.5), Expect and Connection (1.6, 1.7).
#include <vector>

#include "unit/http/head_cases.hpp"

namespace sluice::http {
namespace {

/// A whole head with these field lines behind Host; a line's end is part of the text.
std::string with(const std::string& fields) {
    return "POST / HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n";
}
std::string with_10(const std::string& fields) {
    return "POST / HTTP/1.0\r\nHost: a\r\n" + fields + "\r\n";
}
std::string length(const std::string& value) { return with("Content-Length: " + value + "\r\n"); }
std::string coding(const std::string& value) {
    return with("Transfer-Encoding: " + value + "\r\n");
}
std::string connection(const std::string& value) { return with("Connection: " + value + "\r\n"); }
std::string expect(const std::string& value) { return with("Expect: " + value + "\r\n"); }

class RequestFields : public testing::TestWithParam<HeadCase> {};
TEST_P(RequestFields, AreReadStrictly) {
    check_case<RequestHead>(GetParam(), {}, read_request_head);
}

INSTANTIATE_TEST_SUITE_P(
    Lines, RequestFields,
    testing::ValuesIn(std::vector<HeadCase>{
        {"no blank after colon", with("A:b\r\n"), "ok|A=b"},
        {"blanks at both ends go", with("A: \t b \t\r\n"), "ok|A=b"},
        {"blanks inside stay", with("A: b \t c\r\n"), "ok|A=b \t c"},
        {"empty value", with("A:\r\n"), "ok|A="},
        {"value of blanks", with("A: \t \r\n"), "ok|A="},
        {"colons in value", with("A: b:c\r\n"), "ok|A=b:c"},
        {"bytes from 0x80 pass", with("A: \x80\xa0\xff\r\n"), "ok|A=\x80\xa0\xff"},
        {"nbsp is not stripped", with("A: \xa0 b\r\n"), "ok|A=\xa0 b"},
        {"all token bytes", with("!#$%&'*+-.^_`|~09azAZ: b\r\n"), "ok|fields=2"},
        {"underscore names are kept", with("a_b: c\r\n"), "ok|a_b=c|fields=2"},
        {"repeats are kept in order", with("A: 1\r\nA: 2\r\n"), "ok|fields=3"},
        {"two keys are for the filter", with("x-api-key: 1\r\nX-Api-Key: 2\r\n"), "ok|fields=3"},
        {"bare lf ends a field", with("A: b\n"), "400 bare_lf"},
        {"bare lf inside a value", with("A: b\nc\r\n"), "400 bare_lf"},
        {"bare cr inside a value", with("A: b\rc\r\n"), "400 bare_cr"},
        {"cr cr lf", with("A: b\r\r\n"), "400 bare_cr"},
        {"empty line with bare lf", "GET / HTTP/1.1\r\nHost: a\r\n\n", "400 bare_lf"},
        {"empty line with bare cr", "GET / HTTP/1.1\r\nHost: a\r\n\rx", "400 bare_cr"},
        {"space before colon", with("A : b\r\n"), "400 space_in_name"},
        {"tab before colon", with("A\t: b\r\n"), "400 space_in_name"},
        {"space in name", with("A b: c\r\n"), "400 space_in_name"},
        {"space before colon of framing", with("Content-Length : 3\r\n"), "400 space_in_name"},
        {"space before first name", "GET / HTTP/1.1\r\n Host: a\r\n\r\n", "400 obs_fold"},
        {"tab before first name", "GET / HTTP/1.1\r\n\tHost: a\r\n\r\n", "400 obs_fold"},
        {"fold", with("A: b\r\n c\r\n"), "400 obs_fold"},
        {"fold with tab", with("A: b\r\n\tc\r\n"), "400 obs_fold"},
        {"fold of framing", with("Transfer-Encoding:\r\n chunked\r\n"),
         "400 bad_transfer_encoding"},
        {"line of blanks", with(" \r\n"), "400 obs_fold"},
        {"no colon", with("Abc\r\n"), "400 no_colon"},
        {"no colon, lf", with("Abc\n"), "400 bare_lf"},
        {"empty name", with(": b\r\n"), "400 empty_name"},
        {"nul in name", with("A\0b: c\r\n"s), "400 bad_name"},
        {"high byte in name", with("A\xc3\xa9: c\r\n"), "400 bad_name"},
        {"parenthesis in name", with("A(b): c\r\n"), "400 bad_name"},
        {"at in name", with("A@b: c\r\n"), "400 bad_name"},
        {"slash in name", with("A/b: c\r\n"), "400 bad_name"},
        {"quoted name", with("\"A\": c\r\n"), "400 bad_name"},
        {"bracket in name", with("A[b]: c\r\n"), "400 bad_name"},
        {"semicolon in name", with("A;b: c\r\n"), "400 bad_name"},
        {"equals in name", with("A=b\r\n"), "400 bad_name"},
        {"del in name", with("A\x7f: c\r\n"), "400 bad_name"},
        {"nul in value", with("A: b\0c\r\n"s), "400 bad_value"},
        {"control in value", with("A: \x01\r\n"), "400 bad_value"},
        {"vertical tab is no blank", with("A: \vb\r\n"), "400 bad_value"},
        {"form feed is no blank", with("A: b\f\r\n"), "400 bad_value"},
        {"backspace", with("A: b\x08\r\n"), "400 bad_value"},
        {"escape", with("A: \x1b[31m\r\n"), "400 bad_value"},
        {"del", with("A: \x7f\r\n"), "400 bad_value"},
        {"control behind 8 good bytes", with("A: 01234567\x02\r\n"), "400 bad_value"},
        {"control behind a tab", with("A: 0\t2\x02\r\n"), "400 bad_value"},
        {"request in a value", with("A: b\r\n\r\nGET /evil HTTP/1.1\r\n"), "ok|fields=2"},
        {"no field yet", "GET / HTTP/1.1\r\n", "more"},
        {"half a name", "GET / HTTP/1.1\r\nHo", "more"},
        {"half a value", "GET / HTTP/1.1\r\nHost: a", "more"},
        {"half a line end", "GET / HTTP/1.1\r\nHost: a\r", "more"},
        {"no empty line yet", "GET / HTTP/1.1\r\nHost: a\r\n", "more"},
        {"half an empty line", "GET / HTTP/1.1\r\nHost: a\r\n\r", "more"},
        {"refused before the end", "GET / HTTP/1.1\r\nHost: a\r\nA : ", "400 space_in_name"},
    }),
    case_name);

INSTANTIATE_TEST_SUITE_P(
    Repeats, RequestFields,
    testing::ValuesIn(std::vector<HeadCase>{
        {"authorization", with("Authorization: a\r\nAuthorization: a\r\n"), "400 repeated_field"},
        {"authorization", with("authorization: a\r\nAUTHORIZATION: b\r\n"), "400 repeated_field"},
        {"content type", with("Content-Type: a/b\r\nContent-Type: a/b\r\n"), "400 repeated_field"},
        {"length", with("Content-Length: 1\r\nContent-Length: 1\r\n"), "400 repeated_field"},
        {"length", with("Content-Length: 1\r\ncontent-length: 2\r\n"), "400 repeated_field"},
        {"coding", with("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"),
         "400 repeated_field"},
        {"one of each", with("Authorization: a\r\nContent-Type: a/b\r\nContent-Length: 1\r\n"),
         "ok|length=1"},
        {"cookie may repeat", with("Cookie: a=1\r\nCookie: b=2\r\n"), "ok"},
        {"accept may repeat", with("Accept: a/b\r\nAccept: c/d\r\n"), "ok"},
    }),
    case_name);

INSTANTIATE_TEST_SUITE_P(
    ContentLength, RequestFields,
    testing::ValuesIn(std::vector<HeadCase>{
        {"none", with(""), "ok|none"},
        {"zero", length("0"), "ok|length=0"},
        {"number", length("12345"), "ok|length=12345"},
        {"leading zeros", length("0005"), "ok|length=5"},
        {"blanks around", length(" 5 \t"), "ok|length=5"},
        {"any case of name", with("cOnTeNt-LeNgTh: 5\r\n"), "ok|length=5"},
        {"highest", length("9223372036854775807"), "ok|length=9223372036854775807"},
        {"above highest", length("9223372036854775808"), "400 bad_content_length"},
        {"wraps 64 bits", length("18446744073709551617"), "400 bad_content_length"},
        {"far too long", length(std::string(40, '9')), "400 bad_content_length"},
        {"empty", length(""), "400 bad_content_length"},
        {"plus", length("+5"), "400 bad_content_length"},
        {"minus", length("-5"), "400 bad_content_length"},
        {"hex", length("0x5"), "400 bad_content_length"},
        {"hex digits", length("5a"), "400 bad_content_length"},
        {"fraction", length("5.0"), "400 bad_content_length"},
        {"exponent", length("5e0"), "400 bad_content_length"},
        {"list", length("5, 6"), "400 bad_content_length"},
        {"list of equals", length("5, 5"), "400 bad_content_length"},
        {"comma", length("5,"), "400 bad_content_length"},
        {"blank inside", length("5 5"), "400 bad_content_length"},
        {"tab inside", length("5\t5"), "400 bad_content_length"},
        {"nbsp",
         length("\xa0"
                "5"),
         "400 bad_content_length"},
        {"quoted", length("\"5\""), "400 bad_content_length"},
        {"parameter", length("5;a"), "400 bad_content_length"},
        {"words", length("five"), "400 bad_content_length"},
        {"fullwidth digit", length("\xef\xbc\x95"), "400 bad_content_length"},
        {"for get too", "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n", "ok|length=5"},
        {"on 1.0", with_10("Content-Length: 5\r\n"), "ok|length=5|1.0"},
        {"underscore spelling", with("Content_Length: 5\r\n"), "400 framing_look_alike"},
        {"underscore spelling", with("CONTENT_LENGTH: 5\r\n"), "400 framing_look_alike"},
        {"other names are others", with("X-Content-Length: 5\r\n"), "ok|none"},
        {"other names are others", with("Content-Lengthy: 5\r\n"), "ok|none"},
        {"other names are others", with("Content_Length_: 5\r\n"), "ok|none"},
    }),
    case_name);

INSTANTIATE_TEST_SUITE_P(
    TransferEncoding, RequestFields,
    testing::ValuesIn(std::vector<HeadCase>{
        {"chunked", coding("chunked"), "ok|chunked"},
        {"any case", coding("ChUnKeD"), "ok|chunked"},
        {"blanks around", coding(" \tchunked \t"), "ok|chunked"},
        {"any case of name", with("transfer-ENCODING: chunked\r\n"), "ok|chunked"},
        {"for get too", "GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
         "ok|chunked"},
        {"unknown", coding("gzip"), "501 unknown_transfer_coding"},
        {"identity", coding("identity"), "501 unknown_transfer_coding"},
        {"list", coding("gzip, chunked"), "501 unknown_transfer_coding"},
        {"list", coding("chunked, gzip"), "501 unknown_transfer_coding"},
        {"list", coding("chunked, identity"), "501 unknown_transfer_coding"},
        {"look alike", coding("xchunked"), "501 unknown_transfer_coding"},
        {"look alike", coding("chunk"), "501 unknown_transfer_coding"},
        {"look alike", coding("chunked-"), "501 unknown_transfer_coding"},
        {"twice", coding("chunked, chunked"), "400 bad_transfer_encoding"},
        {"empty", coding(""), "400 bad_transfer_encoding"},
        {"empty element", coding("chunked,"), "400 bad_transfer_encoding"},
        {"empty element", coding(",chunked"), "400 bad_transfer_encoding"},
        {"empty element", coding("gzip,,chunked"), "400 bad_transfer_encoding"},
        {"comma", coding(","), "400 bad_transfer_encoding"},
        {"parameter", coding("chunked;a=b"), "400 bad_transfer_encoding"},
        {"quoted", coding("\"chunked\""), "400 bad_transfer_encoding"},
        {"single quotes", coding("'chunked'"), "501 unknown_transfer_coding"},
        {"space inside", coding("chun ked"), "400 bad_transfer_encoding"},
        {"nbsp",
         coding("\xa0"
                "chunked"),
         "400 bad_transfer_encoding"},
        {"vertical tab", coding("\vchunked"), "400 bad_value"},
        {"nul", coding("chunked\0"s), "400 bad_value"},
        {"on 1.0", with_10("Transfer-Encoding: chunked\r\n"), "400 te_on_http_10"},
        {"on 1.0, unknown", with_10("Transfer-Encoding: gzip\r\n"), "400 te_on_http_10"},
        {"with length", with("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"),
         "400 te_and_cl"},
        {"before length", with("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"),
         "400 te_and_cl"},
        {"with length 0", with("Transfer-Encoding: chunked\r\nContent-Length: 0\r\n"),
         "400 te_and_cl"},
        {"unknown with length", with("Content-Length: 5\r\nTransfer-Encoding: x\r\n"),
         "400 te_and_cl"},
        {"underscore spelling", with("Transfer_Encoding: chunked\r\n"), "400 framing_look_alike"},
        {"underscore spelling", with("transfer_encoding: x\r\n"), "400 framing_look_alike"},
        {"te is not framing", with("TE: trailers\r\n"), "ok|none"},
    }),
    case_name);

INSTANTIATE_TEST_SUITE_P(
    Connection, RequestFields,
    testing::ValuesIn(std::vector<HeadCase>{
        {"1.1 stays", with(""), "ok|keep"},
        {"1.0 closes", with_10(""), "ok|close"},
        {"1.1 close", connection("close"), "ok|close"},
        {"1.1 close in any case", connection("CLOSE"), "ok|close"},
        {"1.1 close in a list", connection("foo ,\tclose"), "ok|close"},
        {"1.1 close in a second field", with("Connection: a\r\nConnection: close\r\n"), "ok|close"},
        {"1.0 keep-alive", with_10("Connection: Keep-Alive\r\n"), "ok|keep"},
        {"1.0 keep-alive in a list", with_10("Connection: a, keep-alive\r\n"), "ok|keep"},
        {"close beats keep-alive", connection("keep-alive, close"), "ok|close"},
        {"close beats keep-alive on 1.0", with_10("Connection: close, keep-alive\r\n"), "ok|close"},
        {"look alike", connection("closed"), "ok|keep"},
        {"proxy-connection means nothing", with("Proxy-Connection: close\r\n"), "ok|keep"},
        {"upgrade", connection("Upgrade"), "ok|keep"},
        {"empty", connection(""), "ok|keep"},
        {"empty elements", connection(", ,close,,"), "ok|close"},
        {"names host", connection("host"), "400 connection_names_protected_field"},
        {"names host", connection("close, HOST"), "400 connection_names_protected_field"},
        {"names length", connection("Content-Length"), "400 connection_names_protected_field"},
        {"names coding", connection("transfer-encoding"), "400 connection_names_protected_field"},
        {"names the key", connection("x-api-key, close"), "400 connection_names_protected_field"},
        {"names others", connection("X-Forwarded-For, Cookie"), "ok|keep"},
        {"no tokens", connection("a b"), "400 bad_connection"},
        {"quoted", connection("\"host\""), "400 bad_connection"},
        {"parameter", connection("close;a"), "400 bad_connection"},
    }),
    case_name);

INSTANTIATE_TEST_SUITE_P(
    Expect, RequestFields,
    testing::ValuesIn(std::vector<HeadCase>{
        {"continue", expect("100-continue"), "ok|expect"},
        {"any case", expect("100-Continue"), "ok|expect"},
        {"ignored on 1.0", with_10("Expect: 100-continue\r\n"), "ok|1.0|none|close|fields=2"},
        {"unknown", expect("200-ok"), "417 unknown_expectation"},
        {"unknown on 1.0", with_10("Expect: x\r\n"), "417 unknown_expectation"},
        {"empty", expect(""), "417 unknown_expectation"},
        {"list", expect("100-continue, 100-continue"), "417 unknown_expectation"},
        {"repeated", with("Expect: 100-continue\r\nExpect: 100-continue\r\n"),
         "417 unknown_expectation"},
        {"mangled", expect("y 100-continue"), "417 unknown_expectation"},
        {"mangled", expect("100-continue\xa0"), "417 unknown_expectation"},
        {"parameter", expect("100-continue;q=1"), "417 unknown_expectation"},
    }),
    case_name);

}  // namespace
}  // namespace sluice::http
