# SPDX-License-Identifier: Apache-2.0
"""What a refusal costs the gateway's processor, against a served request on a fresh connection."""
from subject import Subject
from wire import Client

HOST = b"Host: a.example\r\n"
SERVED = b"GET /calm HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n"
REFUSED = [
    ("malformed, 400", b"GET /calm HTTP/1.1\r\nHost : a\r\n\r\n", (400,)),
    ("length and coding, 400", b"POST /calm HTTP/1.1\r\n" + HOST +
     b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", (400,)),
    ("encoded dots, 400", b"GET /x/%2e%2e/admin HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n",
     (400, 403)),
    ("no key, 403", b"GET /admin HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n", (403,)),
    ("version, 505", b"GET /calm HTTP/3.0\r\n" + HOST + b"\r\n", (505, 400)),
    ("long target, 414", b"GET /" + b"t" * 12_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n", (414, 400)),
]
NOISE = 1.25  # refused and served are both a few dozen microseconds


def microseconds(subject, request, statuses, count):
    """Processor time of the gateway per request; each on its own connection."""
    before = subject.processor_seconds()
    for _ in range(count):
        with Client(subject.port) as client:
            response = client.exchange(request)
            if response is None or response.status not in statuses:
                raise RuntimeError(f"{request[:60]!r} got {response}")
            client.at_end()
    return (subject.processor_seconds() - before) * 1e6 / count


def run(name, origins, count):
    """Prints the table; 1 if a refusal is dearer than service."""
    subject = Subject(name, origins[:1], calm=origins[1])
    try:
        microseconds(subject, SERVED, (200,), 50)  # warm
        served = microseconds(subject, SERVED, (200,), count)
        print(f"processor time: served {served:.0f} us", end="")
        dear = []
        for text, request, statuses in REFUSED:
            cost = microseconds(subject, request, statuses, count)
            print(f"; {text} {cost:.0f} us", end="")
            if cost > served * NOISE:
                dear.append(text)
        print(flush=True)
    finally:
        subject.stop()
    if dear:
        print(f"FAILED refusals dearer than service: {dear}")
    return bool(dear)
