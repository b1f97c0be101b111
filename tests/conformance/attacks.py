# SPDX-License-Identifier: Apache-2.0
"""What the floods send. Each attack runs in a process of its own until told to stop."""
import dataclasses
import select
import socket
import time

HOST = b"Host: a.example\r\n"
GET = b"GET /fine HTTP/1.1\r\n" + HOST + b"\r\n"
BIG = b"GET /big HTTP/1.1\r\n" + HOST + b"\r\n"
UPLOAD = b"POST /fine HTTP/1.1\r\n" + HOST
CHUNKED = UPLOAD + b"Transfer-Encoding: chunked\r\n\r\n"


@dataclasses.dataclass
class Attack:
    name: str
    connections: int
    greeting: bytes = b""       # on every new connection
    drip: bytes = b""           # again and again
    pause: float = 0.0          # between two drips to the same connection
    reads: bool = True          # takes what the gateway answers
    hurry: str = ""             # "close" or "reset" right behind the greeting
    bound_kib: int = 64         # memory of the gateway allowed for each connection
    descriptors: int | None = None  # of the gateway
    reload: bool = False        # before the flood
    settle: bool = True         # all connections are up before anything is measured
    brief: bool = True          # also in the short form
    ended_after: float = 1e9    # seconds: by then the gateway has ended the first connections


class Swarm:
    def __init__(self, attack, port):
        self.attack, self.port = attack, port
        self.sockets = [None] * attack.connections
        self.opened = self.ended = self.sent = 0

    def run(self, stop, ready, tell):
        try:
            while not stop.is_set():
                begun = time.monotonic()
                for slot in range(len(self.sockets)):
                    self._turn(slot)
                    if stop.is_set():
                        break
                ready.set()
                rest = self.attack.pause - (time.monotonic() - begun)
                if rest > 0:
                    stop.wait(rest)
        finally:
            tell.put((self.opened, self.ended, self.sent))
            for sock in self.sockets:
                if sock is not None:
                    sock.close()

    def _turn(self, slot):
        sock = self.sockets[slot]
        try:
            if sock is None:
                self.sockets[slot] = self._open()
                return
            if self._closed(sock) if self.attack.reads else self._hung_up(sock):
                self._end(slot)
            elif self.attack.drip:
                self.sent += sock.send(self.attack.drip)
        except BlockingIOError:
            pass  # it does not read just now
        except OSError:
            self._end(slot)

    def _open(self):
        sock = socket.socket()
        if not self.attack.reads:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.settimeout(2)
        try:
            sock.connect(("127.0.0.1", self.port))
            sock.setblocking(False)
            self.opened += 1
            if self.attack.greeting:
                self.sent += sock.send(self.attack.greeting)
        except OSError:
            sock.close()
            return None
        if self.attack.hurry:
            if self.attack.hurry == "reset":
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            sock.close()
            return None
        return sock

    @staticmethod
    def _closed(sock):
        try:
            return sock.recv(65536) == b""
        except BlockingIOError:
            return False

    @staticmethod
    def _hung_up(sock):
        poll = select.poll()
        poll.register(sock, select.POLLRDHUP)
        return bool(poll.poll(0))

    def _end(self, slot):
        self.sockets[slot].close()
        self.sockets[slot] = None
        self.ended += 1


ATTACKS = [
    Attack("slow heads", 500, b"GET /fine HTTP/1.1\r\n", b"x", pause=0.1, ended_after=3),
    Attack("slow head lines", 500, b"GET /fine HTTP/1.1\r\n" + HOST, b"X: y\r\n", pause=0.1,
           ended_after=3,
           brief=False),
    Attack("slow bodies", 300, UPLOAD + b"Content-Length: 50000\r\n\r\n", b"b", pause=0.1,
           ended_after=14),
    Attack("slow chunks", 300, CHUNKED, b"1\r\nb\r\n", pause=0.1, ended_after=14,
           brief=False),
    Attack("slow readers", 100, BIG, reads=False, pause=0.1, bound_kib=384, ended_after=8),
    Attack("connections that say nothing", 2000, pause=0.1, bound_kib=16, ended_after=3),
    Attack("idle connections after a request", 2000, GET, pause=0.1, bound_kib=16),
    Attack("connection churn", 20, hurry="close", settle=False),
    # As many as the backlog holds may wait for the origin before the resets are seen.
    Attack("requests reset at once", 20, GET, hurry="reset", settle=False, bound_kib=4096),
    Attack("header flood", 20, b"GET /fine HTTP/1.1\r\n" + HOST + b"X: y\r\n" * 20_000,
           settle=False, bound_kib=256),
    Attack("long header lines", 20, b"GET /fine HTTP/1.1\r\n" + HOST, b"X: " + b"v" * 60_000,
           settle=False, bound_kib=256,
           brief=False),
    Attack("garbage", 20, b"\x16\x03\x01garbage\r\n\r\n", settle=False,
           brief=False),
    Attack("huge chunked uploads", 20, CHUNKED, b"10000\r\n" + b"b" * 65536 + b"\r\n",
           settle=False, bound_kib=1024),
    Attack("huge declared uploads", 20, UPLOAD + b"Content-Length: 9000000000000\r\n\r\n",
           b"b" * 65536, settle=False, bound_kib=1024),
    Attack("tiny chunks", 20, CHUNKED, b"1\r\nb\r\n" * 2000, settle=False, bound_kib=1024),
    Attack("tiny chunks with extensions", 20, CHUNKED, (b"1;" + b"e" * 200 + b"\r\nb\r\n") * 100,
           settle=False, bound_kib=1024,
           brief=False),
    Attack("pipelining without reading", 50, GET * 100, GET * 100, reads=False, bound_kib=1024),
    Attack("pipelining of big answers without reading", 20, BIG * 50, BIG * 50, reads=False,
           bound_kib=1024,
           brief=False),
    Attack("descriptors exhausted", 1000, pause=0.05, descriptors=256, settle=False,
           bound_kib=32),
    Attack("descriptors exhausted by requests", 1000, GET, pause=0.05, descriptors=256,
           settle=False, bound_kib=32,
           brief=False),
    Attack("descriptors exhausted after a reload", 1000, GET, pause=0.05, descriptors=256,
           settle=False, bound_kib=32, reload=True),
]
