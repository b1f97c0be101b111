# SPDX-License-Identifier: Apache-2.0
"""A row of the tables in cases/: bytes to send, and what must then be seen on both sides.

Two verdicts are drawn from one run. `verdict` is the row's own expectation. `safety` is the rule
that holds for any proxy whatever it chose to accept: what reached the origin reads one way only,
every request there was answered to the client in its place (a smuggled one is not, because the
proxy never saw it), and no protected resource was reached.
"""
import dataclasses

import paths

# Behind most refused messages: it must not be served, by the gateway or by the origin.
SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: a.example\r\n\r\n"


@dataclasses.dataclass
class Expect:
    statuses: list              # one set of statuses for each final response, in order
    requests: list              # (method, target, body) that reach the origin; None: not compared
    closed: bool | None = None  # the gateway closes afterwards
    cut: bool = False           # the origin may have seen the beginning of a request
    has: dict = dataclasses.field(default_factory=dict)
    lacks: tuple = ()
    only_guarded: bool = False  # anything, as long as no protected resource is reached
    interim: list = dataclasses.field(default_factory=list)


@dataclasses.dataclass
class Case:
    name: str
    rule: str                   # section of the requirements, and the rule in words
    send: object                # bytes, or a list of bytes and of Do(...) steps
    expect: Expect
    scope: str = "http"         # "gateway": not asked of a plain proxy
    heads: bool = False         # the responses answer HEAD
    seconds: float = 6.0


@dataclasses.dataclass
class Do:
    """A step between bytes: "half_close", "abort", "await_continue", "await_origin"."""
    what: str


@dataclasses.dataclass
class Outcome:
    responses: list
    interim: list
    arrivals: list
    ended: bool = False
    late: bool = False
    broken: str = ""
    in_sync: bool | None = None
    aborted: bool = False       # the client reset the connection
    held: bool = False          # a request towards the origin was left hanging


def refused(*statuses, cut=False):
    """Answered once with one of the statuses, closed, and nothing reached the origin."""
    return Expect([set(statuses)], [], closed=True, cut=cut)


def forwarded(target="/x", method="GET", body=b"", status=200, closed=False, **more):
    """Exactly this request reached the origin, and the connection serves the next one."""
    return Expect([{status}], [(method, target, body)], closed=closed, **more)


def answered(*statuses, closed=None):
    """The gateway's own answer; nothing reached the origin."""
    return Expect([set(statuses)], [], closed=closed)


def sequence(statuses, requests, closed=None, **more):
    return Expect([{s} if isinstance(s, int) else set(s) for s in statuses], requests,
                  closed=closed, **more)


def silent(cut=False):
    """No answer is due and no whole request reached the origin."""
    return Expect([], [], closed=None, cut=cut)


def guarded():
    return Expect([], [], only_guarded=True)


def get(*lines, target=b"/x", method=b"GET", version=b"HTTP/1.1"):
    head = [method + b" " + target + b" " + version, b"Host: a.example", *lines]
    return b"\r\n".join(head) + b"\r\n\r\n"


def post(*lines, body=b"", target=b"/x"):
    return get(*lines, target=target, method=b"POST") + body


def chunked(body, *lines, target=b"/x"):
    """A POST whose chunked body is given as its raw bytes."""
    return post(b"Transfer-Encoding: chunked", *lines, body=body, target=target)


def safety(case, outcome):
    """Why the run was unsafe by the rule for any proxy, or ''."""
    whole = [a for a in outcome.arrivals if a.complete]
    for arrival in outcome.arrivals:
        if arrival.fault not in (None, "truncated"):
            return f"ambiguous bytes reached the origin: {arrival.fault}"
        if arrival.complete and paths.is_protected(arrival.method, arrival.target):
            return f"protected resource reached as {arrival.target}"
    answered_targets = [r.value("x-target") for r in outcome.responses if r.value("x-target")]
    reached = [a.target.encode("latin-1") for a in whole]
    if not outcome.aborted and answered_targets != reached:
        return f"answers to {answered_targets}, but the origin got {reached}"
    if outcome.in_sync is False:
        return "the connection is out of step afterwards"
    if outcome.broken:
        return f"answer is not HTTP: {outcome.broken}"
    return ""


def verdict(case, outcome):
    """Why the row's expectation was missed, or ''."""
    expect = case.expect
    fault = safety(case, outcome)
    if fault:
        return fault
    if expect.only_guarded:
        return "" if outcome.responses or outcome.ended else "no answer in time"
    return _answers(expect, outcome) or _requests(expect, outcome) or _fields(expect, outcome)


def _answers(expect, outcome):
    got = [r.status for r in outcome.responses]
    fits = len(got) == len(expect.statuses) and all(
        status in wanted for status, wanted in zip(got, expect.statuses))
    if not fits:
        wanted = [sorted(s) for s in expect.statuses]
        return f"answers {got}, wanted {wanted}{', late' if outcome.late else ''}"
    if any(not r.complete for r in outcome.responses):
        return "incomplete answer"
    if outcome.interim != expect.interim:
        return f"interim answers {outcome.interim}, wanted {expect.interim}"
    if expect.closed is True and not outcome.ended:
        return "connection stays open"
    if expect.closed is False and outcome.in_sync is not True:
        return "connection does not serve the next request"
    return ""


def _requests(expect, outcome):
    whole = [a for a in outcome.arrivals if a.complete]
    cut = [a for a in outcome.arrivals if not a.complete]
    if cut and not expect.cut:
        return f"part of a request reached the origin: {cut[0].raw[:100]!r}"
    if outcome.held:
        return "a request towards the origin is left hanging"
    if len(whole) != len(expect.requests):
        return f"reached the origin: {[a.target for a in whole]}"
    for arrival, (method, target, body) in zip(whole, expect.requests):
        if (arrival.method, arrival.target) != (method, target):
            return f"origin got {arrival.method} {arrival.target}, wanted {method} {target}"
        if body is not None and arrival.body != body:
            return f"origin got body {arrival.body[:80]!r}"
        if arrival.trailers:
            return f"trailers reached the origin: {arrival.trailers}"
    return ""


def _fields(expect, outcome):
    for arrival in outcome.arrivals:
        for name, value in expect.has.items():
            if arrival.values(name) != [value]:
                return f"{name} is {arrival.values(name)}, wanted {value!r}"
        for name in expect.lacks:
            wanted_gone, forbidden = (name, None) if isinstance(name, str) else name
            values = arrival.values(wanted_gone)
            if values and (forbidden is None or any(forbidden in v for v in values)):
                return f"{wanted_gone} reached the origin: {values}"
    return ""
