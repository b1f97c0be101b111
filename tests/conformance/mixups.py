# SPDX-License-Identifier: Apache-2.0
"""Thousands of tagged requests over many connections with random faults: every client gets its own
answer or a clean error, and afterwards nothing is left over (requirements 3.3)."""
import os
import random
import threading
import zlib

from fault_checks import request_bytes, settled
from fault_origin import FaultOrigin, Play, ok
from wire import Broken, TimedOut, eventually

FAULTS = ("close", "reset", "half head", "short", "short chunks", "bad chunk", "extra", "second",
          "slow", "garbage", "two lengths", "forever 100", "close-delimited")
FAULT_SHARE = 0.45


def body_of(tag):
    return b"<%s>" % tag * (1 + zlib.crc32(tag) % 400)


def play_of(arrival):
    """The tag alone decides what happens to its first arrival, so a retry may do better."""
    tag = arrival.target.split("/")[2].encode()
    chance = random.Random(tag + b"%d" % arrival.connection)
    body = body_of(tag)
    if chance.random() >= FAULT_SHARE:
        return Play((ok(body),))
    fault = chance.choice(FAULTS)
    head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body)
    chunk = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n" % (len(body), body)
    strange = ok(b"stray answer to nobody")
    return {
        "close": Play((), "close"), "reset": Play((), "reset"),
        "half head": Play((head[:20],), "close"), "short": Play((head, body[:-1]), "close"),
        "short chunks": Play((chunk,), "close"), "bad chunk": Play((chunk, b"XX\r\n"), "hold"),
        "extra": Play((ok(body) + b"extra bytes",)), "second": Play((ok(body) + strange,)),
        "slow": Play((head, 0.01, body)),
        "garbage": Play((b"garbage\r\n\r\n",), "hold"),
        "two lengths": Play((b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n" + head[17:] + body,),
                            "hold"),
        "forever 100": Play((b"HTTP/1.1 100 Continue\r\n\r\n" * 50,), "hold"),
        "close-delimited": Play((b"HTTP/1.1 200 OK\r\n\r\n", body), "close"),
    }[fault]


class Storm:
    def __init__(self, subject, origin, clients, requests):
        self.subject, self.origin = subject, origin
        self.clients, self.requests = clients, requests
        self.lock = threading.Lock()
        self.counts = {"own answer": 0, "clean error": 0, "visible cut": 0}
        self.failures = []

    def run(self, seed):
        threads = [threading.Thread(target=self._client, args=(seed * 1000 + i,))
                   for i in range(self.clients)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _client(self, number):
        chance, client = random.Random(number), None
        for i in range(self.requests):
            tag = b"%d-%d" % (number, i)
            method = b"POST" if chance.random() < 0.3 else b"GET"
            client = client or self.subject.client(10)
            client.extend(10)
            outcome, fault = self._one(client, method, tag)
            with self.lock:
                if fault:
                    self.failures.append(f"{method.decode()} {tag.decode()}: {fault}")
                else:
                    self.counts[outcome] += 1
            if outcome != "own answer":
                client.close()
                client = None
        if client:
            client.close()

    def _one(self, client, method, tag):
        target = b"/tag/" + tag
        try:
            client.send(request_bytes(method, target, tag if method == b"POST" else b""))
            response = client.read_response()
        except (Broken, TimedOut) as fault:
            return "", f"{type(fault).__name__} {fault}"
        if method == b"POST" and self.origin.count(target.decode()) > 1:
            return "", "reached the origin twice"
        if response is None:
            return "", "closed without an answer"
        if not response.complete:
            own = body_of(tag).startswith(response.body)
            return "visible cut", "" if own else f"foreign bytes {response.body[:60]!r}"
        if response.status == 200:
            own = response.body == body_of(tag)
            return "own answer", "" if own else f"foreign answer {response.body[:60]!r}"
        if response.status in (502, 503, 504):
            return "clean error", ""
        return "", f"answer {response}"


def run(subject, origin, clients=16, requests=110, rounds=3):
    """(summary, failures). The first round warms up; the others must not leave anything."""
    Storm(subject, origin, 1, 1).run(99)
    settled(origin)
    idle = subject.descriptors()
    totals, failures, resident = {}, [], []
    for seed in range(rounds):
        storm = Storm(subject, origin, clients, requests)
        storm.run(seed)
        failures += storm.failures
        for key, count in storm.counts.items():
            totals[key] = totals.get(key, 0) + count
        if not settled(origin):
            failures.append("the gateway keeps connections to the origin")
        if not eventually(lambda: subject.descriptors() <= idle, 5):
            failures.append(f"{subject.descriptors()} descriptors, {idle} at the start")
        resident.append(subject.resident_kib())
    grown = resident[-1] - resident[0]
    if grown > 2048 and "SLUICE_SANITIZED" not in os.environ:
        failures.append(f"memory grew by {grown} KiB after the first round: {resident}")
    faults = totals["clean error"] + totals["visible cut"]
    if faults < 1000:
        failures.append(f"only {faults} faults were seen by clients")
    summary = (f"{sum(totals.values())} tagged requests on {clients} connections: {totals}; "
               f"descriptors {idle} -> {subject.descriptors()}, resident KiB {resident}")
    return summary, failures


def plays():
    return {"tag": play_of}


def origin():
    return FaultOrigin(plays())
