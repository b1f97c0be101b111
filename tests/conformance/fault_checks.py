# SPDX-License-Identifier: Apache-2.0
"""Judges one fault: what the client saw, whether anything leaked, and what the next request got."""
import dataclasses
import time

from wire import Broken, TimedOut, eventually


@dataclasses.dataclass
class Seen:
    response: object = None
    broken: str = ""
    late: bool = False
    seconds: float = 0.0
    received: bytes = b""


def fetch(client, request, to_head=False):
    """The final response and every byte that came."""
    seen, begun = Seen(), time.monotonic()
    kept = client.fill

    def fill():
        before = len(client.input)
        more = kept()
        seen.received += client.input[before:]
        return more
    client.fill = fill
    try:
        client.send_until_answered(request)
        seen.response = client.read_response(to_head)
    except TimedOut:
        seen.late = True
    except Broken as fault:
        seen.broken = str(fault)
    client.fill = kept
    seen.seconds = time.monotonic() - begun
    return seen


def request_bytes(method, target, upload=b"", *lines):
    head = [method + b" " + target + b" HTTP/1.1", b"Host: a.example", *lines]
    if upload or method == b"POST":
        head.append(b"Content-Length: %d" % len(upload))
    return b"\r\n".join(head) + b"\r\n\r\n" + upload


def judge_row(row, seen):
    """(missed, unsafe): why the row was missed, and whether that is a danger to the client."""
    unsafe = _danger(row, seen)
    if unsafe:
        return unsafe, unsafe
    if seen.late or seen.seconds > row.within:
        return f"answer after {seen.seconds:.2f} s, wanted {row.within}", ""
    outcomes = row.want.split(" or ")
    reasons = [_CHECKS[outcome](row, seen) for outcome in outcomes]
    return ("" if "" in reasons else reasons[0]), ""


def _danger(row, seen):
    response = seen.response
    if b"LE-K" in seen.received:
        return f"bytes of the fault reached the client: {seen.received[-120:]!r}"
    if response is not None and response.value("x-injected"):
        return "a field of the fault reached the client"
    if row.want in ("cut", "error or cut", "error") and response is not None \
            and response.complete and response.status == 200:
        return f"presented as complete: {response}"
    return ""


def _is_error(row, seen):
    response = seen.response
    if response is None:
        return f"no answer ({seen.broken or 'closed'}), wanted {row.statuses}"
    if response.status not in row.statuses or not response.complete:
        return f"answer {response}, wanted {row.statuses}"
    return ""


def _is_cut(_row, seen):
    response = seen.response
    if seen.broken or response is None or not response.complete:
        return ""
    # Nothing had gone out: the gateway may still say what happened.
    return "" if response.status in (502, 504) else f"answer {response}, wanted a visible cut"


def _passes(row, seen):
    response = seen.response
    if response is None or not response.complete:
        return f"answer {response} {seen.broken}, wanted {row.status} {row.body[:20]!r}"
    if response.status != row.status or response.body != row.body:
        return f"answer {response}, wanted {row.status} {row.body[:20]!r}"
    for name, value in row.has.items():
        if response.value(name) != value:
            return f"{name} is {response.value(name)}, wanted {value}"
    present = [name for name in row.lacks if response.values(name)]
    return f"fields reached the client: {present}" if present else ""


_CHECKS = {"error": _is_error, "cut": _is_cut, "passes": _passes}


class RowRunner:
    def __init__(self, subject, origin):
        self.subject, self.origin, self.number = subject, origin, 0

    def warm_up(self):
        """What is opened once and stays is open afterwards."""
        self._next_on_other("/fine-first")
        settled(self.origin)

    def run(self, row):
        self.number += 1
        path, after = f"/{row.name}/{self.number}".replace(" ", "-"), f"/fine-{self.number}"
        self.origin.plays[path.split("/")[1]] = row.play
        with self.subject.client(row.within + 3) as client:
            request = request_bytes(row.method, path.encode(), b"u" * row.upload)
            seen = fetch(client, request, row.method == b"HEAD")
            missed, unsafe = judge_row(row, seen)
            reason = self._closes_stray(row, path) or self._next_on_same(client, seen, after + "-same")
        reason = reason or self._next_on_other(after)
        if reason:
            return reason, reason
        if not missed and not row.reuse:
            missed = unsafe = self._reused(path, after)
        return missed, unsafe

    def _closes_stray(self, row, path):
        """Bytes on an idle connection end it; only then is the next request sure to be answered
        by its own answer."""
        if not row.play.after:
            return ""
        number = self.origin.connection_of(path)
        gone = eventually(lambda: not self.origin.is_open(number), 2)
        return "" if gone else "connection with stray bytes stays open"

    def _reused(self, path, after):
        before = self.origin.connection_of(path)
        after_it = [self.origin.connection_of(after), self.origin.connection_of(after + "-same")]
        return "the origin's connection was used again" if before and before in after_it else ""

    def _next_on_same(self, client, seen, target):
        """The client's connection, if it goes on, is in step."""
        response = seen.response
        if seen.broken or seen.late or response is None or not response.complete:
            return ""
        if (response.value("connection") or b"").lower() == b"close":
            return ""
        client.extend(3)
        following = fetch(client, request_bytes(b"GET", target.encode()))
        if following.response is None and not following.received and not following.late:
            return ""  # closed
        return self._is_fine(following, target)

    def _next_on_other(self, target):
        with self.subject.client(3) as client:
            return self._is_fine(fetch(client, request_bytes(b"GET", target.encode())), target)

    def _is_fine(self, seen, target):
        response = seen.response
        if response is None or response.status != 200 or not response.complete:
            return f"the next request got {response} {seen.broken}"
        if response.body != b"fine " + target.encode():
            return f"the next request got another's answer: {response.body[:80]!r}"
        return ""


def settled(origin):
    """No connection of the gateway's left, once the idle ones are dropped."""
    origin.drop_all()
    return eventually(lambda: origin.open_connections() == 0)
