# SPDX-License-Identifier: Apache-2.0
"""Forwarding and identity fields, underscore spellings, keys (requirements 1.3, 1.10, 1.11)."""
from case import Case, answered, forwarded, get

SPOOFED = [b"X-Forwarded-For", b"X-Forwarded-Host", b"X-Forwarded-Proto", b"X-Forwarded-Port",
           b"X-Forwarded-Prefix", b"X-Forwarded-Server", b"X-Forwarded-Scheme", b"X-Forwarded-Ssl",
           b"Forwarded", b"X-Real-IP", b"X-Client-IP", b"True-Client-IP", b"CF-Connecting-IP",
           b"Front-End-Https", b"X-Original-URL", b"X-Rewrite-URL", b"x-amzn-RequestId",
           b"X-Amzn-Trace-Id", b"X-Amzn-Apigateway-Api-Id"]
UNDERSCORED = [b"X_Forwarded_For", b"X-Forwarded_For", b"X_Real_IP", b"X_Api_Key", b"X-Api_Key",
               b"Authoriza_tion", b"X_Amzn_RequestId", b"Proxy_Connection", b"X_Anything",
               b"Content_Type", b"Ho_st"]


def name(field):
    return field.decode().lower()


def spoofed(field):
    return Case(f"spoofed {field.decode()}", "1.10 removed from whom nobody trusts",
                get(field + b": 6.6.6.6"), forwarded(lacks=[(name(field), b"6.6.6.6")]),
                scope="gateway")


def twice(field):
    return Case(f"spoofed {field.decode()} twice", "1.10 removed, however often it comes",
                get(field + b": 6.6.6.6", field.upper() + b": 6.6.6.6"),
                forwarded(lacks=[(name(field), b"6.6.6.6")]), scope="gateway")


def underscored(field):
    return Case(f"underscore {field.decode()}", "1.3 names with _ are dropped by default",
                get(field + b": 6.6.6.6"), forwarded(lacks=[name(field)]), scope="gateway")


def key(text, *lines):
    return Case(f"key {text}", "1.11 exactly the configured key in the configured place",
                get(*lines, target=b"/keyed"), answered(403), scope="gateway")


GOOD = b"conformance-key-0123456789"

CASES = [
    *[spoofed(field) for field in SPOOFED], *[twice(field) for field in SPOOFED[:4]],
    *[underscored(field) for field in UNDERSCORED],
    Case("own X-Forwarded-For", "1.10 the gateway writes its own", get(),
         forwarded(has={"x-forwarded-for": b"127.0.0.1"})),
    Case("own X-Forwarded-Proto", "contract 5", get(),
         forwarded(has={"x-forwarded-proto": b"http"}), scope="gateway"),
    Case("key right", "1.11", get(b"x-api-key: " + GOOD, target=b"/keyed"),
         forwarded("/keyed"), scope="gateway"),
    Case("key right, name in upper case", "1.11", get(b"X-API-KEY: " + GOOD, target=b"/keyed"),
         forwarded("/keyed"), scope="gateway"),
    key("missing"), key("empty", b"x-api-key:"), key("unknown", b"x-api-key: nobody"),
    key("in other case", b"x-api-key: " + GOOD.upper()), key("prefix", b"x-api-key: " + GOOD[:-1]),
    key("with more behind", b"x-api-key: " + GOOD + b"x"),
    key("in a list", b"x-api-key: " + GOOD + b", other"),
    key("quoted", b'x-api-key: "' + GOOD + b'"'), key("as Bearer", b"x-api-key: Bearer " + GOOD),
    key("twice", b"x-api-key: " + GOOD, b"x-api-key: " + GOOD),
    key("right and wrong", b"x-api-key: " + GOOD, b"x-api-key: nobody"),
    key("wrong and right", b"x-api-key: nobody", b"X-Api-Key: " + GOOD),
    key("of 5000 bytes", b"x-api-key: " + b"k" * 5000), key("underscored", b"x_api_key: " + GOOD),
    key("in the query, misplaced", b"X-Query: x-api-key=" + GOOD),
    key("in Authorization", b"Authorization: " + GOOD), key("in a cookie", b"Cookie: x-api-key=" + GOOD),
    key("with bytes above 0x7f", b"x-api-key: " + GOOD + b"\xff"),
]
