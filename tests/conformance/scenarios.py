# SPDX-License-Identifier: Apache-2.0
"""Faults that need more than one request or one origin (requirements 3.1 to 3.4). Each function
returns why it failed, or ''."""
import contextlib
import os
import socket
import time

from fault_checks import fetch, request_bytes
from fault_origin import FaultOrigin, Play, ok
from subject import Subject
from wire import eventually, free_port

FINE = b"fine"


@contextlib.contextmanager
def setup(name, plays=None, dead=0, **settings):
    """A subject in front of one origin, and of `dead` ports where nobody listens."""
    origin = FaultOrigin(plays or {})
    subject = Subject(name, [origin.port] + [free_port() for _ in range(dead)], **settings)
    try:
        yield subject, origin
    finally:
        subject.stop()
        origin.close()


def once(subject, target=b"/fine", method=b"GET", upload=b"", seconds=4.0):
    with subject.client(seconds) as client:
        return fetch(client, request_bytes(method, target, upload))


def got(seen, *statuses):
    response = seen.response
    return response is not None and response.complete and response.status in statuses


def accepting(name, mode, statuses, within):
    """What happens at accept, with nothing read: refused, closed, reset, held."""
    with setup(name) as (subject, origin):
        origin.on_accept = mode
        seen = once(subject)
        if not got(seen, *statuses) or seen.seconds > within:
            return f"{seen.response} after {seen.seconds:.2f} s, wanted {statuses}"
        origin.drop_all()
        origin.on_accept = None
        back = eventually(lambda: got(once(subject), 200), 8)
        return "" if back else "does not recover"


def refused(name):
    """connection refused: 502, at once; again 200 when somebody listens"""
    port = free_port()
    subject = Subject(name, [port])
    try:
        seen = once(subject)
        if not got(seen, 502) or seen.seconds > 0.5:
            return f"{seen.response} after {seen.seconds:.2f} s, wanted 502"
        origin = FaultOrigin({}, port)
        back = eventually(lambda: got(once(subject), 200), 8)
        origin.close()
        return "" if back else "does not recover"
    finally:
        subject.stop()


def closed_at_accept(name):
    """closed at accept: 502"""
    return accepting(name, "close", (502,), 1.0)


def reset_at_accept(name):
    """reset at accept: 502"""
    return accepting(name, "reset", (502,), 1.0)


def held_at_accept(name):
    """accepted and never read: 504 in time"""
    return accepting(name, "hold", (504,), 2.6)


def unanswered_syn(name):
    """SYN unanswered: 504 within the connect timeout"""
    with socket.socket() as full, contextlib.ExitStack() as crowd:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for _ in range(4):  # fill the backlog: further SYNs are dropped
            s = crowd.enter_context(socket.socket())
            s.setblocking(False)
            s.connect_ex(full.getsockname())
        subject = Subject(name, [full.getsockname()[1]], connect_millis=500)
        try:
            seen = once(subject)
            fits = got(seen, 504) and seen.seconds < 1.2
            return "" if fits else f"{seen.response} after {seen.seconds:.2f} s, wanted 504"
        finally:
            subject.stop()


def idle_closed(name):
    """pooled connection closed while idle: the next GET and POST never notice"""
    with setup(name) as (subject, origin):
        for i in range(20):
            method = b"POST" if i % 2 else b"GET"
            if not got(once(subject, b"/fine-%d" % i, method), 200):
                return f"request {i} failed"
            origin.drop_all()
            eventually(lambda: origin.open_connections() == 0)
        return ""


def stale_after_first(first_then):
    """A play whose second request on a connection ends it without an answer."""
    seen = set()

    def play(arrival):
        if arrival.connection in seen:
            return Play((), first_then)
        seen.add(arrival.connection)
        return Play((ok(FINE),))
    return play


def lost_race(name, method, then):
    """A pooled connection that dies when the next request is already on it."""
    with setup(name, {"race": stale_after_first(then)}) as (subject, origin):
        outcomes = []
        for i in range(10):
            target = b"/race/%d" % i
            seen = once(subject, target, method, b"body" if method == b"POST" else b"")
            outcomes.append(seen.response.status if seen.response else None)
            times = origin.count(target.decode(), method.decode())
            if method == b"POST" and times > 1:
                return f"a POST reached the origin {times} times"
            if method == b"POST" and outcomes[-1] == 502 and times != 1:
                return "502 for a POST that could have been sent"
        wanted = {200} if method == b"GET" else {200, 502}
        return "" if set(outcomes) <= wanted else f"statuses {outcomes}"


def get_loses_race_fin(name):
    """stale pooled connection (FIN): GET retried, the client never notices"""
    return lost_race(name, b"GET", "close")


def get_loses_race_rst(name):
    """stale pooled connection (RST): GET retried, the client never notices"""
    return lost_race(name, b"GET", "reset")


def post_loses_race_fin(name):
    """stale pooled connection (FIN): POST never runs twice"""
    return lost_race(name, b"POST", "close")


def post_loses_race_rst(name):
    """stale pooled connection (RST): POST never runs twice"""
    return lost_race(name, b"POST", "reset")


def post_on_fresh(name):
    """POST whose fresh connection dies after it was written: 502, once"""
    with setup(name, {"die": Play((), "reset")}) as (subject, origin):
        seen = once(subject, b"/die/1", b"POST", b"x" * 100)
        times = origin.count("/die/1")
        return "" if got(seen, 502) and times == 1 else f"{seen.response}, {times} times"


def dead_second(name):
    """one of two targets refuses: no request fails"""
    with setup(name, dead=1) as (subject, _):
        for i in range(40):
            seen = once(subject, b"/fine-%d" % i, b"POST" if i % 2 else b"GET")
            if not got(seen, 200):
                return f"request {i} got {seen.response}"
        return ""


def hanging_second(name):
    """one of two targets hangs: it is skipped, and comes back"""
    hanging, good = FaultOrigin({}), FaultOrigin({})
    hanging.on_accept = "hold"
    subject = Subject(name, [hanging.port, good.port], backend_millis=700)
    try:
        statuses = []
        for i in range(30):
            seen = once(subject, b"/fine-%d" % i)
            statuses.append(seen.response.status if seen.response else None)
        if statuses.count(200) < 27:
            return f"{30 - statuses.count(200)} of 30 failed: {statuses}"
        hanging.on_accept = None
        hanging.drop_all()
        back = eventually(lambda: got(once(subject), 200) and len(hanging.requests) > 0, 10)
        return "" if back else "does not come back"
    finally:
        subject.stop()
        hanging.close()
        good.close()


def all_dead(name):
    """all targets dead: 502 or 503, fast, and recovery"""
    ports = [free_port(), free_port()]
    subject = Subject(name, ports)
    try:
        for _ in range(10):
            seen = once(subject)
            if not got(seen, 502, 503) or seen.seconds > 0.3:
                return f"{seen.response} after {seen.seconds:.2f} s"
        origin = FaultOrigin({}, ports[1])
        back = eventually(lambda: got(once(subject), 200), 10)
        origin.close()
        return "" if back else "does not recover"
    finally:
        subject.stop()


def no_target_says_when(name):
    """all targets resting: 503 with Retry-After"""
    subject = Subject(name, [free_port(), free_port()])
    try:
        for _ in range(4):
            seen = once(subject)
        fits = got(seen, 503) and seen.response.value("retry-after")
        return "" if fits else f"{seen.response} {seen.response and seen.response.fields}"
    finally:
        subject.stop()


def client_leaves(name, then):
    with setup(name, {"slow": Play((), "hold")}) as (subject, origin):
        client = subject.client()
        client.send(request_bytes(b"GET", b"/slow"))
        if not eventually(lambda: origin.count("/slow") == 1):
            return "never arrived"
        begun = time.monotonic()
        (client.abort if then == "reset" else client.close)()
        left = eventually(lambda: origin.open_connections() == 0, 3)
        took = time.monotonic() - begun
        return "" if left and took < 1.2 else f"upstream connection open after {took:.1f} s"


def client_closes(name):
    """client closes while it waits: the upstream request is cancelled within a second"""
    return client_leaves(name, "close")


def client_resets(name):
    """client resets while it waits: the upstream request is cancelled within a second"""
    return client_leaves(name, "reset")


def client_resets_behind_request(name):
    """client resets right behind its request: nothing is left upstream within a second"""
    with setup(name, {"slow": Play((), "hold")}) as (subject, origin):
        for i in range(5):
            client = subject.client()
            client.send(request_bytes(b"GET", b"/slow/%d" % i))
            client.abort()
            begun = time.monotonic()
            got(once(subject), 200)  # whatever was sent upstream is there by now
            left = eventually(lambda: origin.open_connections() <= 1, 3)  # one may be pooled
            if not left or time.monotonic() - begun > 1.2:
                return f"upstream connection open after {time.monotonic() - begun:.1f} s"
        return ""


def client_leaves_mid_response(name):
    """client leaves during a long response: the upstream connection is closed"""
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n"
    play = Play((head, *[b"x" * 65536] * 1500), "keep")
    with setup(name, {"long": play}) as (subject, origin):
        client = subject.client(receive_buffer=4096)
        client.send(request_bytes(b"GET", b"/long"))
        client.fill()
        client.abort()
        left = eventually(lambda: origin.open_connections() == 0, 3)
        return "" if left else "upstream connection stays"


def memory_of_a_slow_reader(name):
    """a client that does not read: the gateway stops reading from the origin"""
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n"
    with setup(name, {"long": Play((head, *[b"x" * 65536] * 1500), "keep")}) as (subject, _):
        before = subject.resident_kib()
        clients = [subject.client(receive_buffer=4096) for _ in range(20)]
        for client in clients:
            client.send(request_bytes(b"GET", b"/long"))
            client.fill()
        grown = 0
        ends = time.monotonic() + 1.0  # there is no state to wait for: nothing more must happen
        while time.monotonic() < ends:
            grown = max(grown, subject.resident_kib() - before)
            time.sleep(0.05)
        for client in clients:
            client.abort()
        bounded = grown < 20 * 1024 or "SLUICE_SANITIZED" in os.environ
        return "" if bounded else f"memory grew by {grown} KiB for 20 clients"


SCENARIOS = [refused, closed_at_accept, reset_at_accept, held_at_accept, unanswered_syn,
             idle_closed, get_loses_race_fin, get_loses_race_rst, post_loses_race_fin,
             post_loses_race_rst, post_on_fresh, dead_second, hanging_second, all_dead,
             no_target_says_when, client_closes, client_resets,
             client_resets_behind_request, client_leaves_mid_response,
             memory_of_a_slow_reader]
