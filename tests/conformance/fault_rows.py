# SPDX-License-Identifier: Apache-2.0
"""The table of origin faults (requirements 3.1): what the origin does, what the client must get.
The word LE-K stands wherever bytes must not reach the client: of our ids only UUIDs have a "-", and
they have neither L nor K."""
import dataclasses

from fault_origin import Play, ok

LEAK = b"LE-K"
SECOND = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nX-Injected: 1\r\n\r\nLE-K"


@dataclasses.dataclass
class Row:
    name: str
    rule: str
    play: Play
    want: str                   # "error", "cut", "passes", "error or cut", "error or passes"
    statuses: tuple = (502,)    # of the gateway's own error
    status: int = 200           # of what passes
    body: bytes = b"hello"
    method: bytes = b"GET"
    upload: int = 0             # bytes of request body
    reuse: bool = False         # the origin's connection may serve again
    within: float = 1.5         # seconds
    has: dict = dataclasses.field(default_factory=dict)
    lacks: tuple = ()


def raw(*pieces, then="keep", **more):
    return Play(tuple(pieces), then, **more)


def head(*lines, status=b"HTTP/1.1 200 OK"):
    return b"\r\n".join([status, *lines, b"", b""])


HEAD_5 = head(b"Content-Length: 5")
CHUNKED = head(b"Transfer-Encoding: chunked")
GOOD = ok(b"hello")


def error(name, play, *statuses, rule="3.1 not HTTP, or framed in doubt: 502", **more):
    return Row(name, rule, play, "error", statuses or (502,), **more)


def bad_head(name, *lines, body=b"LE-K!", **more):
    return error(name, raw(head(*lines) + body, then="hold"), **more)


def cut(name, *pieces, then, rule="3.1 cut short: visibly incomplete", **more):
    return Row(name, rule, raw(*pieces, then=then), "cut", **more)


def passes(name, play, rule="3.1", **more):
    return Row(name, rule, play, "passes", **more)


BEFORE_HEAD = [
    error("closed before an answer", raw(then="close"), rule="3.1 closed before a head: 502"),
    error("reset before an answer", raw(then="reset"), rule="3.1 reset before a head: 502"),
    error("no answer", raw(then="hold"), 504, rule="3.1 accepted, no answer: 504", within=2.5),
    error("half a status line, FIN", raw(b"HTTP/1.1 20", then="close")),
    error("half a status line, RST", raw(b"HTTP/1.1 20", then="reset")),
    error("half a status line, silence", raw(b"HTTP/1.1 20", then="hold"), 504, within=2.5),
    error("half a head, FIN", raw(b"HTTP/1.1 200 OK\r\nX-A: LEA", then="close")),
    error("half a head, RST", raw(b"HTTP/1.1 200 OK\r\nX-A: LEA", then="reset")),
    error("half a head, silence", raw(b"HTTP/1.1 200 OK\r\nX-A: LEA", then="hold"), 504,
          within=2.5),
    error("head without its empty line, FIN", raw(HEAD_5[:-2], then="close")),
    error("head dripping for ever", raw(b"HTTP/1.1 200 OK\r\n", *[0.05, b"X: y\r\n"] * 60,
                                        then="hold"), 504, rule="3.1 in total time: 504",
          within=2.5),
    passes("head dripping, but in time", raw(*[x for i in range(len(GOOD))
                                               for x in (0.005, GOOD[i:i + 1])]), reuse=True),
]

CUT_SHORT = [
    cut("body missing, FIN", HEAD_5, then="close"), cut("body missing, RST", HEAD_5, then="reset"),
    cut("body short, FIN", HEAD_5, b"hel", then="close"),
    cut("body short, RST", HEAD_5, b"hel", then="reset"),
    cut("body short after a pause, FIN", HEAD_5, 0.1, b"hel", 0.1, then="close"),
    cut("body short, silence", HEAD_5, b"hel", then="hold", within=2.5),
    cut("long body short by one byte", head(b"Content-Length: 200000"), b"x" * 199_999,
        then="close"),
    cut("chunks without the last, FIN", CHUNKED, b"5\r\nhello\r\n", then="close"),
    cut("chunks without the last, RST", CHUNKED, b"5\r\nhello\r\n", then="reset"),
    cut("chunks without the last, silence", CHUNKED, b"5\r\nhello\r\n", then="hold", within=2.5),
    cut("chunk short, FIN", CHUNKED, b"5\r\nhel", then="close"),
    cut("chunk size line cut, FIN", CHUNKED, b"5\r\nhello\r\n1", then="close"),
    cut("last chunk cut, FIN", CHUNKED, b"5\r\nhello\r\n0\r\n", then="close"),
    cut("last chunk cut in its line, FIN", CHUNKED, b"5\r\nhello\r\n0\r", then="close"),
    cut("trailers cut, FIN", CHUNKED, b"5\r\nhello\r\n0\r\nX-T: y\r\n", then="close"),
    cut("no chunk at all, FIN", CHUNKED, then="close"),
    cut("close-delimited, RST", head(), b"hello", 0.1, then="reset"),
    cut("HTTP/1.0 close-delimited, RST", head(status=b"HTTP/1.0 200 OK"), b"hello", 0.1,
        then="reset"),
]

BAD_CHUNKS = [
    cut(f"chunk {name}", CHUNKED, b"5\r\nhello\r\n", 0.05, bad + LEAK, then="hold",
        rule="3.1 bad chunk: visibly incomplete")
    for name, bad in [
        ("size not hex", b"zz\r\n"), ("size negative", b"-5\r\n"), ("size empty", b"\r\n"),
        ("size 2^64", b"10000000000000000\r\n"), ("size with 0x", b"0x5\r\n"),
        ("size line ended by LF", b"5\n"), ("ended by no CRLF", b"3\r\nabcXX"),
        ("ended by LF", b"3\r\nabc\n"), ("size line endless", b"5;" + b"e" * 70000),
        ("last one ended by LF", b"0\n\n"), ("trailer without colon", b"0\r\nbad trailer\r\n\r\n")]
] + [
    Row("first chunk bad", "3.1 bad chunk before anything went out: 502",
        raw(CHUNKED + b"zz\r\n" + LEAK, then="hold"), "error or cut"),
]

FRAMING = [
    bad_head("Content-Length and Transfer-Encoding", b"Content-Length: 5",
             b"Transfer-Encoding: chunked", body=b"5\r\nLE-K!\r\n0\r\n\r\n"),
    bad_head("Transfer-Encoding and Content-Length", b"Transfer-Encoding: chunked",
             b"Content-Length: 5", body=b"5\r\nLE-K!\r\n0\r\n\r\n"),
    bad_head("two lengths", b"Content-Length: 5", b"Content-Length: 4"),
    bad_head("length list", b"Content-Length: 5, 4"),
    bad_head("length negative", b"Content-Length: -5"),
    bad_head("length with plus", b"Content-Length: +5"),
    bad_head("length hex", b"Content-Length: 0x5"), bad_head("length empty", b"Content-Length:"),
    bad_head("length word", b"Content-Length: five"),
    bad_head("length 2^64+5", b"Content-Length: 18446744073709551621"),
    bad_head("length with a blank inside", b"Content-Length: 5 5"),
    bad_head("coding unknown", b"Transfer-Encoding: cow"),
    bad_head("coding gzip", b"Transfer-Encoding: gzip"),
    bad_head("coding gzip, chunked", b"Transfer-Encoding: gzip, chunked"),
    bad_head("coding chunked twice", b"Transfer-Encoding: chunked, chunked"),
    bad_head("coding in two fields", b"Transfer-Encoding: chunked",
             b"Transfer-Encoding: chunked"),
    bad_head("coding look-alike", b"Transfer-Encoding: xchunked"),
    error("coding on HTTP/1.0", raw(head(b"Transfer-Encoding: chunked", status=b"HTTP/1.0 200 OK")
                                    + b"5\r\nLE-K!\r\n0\r\n\r\n", then="hold")),
]

NOT_HTTP = [
    error(name, raw(data, then="hold")) for name, data in [
        ("garbage", b"LE-K garbage\r\n\r\n"), ("binary garbage", bytes(range(256)) + b"\r\n\r\n"),
        ("HTTP/0.9", b"<html>LE-K</html>\r\n\r\n"),
        ("HTTP/2 settings", b"\0\0\6\4\0\0\0\0\0\0\3\0\0\0\x64\r\n\r\n"),
        ("HTTP/2 preface", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), ("TLS alert", b"\x15\3\3\0\2\2\x28\r\n\r\n"),
        ("version HTTP/2.0", b"HTTP/2.0 200 OK\r\nContent-Length: 4\r\n\r\nLE-K"),
        ("version HTTP/1.7", b"HTTP/1.77 200 OK\r\nContent-Length: 4\r\n\r\nLE-K"),
        ("version lower case", b"http/1.1 200 OK\r\nContent-Length: 4\r\n\r\nLE-K"),
        ("ICY", b"ICY 200 OK\r\n\r\nLE-K"), ("status 20", b"HTTP/1.1 20 OK\r\n\r\nLE-K"),
        ("status 2000", b"HTTP/1.1 2000 OK\r\n\r\nLE-K"), ("status 000", b"HTTP/1.1 000 X\r\n\r\nLE-K"),
        ("status 099", b"HTTP/1.1 099 X\r\n\r\nLE-K"), ("status abc", b"HTTP/1.1 abc X\r\n\r\nLE-K"),
        ("status negative", b"HTTP/1.1 -20 X\r\n\r\nLE-K"), ("no blank", b"HTTP/1.1200 OK\r\n\r\nLE-K"),
        ("tab in the status line", b"HTTP/1.1\t200\tOK\r\n\r\nLE-K"),
        ("blank before the status line", b" HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nLE-K"),
        ("NUL in the reason", b"HTTP/1.1 200 O\0K\r\nContent-Length: 4\r\n\r\nLE-K"),
        ("a request", b"GET /LE-K HTTP/1.1\r\nHost: a\r\n\r\n"),
    ]
]

HEAD_BYTES = [
    bad_head("NUL in a value", b"X: LE-K\0", b"Content-Length: 5"),
    bad_head("NUL in a name", b"X\0LE-K: a", b"Content-Length: 5"),
    bad_head("bare CR in a value", b"X: a\rX-Injected: LE-K", b"Content-Length: 5"),
    bad_head("control byte in a value", b"X: \x01LE-K", b"Content-Length: 5"),
    bad_head("no colon", b"LE-K", b"Content-Length: 5"),
    bad_head("empty name", b": LE-K", b"Content-Length: 5"),
    bad_head("blank in a name", b"X LE-K: a", b"Content-Length: 5"),
    error("bare LF line ends", raw(b"HTTP/1.1 200 OK\nContent-Length: 5\n\nLE-K!", then="hold")),
    error("one bare LF", raw(b"HTTP/1.1 200 OK\r\nX: a\nX-Injected: LE-K\r\nContent-Length: 5\r\n"
                             b"\r\nLE-K!", then="hold")),
    Row("fold", "3.1 502 or cleaned, never raw",
        raw(head(b"X: a", b" b", b"Content-Length: 5") + b"hello"), "error or passes"),
    Row("blank before colon", "3.1 502 or cleaned, never raw",
        raw(head(b"X : a", b"Content-Length: 5") + b"hello"), "error or passes"),
    Row("length with blank before colon", "3.1 502 or cleaned, never raw",
        raw(head(b"Content-Length : 5") + b"hello", then="hold"), "error or passes", within=2.5),
    error("head of 70 KiB", raw(head(*[b"X-%d: " % i + b"v" * 1000 for i in range(70)],
                                     b"Content-Length: 5") + b"LE-K!", then="hold"),
          rule="2: response head of 64 KiB"),
    error("head without an end", raw(b"HTTP/1.1 200 OK\r\n", *[b"X: " + b"v" * 1000 + b"\r\n"] * 2000,
                                     then="hold"), rule="2: response head of 64 KiB"),
    error("line without an end", raw(b"HTTP/1.1 200 OK\r\nX: ", *[b"v" * 10_000] * 200,
                                     then="hold"), rule="2: response head of 64 KiB"),
    error("300 fields", raw(head(*[b"X%d: v" % i for i in range(300)], b"Content-Length: 5")
                            + b"LE-K!", then="hold"), rule="2: 200 fields"),
    passes("head of 40 KiB", raw(head(*[b"Set-Cookie: c%d=" % i + b"v" * 1000 for i in range(40)],
                                      b"Content-Length: 5") + b"hello"),
           rule="known traps: small buffers for response heads", reuse=True),
    passes("150 fields", raw(head(*[b"X%d: v" % i for i in range(150)], b"Content-Length: 5")
                             + b"hello"), rule="2: 200 fields", reuse=True),
]


def interim(status, *lines):
    return head(*lines, status=b"HTTP/1.1 " + status)


INTERIM = [
    passes("100 nobody expects", raw(interim(b"100 Continue") + GOOD), reuse=True),
    passes("103, then 200", raw(interim(b"103 Early Hints", b"Link: </a>"), 0.05, GOOD), reuse=True),
    passes("102, then 200", raw(interim(b"102 Processing"), 0.05, GOOD), reuse=True),
    passes("199, then 200", raw(interim(b"199 What"), GOOD), reuse=True),
    passes("ten 1xx", raw(*[interim(b"102 Processing")] * 10, GOOD), reuse=True),
    error("forty 1xx", raw(*[interim(b"102 Processing")] * 40, GOOD), rule="2: 16 interim"),
    error("1xx without an end", raw(*[interim(b"103 Early Hints")] * 5000, then="hold"),
          rule="3.1 endless: 502"),
    error("100, then FIN", raw(interim(b"100 Continue"), then="close"), rule="3.1 1xx, close: 502"),
    error("100, then RST", raw(interim(b"100 Continue"), 0.05, then="reset"),
          rule="3.1 1xx, close: 502"),
    error("100, then silence", raw(interim(b"100 Continue"), then="hold"), 504,
          rule="3.1 1xx, silence: 504", within=2.5),
    error("103, then garbage", raw(interim(b"103 Early Hints"), b"LE-K\r\n\r\n", then="hold")),
    error("101 nobody asked for", raw(interim(b"101 Switching Protocols", b"Upgrade: websocket",
                                              b"Connection: Upgrade") + LEAK, then="hold")),
    error("101 bare", raw(interim(b"101 X") + SECOND, then="hold")),
]

NO_BODY = [
    passes("204 with a body", raw(interim(b"204 No Content") + SECOND), status=204, body=b"",
           lacks=("x-injected",)),
    passes("204 with a length", raw(interim(b"204 No Content", b"Content-Length: 4") + LEAK),
           status=204, body=b""),
    passes("304 with a body", raw(interim(b"304 Not Modified") + SECOND), status=304, body=b""),
    passes("HEAD with a body", raw(ok(LEAK)), method=b"HEAD", body=b""),
    passes("HEAD with chunks", raw(CHUNKED + b"4\r\nLE-K\r\n0\r\n\r\n"), method=b"HEAD", body=b""),
    passes("HEAD with a second response", raw(head(b"Content-Length: 5") + SECOND), method=b"HEAD",
           body=b""),
    passes("HEAD as it should be", raw(HEAD_5), method=b"HEAD", body=b"", reuse=True),
]

BEHIND = [
    passes("bytes behind the body", raw(GOOD + LEAK)),
    passes("a second response", raw(GOOD + SECOND)),
    passes("a second response behind chunks", raw(CHUNKED + b"5\r\nhello\r\n0\r\n\r\n" + SECOND)),
    passes("a second response a moment later", raw(GOOD, after=SECOND)),
    passes("408 on the idle connection", raw(GOOD, after=head(
        b"Connection: close", b"Content-Length: 4", status=b"HTTP/1.1 408 Request Timeout") + LEAK)),
    passes("CRLF behind the body", raw(GOOD + b"\r\n")),
    passes("closed behind the body", raw(GOOD, then="close")),
    passes("reset behind the body", raw(GOOD, 0.1, then="reset")),
    passes("chunked trailer", raw(CHUNKED + b"5\r\nhello\r\n0\r\nX-Injected: 1\r\n\r\n"), reuse=True,
           lacks=("x-injected",)),
]

AS_IS = [
    passes("close-delimited, FIN", raw(head() + b"hello", then="close")),
    passes("close-delimited, empty", raw(head(), then="close"), body=b""),
    passes("HTTP/1.0, FIN", raw(head(status=b"HTTP/1.0 200 OK") + b"hello", then="close")),
    passes("HTTP/1.0 with a length", raw(head(b"Content-Length: 5", status=b"HTTP/1.0 200 OK")
                                         + b"hello", then="close")),
    passes("Connection: close", raw(ok(b"hello", b"Connection: close"), then="close")),
    passes("Connection: close, not closed", raw(ok(b"hello", b"Connection: close"), then="hold")),
    passes("slow body", raw(head(b"Content-Length: 5"), *[x for c in b"hello"
                                                          for x in (0.1, bytes([c]))]), reuse=True),
    passes("chunks of one byte", raw(CHUNKED, *[b"1\r\n%c\r\n" % c for c in b"hello"],
                                     b"0\r\n\r\n"), reuse=True),
    passes("status without a reason", raw(head(b"Content-Length: 5", status=b"HTTP/1.1 200 ")
                                          + b"hello"), reuse=True),
    passes("its own 404", raw(head(b"Content-Length: 5", status=b"HTTP/1.1 404 No") + b"hello"),
           status=404, reuse=True, rule="3.1 own 4xx/5xx pass"),
    passes("its own 503", raw(head(b"Retry-After: 7", b"Content-Length: 5",
                                   status=b"HTTP/1.1 503 No") + b"hello"), status=503, reuse=True,
           rule="3.1 own 4xx/5xx pass, Retry-After kept", has={"retry-after": b"7"}),
    passes("hop-by-hop fields", raw(ok(b"hello", b"Connection: X-Hop", b"X-Hop: 1",
                                       b"Keep-Alive: timeout=5", b"Trailer: X-T", b"Upgrade: h2c")),
           rule="1.7 removed from responses", reuse=True,
           lacks=("x-hop", "keep-alive", "trailer", "upgrade")),
]

LONG = 12_000_000  # more than sockets hold (tcp_rmem, tcp_wmem): the answer overtakes the body

UPLOADS = [
    passes("413 during the upload", raw(head(b"Content-Length: 5", b"Connection: close",
                                             status=b"HTTP/1.1 413 No") + b"hello", early=True,
                                        then="close"), method=b"POST", upload=LONG, status=413,
           rule="3.1 early answer, promptly"),
    passes("401 during the upload, not read", raw(head(b"Content-Length: 5",
                                                       status=b"HTTP/1.1 401 No") + b"hello",
                                                  early=True, then="hold"), method=b"POST",
           upload=LONG, status=401, rule="3.1 early answer, promptly"),
    passes("200 during the upload, then read", raw(GOOD, early=True), method=b"POST",
           upload=LONG, rule="3.1 early answer, promptly", reuse=True),
    passes("200 during a short upload", raw(GOOD, early=True), method=b"POST", upload=60_000,
           rule="3.1 early answer, promptly", reuse=True),
    error("upload, closed without an answer", raw(then="close", early=True), method=b"POST",
          upload=60_000),
    error("upload, reset without an answer", raw(then="reset", early=True), method=b"POST",
          upload=60_000),
    error("upload never read", raw(then="hold", early=True), 504, method=b"POST", upload=60_000,
          within=2.5),
    passes("upload read to the end", raw(GOOD), method=b"POST", upload=60_000, reuse=True),
]

ROWS = (BEFORE_HEAD + CUT_SHORT + BAD_CHUNKS + FRAMING + NOT_HTTP + HEAD_BYTES + INTERIM + NO_BODY
        + BEHIND + AS_IS + UPLOADS)
