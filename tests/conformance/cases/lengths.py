# SPDX-License-Identifier: Apache-2.0
"""Content-Length and Transfer-Encoding (requirements 1.5, rules 1 to 4)."""
from case import SMUGGLED, Case, chunked, forwarded, get, post, refused, sequence

HELLO = b"hello"


def with_length(*lines):
    return post(*lines, body=HELLO)


def bad_length(name, value):
    return Case(f"length {name}", "1.5.3 Content-Length is 1*DIGIT, once",
                with_length(b"Content-Length: " + value), refused(400))


def bad_line(name, *lines, body=HELLO):
    return Case(f"length {name}", "1.3 and 1.5.3: no look-alike of Content-Length is passed over",
                post(*lines, body=body), refused(400))


def bad_coding(name, value, *statuses):
    return Case(f"coding {name}", "1.5.2 exactly one Transfer-Encoding, exactly chunked",
                post(b"Transfer-Encoding: " + value, body=b"0\r\n\r\n" + SMUGGLED),
                refused(*(statuses or (400, 501))))


def bad_coding_line(name, *lines, rule="1.3 and 1.5.2: no look-alike of Transfer-Encoding"):
    return Case(f"coding {name}", rule, post(*lines, body=b"0\r\n\r\n" + SMUGGLED),
                refused(400, 501))


def conflict(name, *lines):
    return Case(f"both {name}", "1.5.1 Content-Length and Transfer-Encoding: 400",
                post(*lines, body=b"0\r\n\r\n" + SMUGGLED), refused(400))


CASES = [
    Case("length plain", "1.5.3", with_length(b"Content-Length: 5"),
         forwarded(method="POST", body=HELLO, has={"content-length": b"5"})),
    Case("length lower case", "1.3 names without case", with_length(b"content-length: 5"),
         forwarded(method="POST", body=HELLO)),
    Case("length mixed case", "1.3 names without case", with_length(b"cOnTeNt-LeNgTh: 5"),
         forwarded(method="POST", body=HELLO)),
    Case("length without a space", "1.3 OWS is optional", with_length(b"Content-Length:5"),
         forwarded(method="POST", body=HELLO)),
    Case("length between tabs", "1.3 HTAB is OWS", with_length(b"Content-Length:\t5\t"),
         forwarded(method="POST", body=HELLO)),
    Case("length with leading zeros", "1.5.3 1*DIGIT", with_length(b"Content-Length: 0005"),
         forwarded(method="POST", body=HELLO, has={"content-length": b"5"})),
    Case("length zero", "1.5.3", post(b"Content-Length: 0"), forwarded(method="POST")),
    Case("length none on POST", "1.5.4 neither field: no body", post(), forwarded(method="POST")),
    Case("length on GET", "1.5.4 a GET's body keeps its framing",
         get(b"Content-Length: 5") + HELLO, forwarded(body=HELLO)),
    Case("length on DELETE", "1.5.4", get(b"Content-Length: 5", method=b"DELETE") + HELLO,
         forwarded(method="DELETE", body=HELLO)),
    Case("length on OPTIONS", "1.5.4", get(b"Content-Length: 5", method=b"OPTIONS") + HELLO,
         forwarded(method="OPTIONS", body=HELLO)),
    Case("length on HEAD", "1.5.4", get(b"Content-Length: 5", method=b"HEAD") + HELLO,
         forwarded(method="HEAD", body=HELLO), heads=True),
    Case("coding on GET", "1.5.4", get(b"Transfer-Encoding: chunked") + b"5\r\nhello\r\n0\r\n\r\n",
         forwarded(body=HELLO)),
    Case("length of GET hides a request", "1.5.4 never read as the next request",
         get(b"Content-Length: %d" % len(SMUGGLED)) + SMUGGLED, forwarded(body=SMUGGLED)),
    Case("bytes behind the body", "1.5.3 the length ends the body",
         post(b"Content-Length: 3", body=HELLO + b" HTTP\r\n\r\n"),
         sequence([200, 400], [("POST", "/x", b"hel")], closed=True)),
    bad_length("empty", b""), bad_length("blank", b" "), bad_length("plus", b"+5"),
    bad_length("minus", b"-5"), bad_length("hexadecimal", b"0x5"), bad_length("hex digit", b"a"),
    bad_length("list of equal numbers", b"5, 5"), bad_length("list of two", b"5, 6"),
    bad_length("list without space", b"5,5"), bad_length("empty element", b"5,"),
    bad_length("leading comma", b",5"), bad_length("space inside", b"5 5"),
    bad_length("tab inside", b"5\t5"), bad_length("parameter", b"5;x=1"),
    bad_length("decimal", b"5.0"), bad_length("exponent", b"5e0"), bad_length("quoted", b'"5"'),
    bad_length("vertical tab", b"5\x0b"), bad_length("form feed", b"\x0c5"),
    bad_length("NUL", b"5\x00"), bad_length("no-break space", b"\xa05"),
    bad_length("Arabic digit", "\u0665".encode()), bad_length("2^64+5", b"18446744073709551621"),
    bad_length("2^63", b"9223372036854775808"), bad_length("2^32 in hex style", b"4294967301x"),
    bad_length("100 digits", b"9" * 100), bad_length("word", b"five"),
    bad_length("underscore", b"1_0"),
    Case("length 2^63-1", "1.5.3 representable, above the limit: 413",
         with_length(b"Content-Length: 9223372036854775807"), refused(413)),
    bad_line("twice, equal", b"Content-Length: 5", b"Content-Length: 5"),
    bad_line("twice, different", b"Content-Length: 5", b"Content-Length: 0"),
    bad_line("twice, cases differ", b"Content-Length: 0", b"content-length: 5"),
    bad_line("space before colon", b"Content-Length : 5"),
    bad_line("tab before colon", b"Content-Length\t: 5"),
    bad_line("folded", b"Content-Length:", b" 5"),
    bad_line("continued", b"Content-Length: 5", b" 0"),
    bad_line("underscore name", b"Content_Length: 5"),
    bad_line("underscore beside the real one", b"Content-Length: 5", b"Content_Length: 0"),
    bad_line("NUL in name", b"Content-\x00Length: 5"),
    bad_line("vertical tab before colon", b"Content-Length\x0b: 5"),
    bad_line("behind a bare LF", b"X: y\nContent-Length: 5"),
    bad_line("behind a bare CR", b"X: y\rContent-Length: 5"),
    bad_line("leading space", b"X: y", b" Content-Length: 5"),
    bad_line("nominated by Connection", b"Content-Length: 5", b"Connection: Content-Length"),
    Case("coding plain", "1.5.2", chunked(b"5\r\nhello\r\n0\r\n\r\n"),
         forwarded(method="POST", body=HELLO)),
    Case("coding upper case", "1.5.2 any case",
         post(b"Transfer-Encoding: CHUNKED", body=b"5\r\nhello\r\n0\r\n\r\n"),
         forwarded(method="POST", body=HELLO)),
    Case("coding without a space", "1.5.2",
         post(b"transfer-encoding:Chunked", body=b"5\r\nhello\r\n0\r\n\r\n"),
         forwarded(method="POST", body=HELLO)),
    Case("coding between tabs", "1.5.2 OWS stripped",
         post(b"Transfer-Encoding:\tchunked \t", body=b"5\r\nhello\r\n0\r\n\r\n"),
         forwarded(method="POST", body=HELLO)),
    conflict("length first", b"Content-Length: 5", b"Transfer-Encoding: chunked"),
    conflict("coding first", b"Transfer-Encoding: chunked", b"Content-Length: 5"),
    conflict("length zero", b"Content-Length: 0", b"Transfer-Encoding: chunked"),
    conflict("length of everything", b"Content-Length: %d" % (5 + len(SMUGGLED)),
             b"Transfer-Encoding: chunked"),
    conflict("fields between", b"Transfer-Encoding: chunked", b"X: 1", b"Y: 2",
             b"content-length: 5"),
    bad_coding("twice in a list", b"chunked, chunked"), bad_coding("gzip, chunked", b"gzip, chunked"),
    bad_coding("chunked, gzip", b"chunked, gzip"), bad_coding("identity", b"identity"),
    bad_coding("identity, chunked", b"identity, chunked"),
    bad_coding("chunked, identity", b"chunked, identity"), bad_coding("gzip", b"gzip"),
    bad_coding("unknown word", b"cow"), bad_coding("prefixed", b"xchunked"),
    bad_coding("suffixed", b"chunkedx"), bad_coding("parameter", b"chunked;q=1"),
    bad_coding("quoted", b'"chunked"'), bad_coding("single quotes", b"'chunked'"),
    bad_coding("empty element behind", b"chunked,"), bad_coding("empty element before", b",chunked"),
    bad_coding("empty", b""), bad_coding("vertical tab before", b"\x0bchunked"),
    bad_coding("vertical tab behind", b"chunked\x0b"), bad_coding("form feed", b"\x0cchunked"),
    bad_coding("NUL behind", b"chunked\x00"), bad_coding("no-break space", b"\xa0chunked"),
    bad_coding("NEL behind", b"chunked\x85"), bad_coding("long s", "chun\u212aed".encode()),
    bad_coding("blank inside", b"chun ked"), bad_coding("backslash", b"chunked\\"),
    bad_coding_line("twice", b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked"),
    bad_coding_line("chunked and identity", b"Transfer-Encoding: chunked",
                    b"Transfer-Encoding: identity"),
    bad_coding_line("identity and chunked", b"Transfer-Encoding: identity",
                    b"Transfer-encoding: chunked"),
    bad_coding_line("space before colon", b"Transfer-Encoding : chunked"),
    bad_coding_line("tab before colon", b"Transfer-Encoding\t: chunked"),
    bad_coding_line("folded", b"Transfer-Encoding:", b" chunked"),
    bad_coding_line("fold behind", b"Transfer-Encoding: chunked", b" , identity"),
    bad_coding_line("leading space", b"X: y", b" Transfer-Encoding: chunked"),
    bad_coding_line("underscore", b"Transfer_Encoding: chunked"),
    bad_coding_line("underscore with a length", b"Content-Length: 5",
                    b"Transfer_Encoding: chunked"),
    bad_coding_line("space in the name", b"Transfer Encoding: chunked"),
    bad_coding_line("NUL in the name", b"Transfer-Encoding\x00: chunked"),
    bad_coding_line("byte above 0x7f in the name", b"Transfer-Encodin\xe7: chunked"),
    bad_coding_line("behind a bare LF", b"X: y\nTransfer-Encoding: chunked"),
    bad_coding_line("behind a bare CR", b"X: y\rTransfer-Encoding: chunked"),
    bad_coding_line("CR before the name", b"X: y", b"\rTransfer-Encoding: chunked"),
    bad_coding_line("ended by LF", b"Transfer-Encoding: chunked\nX: y"),
    bad_coding_line("comma in the name", b"Transfer-Encoding,: chunked"),
    bad_coding_line("nominated by Connection", b"Transfer-Encoding: chunked",
                    b"Connection: Transfer-Encoding"),
    Case("coding on HTTP/1.0", "1.5.2 Transfer-Encoding on HTTP/1.0: 400",
         get(b"Transfer-Encoding: chunked", version=b"HTTP/1.0", method=b"POST") +
         b"0\r\n\r\n" + SMUGGLED, refused(400)),
    Case("coding on HTTP/1.0 with keep-alive", "1.5.2 Transfer-Encoding on HTTP/1.0: 400",
         get(b"Connection: keep-alive", b"Transfer-Encoding: chunked", version=b"HTTP/1.0",
             method=b"POST") + b"0\r\n\r\n" + SMUGGLED, refused(400)),
    Case("TE is not a framing field", "1.7 TE is this hop's",
         post(b"TE: chunked", b"Content-Length: 5", body=HELLO),
         forwarded(method="POST", body=HELLO, lacks=[("te", b"chunked")])),
]
