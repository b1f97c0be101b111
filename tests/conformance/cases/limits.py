# SPDX-License-Identifier: Apache-2.0
"""Sizes and counts (requirements 2, contract 3). The body limit is set to 64 KiB; the others are
the defaults."""
from case import SMUGGLED, Case, Do, chunked, forwarded, get, post, refused

LIMIT = 65536
END = b"0\r\n\r\n"


def in_chunks(size, chunk=8192):
    full = b"%x\r\n" % chunk + b"b" * chunk + b"\r\n"
    rest = size % chunk
    return full * (size // chunk) + (b"%x\r\n" % rest + b"b" * rest + b"\r\n" if rest else b"")


CASES = [
    Case("limit target of 4000 bytes", "2: below every limit", get(target=b"/" + b"t" * 3999),
         forwarded("/" + "t" * 3999)),
    Case("limit target of 10240 bytes", "contract 3: targetBytes", get(target=b"/" + b"t" * 10239),
         forwarded("/" + "t" * 10239), scope="gateway"),
    Case("limit target of 10241 bytes", "contract 3: 414", get(target=b"/" + b"t" * 10240) + SMUGGLED,
         refused(414)),
    Case("limit query of 20000 bytes", "2: 414", get(target=b"/x?" + b"q" * 20000) + SMUGGLED,
         refused(414)),
    Case("limit target of 200 KiB", "2: 414", get(target=b"/" + b"t" * 200_000) + SMUGGLED,
         refused(414)),
    Case("limit target without an end", "2: 414 though no line ended", b"GET /" + b"t" * 70_000,
         refused(414)),
    Case("limit method of 50 KiB", "2: refused", b"M" * 50_000 + b" /x HTTP/1.1\r\nHost: a\r\n\r\n",
         refused(400, 414, 431, 501)),
    Case("limit field of 4000 bytes", "2: below every limit", get(b"X: " + b"v" * 4000),
         forwarded(has={"x": b"v" * 4000})),
    Case("limit field of 9 KiB", "contract 3: headerBytes bounds one field too",
         get(b"X: " + b"v" * 9216), forwarded(has={"x": b"v" * 9216}), scope="gateway"),
    Case("limit field of 33 KiB", "contract 3: headerBytes bounds one field too",
         get(b"X: " + b"v" * 33_792) + SMUGGLED, refused(431, 400)),
    Case("limit head of 31 KiB", "contract 3: headerBytes",
         get(*[b"X-%02d: " % i + b"v" * 1000 for i in range(31)]), forwarded(), scope="gateway"),
    Case("limit head of 33 KiB", "2: 431",
         get(*[b"X-%02d: " % i + b"v" * 1024 for i in range(33)]) + SMUGGLED, refused(431, 400)),
    Case("limit head of 1 MiB", "2: 431",
         get(*[b"X-%03d: " % i + b"v" * 10_000 for i in range(100)]) + SMUGGLED, refused(431, 400)),
    Case("limit head without an end", "2: 431 though no line ended",
         b"GET /x HTTP/1.1\r\nHost: a\r\nX: " + b"v" * 100_000, refused(431, 400)),
    Case("limit 100 fields", "2: number of fields", get(*[b"X%d: v" % i for i in range(99)]),
         forwarded()),
    Case("limit 101 fields", "2: 431", get(*[b"X%d: v" % i for i in range(100)]) + SMUGGLED,
         refused(431, 400)),
    Case("limit 2000 fields", "2: 431", get(*[b"a:" for i in range(2000)]) + SMUGGLED,
         refused(431, 400)),
    Case("limit body at it", "2: request body", post(b"Content-Length: %d" % LIMIT, body=b"b" * LIMIT),
         forwarded(method="POST", body=b"b" * LIMIT)),
    Case("limit body above it", "2: 413 as soon as known",
         post(b"Content-Length: %d" % (LIMIT + 1), body=b"b" * (LIMIT + 1)), refused(413)),
    Case("limit body declared above it, not sent", "2: 413 as soon as known",
         post(b"Content-Length: 999999999"), refused(413)),
    Case("limit body of a denied path above it", "2: 413 or 403",
         post(b"Content-Length: 999999999", target=b"/admin"), refused(413, 403)),
    Case("limit chunks at it", "2: request body", chunked(in_chunks(LIMIT) + END),
         forwarded(method="POST", body=b"b" * LIMIT)),
    Case("limit chunks above it", "2: 413 when counted", chunked(in_chunks(LIMIT + 1) + END),
         refused(413, cut=True), scope="gateway"),
    Case("limit one chunk above it", "2: 413 when announced",
         chunked(b"%x\r\n" % (LIMIT + 1) + b"b" * 1000), refused(413, cut=True), scope="gateway"),
    Case("limit chunks without an end", "2: cut at the limit, not read to the end",
         chunked(in_chunks(4 * LIMIT)), refused(413, cut=True), scope="gateway"),
    Case("limit body in two parts", "1.5 streamed",
         [post(b"Content-Length: %d" % LIMIT, body=b"b" * 100), Do("await_origin"),
          b"b" * (LIMIT - 100)], forwarded(method="POST", body=b"b" * LIMIT), scope="gateway"),
]
