# SPDX-License-Identifier: Apache-2.0
"""An origin that misbehaves as the path of a request tells it to."""
import dataclasses
import select
import socket
import threading

from origin import Ambiguous, Arrival, Stream, Truncated, read_body, read_head

RESET = b"\1\0\0\0\0\0\0\0"  # struct linger: on, no time


@dataclasses.dataclass
class Play:
    """What is sent: bytes, and pauses in seconds between them. Afterwards the connection is kept
    ("keep"), closed ("close"), reset ("reset") or silent until the gateway speaks ("hold"). `early`: before
    the request's body is read. `after`: bytes sent once the connection idles."""
    pieces: tuple
    then: str = "keep"
    early: bool = False
    after: bytes = b""


class Connection:
    def __init__(self, origin, sock, number):
        self.origin, self.socket, self.number = origin, sock, number
        self.stream = Stream(sock)

    def serve(self):
        try:
            with self.socket:
                while self._serve_one():
                    pass
        except (OSError, Truncated):
            pass  # ended by the gateway: its right
        finally:
            self.origin.forget(self)

    def _serve_one(self):
        arrival = Arrival(self.number)
        try:
            read_head(self.stream, arrival)
            play = self.origin.play_for(arrival)
            if not play.early:
                read_body(self.stream, arrival)
        except Truncated:
            return False
        except Ambiguous as fault:
            self.origin.note_fault(str(fault))
            return False
        self.origin.note(arrival)
        kept = self._perform(play)
        if kept and play.early:
            read_body(self.stream, arrival)
        return kept

    def _perform(self, play):
        self.socket.settimeout(None)
        for piece in play.pieces:
            if isinstance(piece, bytes):
                self.socket.sendall(piece)
            elif self._gone(piece):
                return False
        if play.after:
            self.socket.sendall(play.after)
        if play.then == "reset":
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        if play.then == "hold":
            return self._spoken_to(20.0)
        if play.then == "close":
            self.socket.shutdown(socket.SHUT_WR)
            self._gone(2.0)
        return play.then == "keep"

    def _spoken_to(self, seconds):
        """Waits until the gateway sends the next request here, or leaves."""
        self.socket.settimeout(seconds)
        return self.socket.recv(1, socket.MSG_PEEK) != b""

    def _gone(self, seconds):
        """Waits, but no longer than the gateway stays; True if it left."""
        poll = select.poll()
        poll.register(self.socket, select.POLLRDHUP | select.POLLHUP | select.POLLERR)
        return bool(poll.poll(seconds * 1000))


class FaultOrigin:
    """`plays`: path -> Play or function of the arrival giving one."""

    def __init__(self, plays, port=0, backlog=512):
        self.plays = plays
        self.lock = threading.Lock()
        self.requests, self.faults, self.connections = [], [], set()
        self.accepted = 0
        self.on_accept = None  # "close", "reset", "hold": instead of serving
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        self.listener.bind(("127.0.0.1", port))
        self.listener.listen(backlog)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            with self.lock:
                self.accepted += 1
                connection = Connection(self, sock, self.accepted)
                self.connections.add(connection)
            if self.on_accept in ("close", "reset"):
                if self.on_accept == "reset":
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                sock.close()
                self.forget(connection)
            elif self.on_accept != "hold":
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                threading.Thread(target=connection.serve, daemon=True).start()

    def play_for(self, arrival):
        play = self.plays.get(arrival.target.split("?")[0].split("/")[1])
        if play is None:
            body = b"fine " + arrival.target.encode("latin-1")
            return Play((ok(body),))
        return play(arrival) if callable(play) else dataclasses.replace(play)

    def note(self, arrival):
        with self.lock:
            self.requests.append(arrival)

    def note_fault(self, fault):
        with self.lock:
            self.faults.append(fault)

    def forget(self, connection):
        with self.lock:
            self.connections.discard(connection)

    def count(self, target, method=None):
        with self.lock:
            return sum(r.target == target and method in (None, r.method) for r in self.requests)

    def connection_of(self, target):
        with self.lock:
            found = [r.connection for r in self.requests if r.target == target]
        return found[-1] if found else None

    def is_open(self, number):
        with self.lock:
            return any(c.number == number for c in self.connections)

    def open_connections(self):
        with self.lock:
            return len(self.connections)

    def drop_all(self):
        """Closes what is open; the gateway's idle connections end with it."""
        with self.lock:
            connections = list(self.connections)
        for connection in connections:
            try:
                connection.socket.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            if self.on_accept == "hold":
                connection.socket.close()
                self.forget(connection)

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)  # wakes the accepting thread
        self.listener.close()
        self.drop_all()


def ok(body, *lines):
    return b"\r\n".join([b"HTTP/1.1 200 OK", *lines, b"Content-Length: %d" % len(body), b"", b""]) \
        + body
