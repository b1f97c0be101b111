# SPDX-License-Identifier: Apache-2.0
"""The chunked coding of request bodies (requirements 1.5, rules 5 to 7)."""
from case import (SMUGGLED, Case, Do, answered, chunked, forwarded, get, post, refused, sequence,
                  silent)

END = b"0\r\n\r\n"


def good(name, body, wanted=b"hello", rule="1.5.5 and 1.5.6"):
    return Case(f"chunk {name}", rule, chunked(body), forwarded(method="POST", body=wanted))


def bad(name, body, *statuses, rule="1.5.5 malformed chunk: 400 and close"):
    """The part before the fault may have been streamed, but never ended properly."""
    return Case(f"chunk {name}", rule, chunked(body + SMUGGLED),
                refused(*(statuses or (400,)), cut=True))


def trailer(name, *lines):
    return Case(f"trailer {name}", "1.5.7 trailers are dropped",
                chunked(b"5\r\nhello\r\n0\r\n" + b"".join(line + b"\r\n" for line in lines) +
                        b"\r\n"),
                forwarded(method="POST", body=b"hello", lacks=[("x-api-key", b"stolen"),
                                                               ("x-forwarded-for", b"6.6.6.6"),
                                                               ("authorization", b"stolen")]))


CASES = [
    good("none but the last", END, b""),
    good("two", b"2\r\nhe\r\n3\r\nllo\r\n" + END),
    good("of one byte each", b"".join(b"1\r\n%c\r\n" % c for c in b"hello") + END),
    good("size in lower case hex", b"a\r\n0123456789\r\n" + END, b"0123456789"),
    good("size in upper case hex", b"A\r\n0123456789\r\n" + END, b"0123456789"),
    good("size with leading zeros", b"0005\r\nhello\r\n" + END),
    good("size of 16 digits", b"0000000000000005\r\nhello\r\n" + END),
    good("last of several zeros", b"5\r\nhello\r\n000\r\n\r\n"),
    good("extension", b"5;a\r\nhello\r\n" + END),
    good("extension with value", b"5;a=b\r\nhello\r\n" + END),
    good("extension quoted", b'5;a="b;c"\r\nhello\r\n' + END),
    good("extension on the last", b"5\r\nhello\r\n0;a=b\r\n\r\n"),
    good("data that looks like an end", b"5\r\n0\r\n\r\n\r\n" + END, END),
    good("data that looks like a request", b"%x\r\n" % len(SMUGGLED) + SMUGGLED + b"\r\n" + END,
         SMUGGLED),
    bad("size of 17 digits", b"00000000000000005\r\nhello\r\n" + END),
    bad("size 2^64+5", b"10000000000000005\r\nhello\r\n" + END),
    bad("size 2^64-1", b"ffffffffffffffff\r\nhello\r\n" + END, 400, 413),
    bad("size 2^63", b"8000000000000000\r\nhello\r\n" + END, 400, 413),
    bad("size negative", b"-5\r\nhello\r\n" + END),
    bad("size with plus", b"+5\r\nhello\r\n" + END),
    bad("size 0x5", b"0x5\r\nhello\r\n" + END),
    bad("size 5h", b"5h\r\nhello\r\n" + END),
    bad("size with underscore", b"0_5\r\nhello\r\n" + END),
    bad("size empty", b"\r\nhello\r\n" + END),
    bad("size only an extension", b";a=b\r\nhello\r\n" + END),
    bad("space before the size", b" 5\r\nhello\r\n" + END),
    bad("tab before the size", b"\t5\r\nhello\r\n" + END),
    bad("space behind the size", b"5 \r\nhello\r\n" + END),
    bad("tab behind the size", b"5\t\r\nhello\r\n" + END),
    bad("space before the extension", b"5 ;a\r\nhello\r\n" + END),
    bad("vertical tab behind the size", b"5\x0b\r\nhello\r\n" + END),
    bad("NUL behind the size", b"5\x00\r\nhello\r\n" + END),
    bad("comma behind the size", b"5,a\r\nhello\r\n" + END),
    bad("size line ended by LF", b"5\nhello\r\n" + END),
    bad("size line ended by CR", b"5\rhello\r\n" + END),
    bad("size line ended by CR CR LF", b"5\r\r\nhello\r\n" + END),
    bad("LF in an extension", b"5;a\nb\r\nhello\r\n" + END),
    bad("CR in an extension", b"5;a\rb\r\nhello\r\n" + END),
    bad("NUL in an extension", b"5;a\x00b\r\nhello\r\n" + END),
    bad("data ended by LF", b"5\r\nhello\n" + END),
    bad("data ended by CR", b"5\r\nhello\r0\r\n\r\n"),
    bad("data ended by nothing", b"5\r\nhello" + END),
    bad("data longer than the size", b"3\r\nhello\r\n" + END),
    bad("data shorter than the size", b"8\r\nhello\r\n" + END),
    bad("data ended by other bytes", b"5\r\nhelloXX" + END),
    bad("data ended twice", b"5\r\nhello\r\n\r\n" + END),
    bad("last one ended by LF", b"5\r\nhello\r\n0\n\n"),
    bad("last empty line is LF", b"5\r\nhello\r\n0\r\n\n"),
    bad("last empty line is CR", b"5\r\nhello\r\n0\r\n\rX"),
    bad("size line of 300 bytes", b"5;" + b"a" * 300 + b"\r\nhello\r\n" + END,
        rule="2: chunk-size line of 256 bytes"),
    bad("size line without an end", b"5;" + b"a" * 70000, rule="2: chunk-size line of 256 bytes"),
    bad("extensions of 20 KiB in all", (b"1;" + b"e" * 200 + b"\r\nx\r\n") * 100 + END,
        rule="2: extensions of 16 KiB per message"),
    trailer("one", b"X-Trailer: 1"), trailer("that is a key", b"X-Api-Key: stolen"),
    trailer("that frames", b"Content-Length: 50"),
    trailer("that frames otherwise", b"Transfer-Encoding: chunked"),
    trailer("Host", b"Host: evil.example"), trailer("forwarding", b"X-Forwarded-For: 6.6.6.6"),
    trailer("Authorization", b"Authorization: stolen"),
    bad("trailer without colon", b"5\r\nhello\r\n0\r\nfoo\r\n\r\n"),
    bad("trailer folded", b"5\r\nhello\r\n0\r\nA: b\r\n c\r\n\r\n"),
    bad("trailer with space before colon", b"5\r\nhello\r\n0\r\nA : b\r\n\r\n"),
    bad("trailer ended by LF", b"5\r\nhello\r\n0\r\nA: b\n\r\n"),
    bad("trailer with a bare CR", b"5\r\nhello\r\n0\r\nA: b\rC: d\r\n\r\n"),
    bad("trailer with NUL", b"5\r\nhello\r\n0\r\nA: \x00\r\n\r\n"),
    bad("trailer without a name", b"5\r\nhello\r\n0\r\n: b\r\n\r\n"),
    bad("trailers of 9 KiB", b"5\r\nhello\r\n0\r\n" + b"A: " + b"b" * 9216 + b"\r\n\r\n", 400, 431,
        rule="2: trailers of 8 KiB"),
    Case("trailer does not authenticate", "1.11 keys not from trailers",
         chunked(b"5\r\nhello\r\n0\r\nx-api-key: conformance-key-0123456789\r\n\r\n",
                 target=b"/keyed"),
         answered(403), scope="gateway"),
    Case("chunked, then a request", "1.6 pipelined behind a chunked body",
         chunked(b"5\r\nhello\r\n" + END) + get(target=b"/y"),
         sequence([200, 200], [("POST", "/x", b"hello"), ("GET", "/y", b"")], closed=False)),
    Case("chunked, then garbage", "1.5.5 the last chunk ends the body",
         chunked(b"5\r\nhello\r\n" + END) + b"garbage\r\n\r\n",
         sequence([200, 400], [("POST", "/x", b"hello")], closed=True)),
    Case("chunked, cut by the client", "1.6 client gone mid-body: not completed upstream",
         [chunked(b"5\r\nhello\r\n5\r\nwo"), Do("await_origin"), Do("abort")], silent(cut=True)),
    Case("chunked, ended by the client's FIN", "1.6 client gone mid-body: not completed upstream",
         [chunked(b"5\r\nhello\r\n"), Do("await_origin"), Do("half_close")],
         sequence([], [], cut=True)),
    Case("length, ended by the client's FIN", "1.6 client gone mid-body: not completed upstream",
         [post(b"Content-Length: 50", body=b"hello"), Do("await_origin"), Do("half_close")],
         sequence([], [], cut=True)),
    Case("length, cut by the client", "1.6 client gone mid-body: not completed upstream",
         [post(b"Content-Length: 50", body=b"hello"), Do("await_origin"), Do("abort")],
         silent(cut=True)),
]
