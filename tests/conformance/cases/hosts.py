# SPDX-License-Identifier: Apache-2.0
"""Host and the forms of a target (requirements 1.2 and 1.4)."""
from case import SMUGGLED, Case, answered, forwarded, get, refused


def host(value, line=b"GET /x HTTP/1.1", *more):
    return b"\r\n".join([line, b"Host: " + value, *more]) + b"\r\n\r\n"


def bad(name, value):
    return Case(f"host {name}", '1.4 Host is uri-host [":" port]', host(value) + SMUGGLED,
                refused(400))


def good(name, value):
    return Case(f"host {name}", "1.4", host(value), forwarded())


def target(name, value, *statuses, rule="1.2 form of the target"):
    return Case(f"form {name}", rule, get(target=value) + SMUGGLED, refused(*(statuses or (400,))))


CASES = [
    Case("host missing", "1.4", b"GET /x HTTP/1.1\r\n\r\n" + SMUGGLED, refused(400)),
    Case("host missing among others", "1.4", b"GET /x HTTP/1.1\r\nX: y\r\n\r\n" + SMUGGLED,
         refused(400)),
    Case("host twice, equal", "1.4", get(b"Host: a.example") + SMUGGLED, refused(400)),
    Case("host twice, different", "1.4", get(b"Host: b.example") + SMUGGLED, refused(400)),
    Case("host twice, cases differ", "1.4", get(b"hOST: b.example") + SMUGGLED, refused(400)),
    Case("host with space before colon", "1.3", get(b"Host : b.example") + SMUGGLED, refused(400)),
    Case("host folded", "1.3", get(b" b.example") + SMUGGLED, refused(400)),
    bad("empty", b""), bad("space inside", b"a b"), bad("tab inside", b"a\tb"),
    bad("list", b"a.example, b.example"), bad("slash", b"a.example/x"), bad("only slash", b"/"),
    bad("userinfo", b"user@a.example"), bad("backslash", b"a.example\\x"),
    bad("fragment", b"a.example#x"), bad("query", b"a.example?x"), bad("quote", b'"a.example"'),
    bad("angle brackets", b"<a.example>"), bad("NUL", b"a.example\x00"),
    bad("control byte", b"a\x01b"), bad("two ports", b"a.example:80:81"),
    bad("port 65536", b"a.example:65536"), bad("port of letters", b"a.example:http"),
    bad("port negative", b"a.example:-1"), bad("port with plus", b"a.example:+80"),
    bad("port of 20 digits", b"a.example:00000000000000000080"), bad("only a port", b":80"),
    bad("IPv6 without brackets", b"::1"), bad("IPv6 unclosed", b"[::1"),
    bad("IPv6 unopened", b"::1]"), bad("IPv6 not an address", b"[zz]"),
    bad("IPv6 with text behind", b"[::1]x"), bad("IPv6 empty", b"[]"),
    bad("brackets in a name", b"a[0].example"), bad("byte above 0x7f", b"a.ex\xe4mple"),
    bad("bare CR", b"a.example\rX: y"), bad("bare LF", b"a.example\nX: y"),
    bad("scheme", b"http://a.example"), bad("braces", b"{a}"), bad("caret", b"a^b"),
    bad("semicolon list", b"a.example; b.example"),
    good("with port", b"a.example:8080"), good("IPv4", b"127.0.0.1:80"), good("IPv6", b"[::1]"),
    good("IPv6 and port", b"[::1]:8080"), good("upper case", b"A.EXAMPLE"),
    good("trailing dot", b"a.example."), good("hyphens and digits", b"a-1.example"),
    Case("host missing on HTTP/1.0", "1.4 the default host", b"GET /x HTTP/1.0\r\n\r\n",
         forwarded(closed=True)),
    Case("host twice on HTTP/1.0", "1.4",
         b"GET /x HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n" + SMUGGLED, refused(400)),
    Case("host malformed on HTTP/1.0", "1.4", b"GET /x HTTP/1.0\r\nHost: a b\r\n\r\n" + SMUGGLED,
         refused(400)),
    Case("form absolute", "1.2 absolute-form", get(target=b"http://a.example/x"), forwarded()),
    Case("form absolute, https", "1.2", get(target=b"https://a.example/x"), forwarded()),
    Case("form absolute, upper case scheme", "1.2", get(target=b"HTTP://a.example/x"), forwarded()),
    Case("form absolute with query", "1.2", get(target=b"http://a.example/x?a=/b"),
         forwarded("/x?a=/b")),
    Case("form absolute without path", "1.2", get(target=b"http://a.example"), forwarded("/")),
    Case("form absolute, other Host", "1.2 Host ignored and never forwarded",
         host(b"evil.example", b"GET http://a.example/x HTTP/1.1"),
         forwarded(lacks=[("host", b"evil"), ("x-forwarded-host", b"evil")])),
    Case("form absolute to a protected path", "1.9", get(target=b"http://a.example/admin"),
         answered(403)),
    Case("form absolute, no Host", "1.4", b"GET http://a.example/x HTTP/1.1\r\n\r\n" + SMUGGLED,
         refused(400)),
    Case("form absolute, two Hosts", "1.4",
         get(b"Host: b.example", target=b"http://a.example/x") + SMUGGLED, refused(400)),
    Case("form absolute to another port", "1.2 the authority never chooses the upstream",
         get(target=b"http://127.0.0.1:1/x"), forwarded()),
    target("absolute with userinfo", b"http://u:p@a.example/x"),
    target("absolute with empty userinfo", b"http://@a.example/x"),
    target("absolute with bad port", b"http://a.example:99999/x"),
    target("absolute with empty authority", b"http:///x"),
    target("absolute with one slash", b"http:/a.example/x"),
    target("absolute without slashes", b"http:a.example/x"),
    target("absolute with backslashes", b"http:\\\\a.example\\x"),
    target("absolute, other scheme", b"ftp://a.example/x"),
    target("absolute, file scheme", b"file:///etc/passwd"),
    target("absolute with escape in authority", b"http://a.example%2f@b/x"),
    target("authority", b"a.example:80"), target("relative", b"x/y"), target("dot", b"./x"),
    target("query only", b"?x"), target("star with GET", b"*"), target("star and more", b"*x"),
    target("semicolon", b";/x"),
]
