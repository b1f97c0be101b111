#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Floods the gateway, or a peer, while polite clients go on next to it: they keep 99.9 % success,
and the gateway's memory stays within a bound.

    floods.py [--binary PATH] [--peer nginx|haproxy] [--seconds N] [--only TEXT] [--markdown]
              [--brief]
"""
import argparse
import multiprocessing
import os
import sys
import threading
import time

import costs
from attacks import ATTACKS, Swarm
from fault_origin import FaultOrigin, Play
from subject import Subject
from wire import Broken, Client, TimedOut, eventually

BIG_HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 4194304\r\n\r\n"
BASE_KIB = 8192   # allocators and pools, whatever the number of connections
CALM = b"GET /calm HTTP/1.1\r\nHost: a.example\r\n\r\n"  # has an origin of its own
PATIENCE = 5.0    # of a polite client, seconds for one request


def serve_origin(port_back):
    origin = FaultOrigin({"big": Play((BIG_HEAD, *[b"b" * 65536] * 64))})
    port_back.put(origin.port)
    threading.Event().wait()


def start_origin():
    """The port of an origin in a process of its own."""
    context = multiprocessing.get_context("fork")
    port_back = context.Queue()
    context.Process(target=serve_origin, args=(port_back,), daemon=True).start()
    return port_back.get(timeout=10)


def attack_process(attack, port, stop, ready, tell):
    Swarm(attack, port).run(stop, ready, tell)


class Polite(threading.Thread):
    """Asks again and again; `fresh`: on a new connection each time."""

    def __init__(self, port, stop, fresh):
        super().__init__()
        self.port, self.stop, self.fresh = port, stop, fresh
        self.good, self.bad, self.slowest, self.client = 0, [], 0.0, None
        self.told_to_leave = False

    def run(self):
        while not self.stop.is_set():
            begun = time.monotonic()
            try:
                reason = self._one()
            except (Broken, TimedOut, OSError) as fault:
                reason = f"{type(fault).__name__} {fault}"
            self.slowest = max(self.slowest, time.monotonic() - begun)
            if reason:
                self.bad.append(reason)
            else:
                self.good += 1
            if reason or self.fresh or self.told_to_leave:
                self._leave()
            self.stop.wait(0.001)
        self._leave()

    def _one(self):
        if self.client is None:
            self.client = Client(self.port, PATIENCE)
        self.client.extend(PATIENCE)
        response = self.client.exchange(CALM)
        self.told_to_leave = response is not None and response.value("connection") == b"close"
        if response is not None and response.status == 200 and response.body == b"fine /calm":
            return ""
        return f"got {response}"

    def _leave(self):
        if self.client is not None:
            self.client.close()
            self.client = None


class Flood:
    def __init__(self, name, origins, attack, seconds):
        self.attack, self.seconds = attack, seconds
        self.subject = Subject(name, origins[:1], calm=origins[1], workers=2, body=1 << 20,
                               descriptors=attack.descriptors)
        self.failures = []

    def run(self):
        try:
            return self._measured()
        finally:
            status = self.subject.stop()
            if status != 0 and self.subject.name == "sluice":
                self.failures.append(f"exit status {status}")

    def _measured(self):
        stop = threading.Event()
        # When descriptors run out, only who is connected already can be sure of service.
        fresh = (False, False) if self.attack.descriptors else (False, False, True)
        people = [Polite(self.subject.port, stop, f) for f in fresh]
        for person in people:
            person.start()
        if not eventually(lambda: all(p.good > 20 for p in people)):
            self.failures.append("no service before the flood")
        if self.attack.reload and not self.subject.reload():
            self.failures.append("no reload")
        idle_descriptors, before = self._descriptors(), self.subject.resident_kib()
        self.subject.reset_peak()
        swarm = self._attack()
        grown = self.subject.peak_kib() - before
        stop.set()
        for person in people:
            person.join()
        self._judge(people, grown, idle_descriptors)
        if self.seconds > self.attack.ended_after and swarm[1] == 0:
            self.failures.append(f"no connection was ended within {self.seconds} s")
        good, bad = sum(p.good for p in people), [r for p in people for r in p.bad]
        return (self.attack.name, swarm, good, len(bad),
                max(p.slowest for p in people) * 1000, before, grown)

    def _descriptors(self):
        """Without the pool's connections, which may stay."""
        return self.subject.descriptors() - self.subject.connections_upstream()

    def _attack(self):
        context = multiprocessing.get_context("fork")
        stop, ready, tell = context.Event(), context.Event(), context.Queue()
        process = context.Process(target=attack_process, daemon=True, args=(
            self.attack, self.subject.port, stop, ready, tell))
        process.start()
        if self.attack.settle:
            ready.wait(20)
        stop.wait(self.seconds)  # the flood's length
        stop.set()
        swarm = tell.get(timeout=20)
        process.join(20)
        return swarm

    def _judge(self, people, grown, idle_descriptors):
        good, bad = sum(p.good for p in people), [r for p in people for r in p.bad]
        if len(bad) > (good + len(bad)) / 1000:
            self.failures.append(f"{len(bad)} of {good + len(bad)} polite requests failed: "
                                 f"{bad[:3]}")
        bound = BASE_KIB + self.attack.connections * self.attack.bound_kib
        if grown > bound and not SANITIZED:
            self.failures.append(f"memory grew by {grown} KiB, bound {bound}")
        if not self.subject.alive():
            self.failures.append("died")
            return
        if not eventually(lambda: self._descriptors() <= idle_descriptors, 8):
            self.failures.append(f"{self._descriptors()} descriptors, {idle_descriptors} before")
        late = Polite(self.subject.port, threading.Event(), True)
        try:
            reason = late._one()
        except (Broken, TimedOut, OSError) as fault:
            reason = repr(fault)
        if reason:
            self.failures.append(f"a new client afterwards: {reason}")


SANITIZED = "SLUICE_SANITIZED" in os.environ  # memory is then the sanitizer's

TITLES = ("flood", "connections opened", "ended by it", "MiB sent", "polite ok", "failed",
          "slowest ms", "RSS MiB", "grown MiB")


def row_of(name, swarm, good, bad, slowest, before, grown):
    opened, ended, sent = swarm
    return (name, opened, ended, f"{sent / 2**20:.1f}", good, bad, f"{slowest:.0f}",
            f"{before / 1024:.1f}", f"{grown / 1024:.1f}")


def show(row, markdown):
    if markdown:
        print("| " + " | ".join(str(cell) for cell in row) + " |", flush=True)
    else:
        print(f"{row[0]:<42}" + "".join(f"{cell!s:>12.12}" for cell in row[1:]), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", default=os.environ.get("SLUICE_BINARY"))
    parser.add_argument("--peer", choices=("nginx", "haproxy"))
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--brief", action="store_true", help="half of the floods, shorter")
    parser.add_argument("--only", default="")
    parser.add_argument("--markdown", action="store_true")
    options = parser.parse_args()
    if options.binary:
        os.environ["SLUICE_BINARY"] = options.binary
    elif not options.peer:
        parser.error("--binary or SLUICE_BINARY is needed")
    if options.brief:
        options.seconds = min(options.seconds, 0.4)
    name, failed, begun = options.peer or "sluice", 0, time.monotonic()
    origins = [start_origin(), start_origin()]
    show(TITLES, options.markdown)
    if options.markdown:
        print("|" + " --- |" * len(TITLES))
    for attack in ATTACKS:
        if options.only not in attack.name or (attack.reload and options.peer) or \
                (options.brief and not attack.brief):
            continue
        flood = Flood(name, origins, attack, options.seconds)
        show(row_of(*flood.run()), options.markdown)
        failed += bool(flood.failures)
        for failure in flood.failures:
            print(f"FAILED {attack.name}: {failure}")
    if not options.only and not options.brief:
        failed += costs.run(name, origins, int(500 * min(options.seconds, 4)))
    print(f"{failed} floods failed, {time.monotonic() - begun:.1f} s")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
