# SPDX-License-Identifier: Apache-2.0
"""Bytes of the target, the query, and other spellings of protected paths (requirements 1.2, 1.9).
/admin and what is below it, and POST /mixed, are protected."""
from case import SMUGGLED, Case, answered, forwarded, get, guarded, refused


def bad(name, value, rule="1.2 bytes of a target"):
    return Case(f"target {name}", rule, get(target=value) + SMUGGLED, refused(400))


def path(value, rule="1.9 refused in a path"):
    return Case(f"path {value.decode('latin-1')}", rule, get(target=value), answered(400))


def denied(value, method=b"GET"):
    return Case(f"denied {method.decode()} {value.decode()}", "1.9 the same resource, the same rule",
                get(target=value, method=method), answered(403))


def kept(value, wanted=None, rule="1.9 what is forwarded", scope="http"):
    return Case(f"kept {value.decode()}", rule, get(target=value),
                forwarded((wanted or value).decode()), scope=scope)


def hunted(value, method=b"GET"):
    """Any answer will do, but no reading of what is forwarded may be the protected resource."""
    return Case(f"hunted {method.decode()} {value.decode('latin-1')}",
                "1.9 no protected method through another spelling",
                get(target=value, method=method), guarded(), heads=method == b"HEAD")


CASES = [
    bad("NUL", b"/x\x00y"), bad("control byte", b"/x\x01y"), bad("tab", b"/x\ty"),
    bad("DEL", b"/x\x7fy"), bad("byte 0x80", b"/x\x80y"), bad("raw UTF-8", "/x\u00e9".encode()),
    bad("fragment", b"/x#y"), bad("fragment in the query", b"/x?a#y"), bad("backslash", b"/x\\y"),
    bad("bare CR", b"/x\ry"), bad("bare LF", b"/x\ny"), bad("vertical tab", b"/x\x0by"),
    bad("lone percent", b"/x%"), bad("percent and one digit", b"/x%2"),
    bad("percent and no digits", b"/x%zz"), bad("percent and half", b"/x%4g/y"),
    bad("percent u", b"/x%u0041"), bad("double percent", b"/x%%41"),
    bad("bad escape in the query", b"/x?a=%zz"),
    path(b"/x%00y"), path(b"/x%00"), path(b"/x%0ay"), path(b"/x%0d%0aX:y"), path(b"/x%09"),
    path(b"/x%1f"), path(b"/x%7f"), path(b"/x%5cy"), path(b"/x%5Cy"),
    path(b"/x%ff", "1.9 invalid UTF-8"), path(b"/x%c3", "1.9 invalid UTF-8"),
    path(b"/x%c3/%a9", "1.9 invalid UTF-8"), path(b"/x%ed%a0%80", "1.9 surrogate in UTF-8"),
    path(b"/x%f5%80%80%80", "1.9 above U+10FFFF"), path(b"/x%c0%80", "1.9 overlong NUL"),
    path(b"/%c0%afadmin", "1.9 overlong slash"), path(b"/%e0%80%afadmin", "1.9 overlong slash"),
    path(b"/%f0%80%80%afadmin", "1.9 overlong slash"), path(b"/%c1%a1dmin", "1.9 overlong letter"),
    path(b"/x/%c0%ae%c0%ae/admin", "1.9 overlong dots"), path(b"/%25c0%25afadmin", "1.9 twice"),
    path(b"/./admin"), path(b"/x/../admin"), path(b"/../admin"), path(b"/admin/."),
    path(b"/admin/.."), path(b"/admin/../x"), path(b"/x/.."), path(b"/x/."), path(b"/.."),
    path(b"/%2e/admin"), path(b"/x/%2e%2e/admin"), path(b"/x/.%2e/admin"), path(b"/x/%2E./admin"),
    path(b"/x/%252e%252e/admin"), path(b"/x/%252e./admin"), path(b"/x/%25252e%25252e/admin"),
    path(b"/x/%25%32%65%25%32%65/admin"), path(b"/x/..%2fadmin"), path(b"/x/..%252fadmin"),
    path(b"/x%2f..%2fadmin"), path(b"/x%252f..%252fadmin"), path(b"/x%2f%2e%2e%2fadmin"),
    path(b"/%2e%2e%2fadmin"), path(b"/x/..;/admin"), path(b"/x/..;y=1/admin"), path(b"/.;/admin"),
    path(b"/x/..%3b/admin"), path(b"/x/%2e%2e%3by/admin"), path(b"/x/..%5cadmin"),
    path(b"/x%5c..%5cadmin"), path(b"/%5cadmin"), path(b"/%255cadmin"), path(b"/admin%00"),
    path(b"/admin%00.png"), path(b"/admin%2500"), path(b"/admin%250a"), path(b"/x/.%00./admin"),
    path(b"/%2fadmin"), path(b"/%2Fadmin"), path(b"/x/%2f/y"), path(b"/x%2f%2fy"),
    denied(b"/admin"), denied(b"/admin/"), denied(b"/admin/x"), denied(b"/admin?x"),
    denied(b"/admin?"), denied(b"//admin"), denied(b"///admin"), denied(b"//admin//x"),
    denied(b"/admin//"), denied(b"/admin;x"), denied(b"/admin;x=1/y"), denied(b"/admin;"),
    denied(b"/%61dmin"), denied(b"/%61%64%6d%69%6e"), denied(b"/adm%69n/x"), denied(b"/%61dmin;x"),
    denied(b"//%61dmin"), denied(b"/admin/....//x"), denied(b"/admin", b"DELETE"),
    denied(b"/admin", b"OPTIONS"), denied(b"/mixed", b"POST"), denied(b"//mixed", b"POST"),
    denied(b"/%6dixed", b"POST"), denied(b"/mixed;x", b"POST"), denied(b"/mixed?x", b"POST"),
    hunted(b"/admin%2fx"), hunted(b"/admin%2Fx"), hunted(b"/admin%3bx"), hunted(b"/admin%3Bx/y"),
    hunted(b"/admin%3f"), hunted(b"/admin%23"), hunted(b"/admin%20"), hunted(b"/admin."),
    hunted(b"/;x/admin"), hunted(b"/x;/../admin"), hunted(b"/;/admin"), hunted(b"/x/;/admin"),
    hunted(b"/x;a/admin"), hunted(b"/%2561dmin"), hunted(b"/%25%36%31dmin"), hunted(b"/ADMIN"),
    hunted(b"/admin%c2%a0"), hunted(b"/%ef%bc%8fadmin"), hunted(b"/x/..%ef%bc%8fadmin"),
    hunted(b"/%u0061dmin"), hunted(b"/\\admin"), hunted(b"/x/..\\admin"), hunted(b"/admin\\x"),
    hunted(b"/mixed%2f", b"POST"), hunted(b"/mixed/", b"POST"), hunted(b"/mixed", b"post"),
    hunted(b"/mixed", b"Post"), hunted(b"/mixed%3bx", b"POST"), hunted(b"/admin", b"get"),
    hunted(b"/admin", b"FOO"), hunted(b"/admin%2f..%2fadmin"), hunted(b"/mixed", b"HEAD"),
    hunted(b"/%61%2564min"), hunted(b'/admin"'), hunted(b"/admin|"), hunted(b"/admin^"),
    hunted(b"/{proxy+}"), hunted(b"/admin,x"), hunted(b"/admin:80"), hunted(b"/admin&x"),
    hunted(b"/admin=x"), hunted(b"/prod/admin"), hunted(b"/_apis/conformance/prod/admin"),
    kept(b"/a%20b"), kept(b"/a%3Fb"), kept(b"/a%23b"), kept(b"/a%25b"), kept(b"/%C3%A9"),
    kept(b"/a:b@c!d$e&f'g(h)i*j+k,l=m"), kept(b"/..."), kept(b"/..../x"), kept(b"/.x/..y/z.."),
    kept(b"/x//y", b"/x/y", "9 repeated slashes are merged", scope="gateway"),
    kept(b"//x", b"/x", "9 repeated slashes are merged", scope="gateway"),
    kept(b"/x/....//y", b"/x/..../y", "1.9 multi-dot segments are names", scope="gateway"),
    kept(b"/%78", b"/x", "9 unreserved escapes are decoded", scope="gateway"),
    kept(b"/x?a=1&a=2&b=%2e%2e/..;x&c='()*"), kept(b"/x?"), kept(b"/x??a=?"),
    kept(b"/x?%00%0a%ff", rule="1.9 the query is forwarded byte for byte"),
    kept(b"/x?a=//b/../c", rule="1.9 the query is forwarded byte for byte"), kept(b"/x/"),
]
