# SPDX-License-Identifier: Apache-2.0
"""A client that sends any bytes and reads responses strictly, with one deadline for everything."""
import re
import select
import socket
import time

STATUS_LINE = re.compile(rb"HTTP/1\.[01] ([1-9]\d\d)(?: [\t\x20-\x7e\x80-\xff]*)?\Z")
FIELD = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\x00-\x08\x0a-\x1f\x7f]*?)[ \t]*\Z")


class Broken(Exception):
    """The peer sent something that is not HTTP, or stopped in the middle of a message."""


class TimedOut(Exception):
    """Nothing came until the deadline."""


class Response:
    def __init__(self, status, fields, body=b"", complete=True, reset=False):
        self.status, self.fields, self.body = status, fields, body
        self.complete, self.reset = complete, reset

    def values(self, name):
        return [value for key, value in self.fields if key.lower() == name.lower()]

    def value(self, name):
        values = self.values(name)
        return values[0] if values else None

    def __repr__(self):
        return f"{self.status} {self.body[:60]!r}{'' if self.complete else ' INCOMPLETE'}"


def parse_fields(lines):
    """The fields of the lines of a head; raises Broken at the first that is not one."""
    fields = []
    for line in lines:
        match = FIELD.match(line)
        if match is None:
            raise Broken(f"header line {line[:80]!r}")
        fields.append((match[1].decode(), match[2]))
    return fields


class Client:
    """One connection. Every call ends by the deadline or raises TimedOut."""

    def __init__(self, port, seconds=5.0, receive_buffer=None):
        self.ends = time.monotonic() + seconds
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        if receive_buffer is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.settimeout(seconds)
        self.socket.connect(("127.0.0.1", port))
        self.input = b""
        self.ended = False
        self.was_reset = False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def extend(self, seconds):
        self.ends = time.monotonic() + seconds

    def close(self):
        self.socket.close()

    def abort(self):
        """Closes with a reset."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.socket.close()

    def half_close(self):
        self.socket.shutdown(socket.SHUT_WR)

    def send(self, data):
        """False if the peer no longer takes anything."""
        self._arm()
        try:
            self.socket.sendall(data)
            return True
        except (BrokenPipeError, ConnectionResetError):
            return False
        except socket.timeout as late:
            raise TimedOut("the peer does not read") from late

    def send_slowly(self, data):
        """Every byte in a segment of its own, as long as the peer takes them."""
        for i in range(len(data)):
            if not self.send(data[i:i + 1]):
                return False
        return True

    def send_until_answered(self, data, piece=65536):
        """Sends on until the first byte of an answer is there."""
        for at in range(0, len(data), piece):
            if select.select([self.socket], [], [], 0)[0] or not self.send(data[at:at + piece]):
                return

    def _arm(self):
        left = self.ends - time.monotonic()
        if left <= 0:
            raise TimedOut("deadline")
        self.socket.settimeout(left)

    def fill(self):
        """One read; False at the end of the stream."""
        if self.ended:
            return False
        self._arm()
        try:
            data = self.socket.recv(65536)
        except socket.timeout as late:
            raise TimedOut("no answer") from late
        except ConnectionResetError:
            self.was_reset = self.ended = True
            return False
        self.ended = data == b""
        self.input += data
        return not self.ended

    def at_end(self):
        """Waits for the end of the stream; False if bytes come first. TimedOut if neither."""
        return not self.input and not self.fill()

    def _take(self, count):
        data, self.input = self.input[:count], self.input[count:]
        return data

    def _line(self):
        while b"\n" not in self.input:
            if not self.fill():
                raise Broken(f"ended within a line: {self.input[:80]!r}")
        line = self._take(self.input.index(b"\n") + 1)
        if not line.endswith(b"\r\n") or b"\r" in line[:-2] or b"\0" in line:
            raise Broken(f"line {line[:80]!r}")
        return line[:-2]

    def read_head(self):
        """Status and fields, or None if the connection ended before the first byte."""
        if not self.input and not self.fill():
            return None
        status = self._line()
        match = STATUS_LINE.match(status)
        if match is None:
            raise Broken(f"status line {status[:80]!r}")
        lines = []
        while (line := self._line()) != b"":
            lines.append(line)
        return Response(int(match[1]), parse_fields(lines))

    def read_response(self, to_head=False, interim=False):
        """The next response, final unless `interim`; None at the end of the stream. A body that
        ends early gives a response with complete=False."""
        while True:
            response = self.read_head()
            if response is None or interim or response.status >= 200 or response.status == 101:
                break
        if response is None:
            return None
        lengths = response.values("content-length")
        codings = response.values("transfer-encoding")
        if len(lengths) + len(codings) > 1:
            raise Broken(f"framed more than once: {response.fields}")
        if to_head or response.status < 200 or response.status in (204, 304):
            return response
        try:
            if codings:
                self._read_chunks(response)
            elif lengths:
                self._read_exactly(response, int(lengths[0]))
            else:
                while self.fill():
                    pass
                response.body = self._take(len(self.input))
                response.complete = not self.was_reset
        except Broken:
            response.complete = False
        response.reset = self.was_reset
        return response

    def _read_exactly(self, response, length):
        while len(self.input) < length:
            if not self.fill():
                response.complete = False
                break
        response.body += self._take(length)

    def _read_chunks(self, response):
        while True:
            size = int(self._line().split(b";")[0], 16)
            if size == 0:
                break
            wanted = len(response.body) + size
            self._read_exactly(response, size)
            if len(response.body) < wanted or self._line() != b"":
                raise Broken("chunk")
        while self._line() != b"":
            pass

    def exchange(self, data, to_head=False):
        self.send(data)
        return self.read_response(to_head)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def eventually(condition, seconds=5.0):
    """Polls until the condition holds; its last value."""
    ends = time.monotonic() + seconds
    while not (value := condition()) and time.monotonic() < ends:
        time.sleep(0.005)
    return value
