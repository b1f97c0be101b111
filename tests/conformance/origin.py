# SPDX-License-Identifier: Apache-2.0
"""The recording origin: keeps every byte the gateway sends, reads it with a parser that accepts
only what cannot be read in two ways, and answers 200."""
import re
import socket
import threading

REQUEST_LINE = re.compile(
    rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+) (/[\x21-\x7e\x80-\xff]*|\*|(?i:https?)://[\x21-\x7e]+"
    rb"|[0-9A-Za-z.:-]+) HTTP/1\.([01])\Z")
# Control bytes in a value are invalid, but they end nothing (RFC 9110 5.5).
FIELD = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\x00\r\n]*?)[ \t]*\Z")
SIZE_LINE = re.compile(rb"([0-9A-Fa-f]{1,16})\Z")
ONLY_ONCE = ("host", "content-length", "transfer-encoding")


class Ambiguous(Exception):
    """Bytes that another parser might read differently."""


class Truncated(Exception):
    """The gateway closed in the middle of a request."""


class Arrival:
    """One request as it came, or the part of it that came."""

    def __init__(self, connection):
        self.connection = connection
        self.raw, self.body, self.fault = b"", b"", None
        self.method = self.target = ""
        self.fields, self.trailers = [], []

    @property
    def complete(self):
        return self.fault is None

    def values(self, name):
        return [value for key, value in self.fields if key.lower() == name.lower()]

    def names(self):
        return {key.lower() for key, _ in self.fields}

    def __repr__(self):
        return f"<{self.method} {self.target} {self.fault or 'complete'} {self.raw[:300]!r}>"


class Stream:
    def __init__(self, connection):
        self.connection, self.input, self.raw = connection, b"", b""

    def fill(self):
        try:
            data = self.connection.recv(65536)
        except OSError:
            data = b""
        if not data:
            raise Truncated()
        self.input += data
        self.raw += data

    def line(self):
        while b"\n" not in self.input:
            if len(self.input) > 200_000:
                raise Ambiguous("endless line")
            self.fill()
        at = self.input.index(b"\n") + 1
        line, self.input = self.input[:at], self.input[at:]
        if not line.endswith(b"\r\n") or b"\r" in line[:-2] or b"\0" in line:
            raise Ambiguous(f"line end in {line[:80]!r}")
        return line[:-2]

    def exactly(self, count):
        while len(self.input) < count:
            self.fill()
        data, self.input = self.input[:count], self.input[count:]
        return data


def read_fields(stream):
    fields = []
    while (line := stream.line()) != b"":
        match = FIELD.match(line)
        if match is None:
            raise Ambiguous(f"field line {line[:80]!r}")
        fields.append((match[1].decode(), match[2]))
    return fields


def check_fields(arrival, minor_version):
    for name in ONLY_ONCE:
        if len(arrival.values(name)) > 1:
            raise Ambiguous(f"{name} twice")
    for name in arrival.names():
        if "_" in name and name.replace("_", "-") in ONLY_ONCE:
            raise Ambiguous(f"look-alike {name}")
    if minor_version == b"1" and not arrival.values("host"):
        raise Ambiguous("no Host")
    if arrival.values("content-length") and arrival.values("transfer-encoding"):
        raise Ambiguous("Content-Length and Transfer-Encoding")


def read_body(stream, arrival):
    lengths, codings = arrival.values("content-length"), arrival.values("transfer-encoding")
    if lengths:
        if re.fullmatch(rb"[0-9]+", lengths[0]) is None or int(lengths[0]) >= 1 << 63:
            raise Ambiguous(f"Content-Length {lengths[0]!r}")
        arrival.body = stream.exactly(int(lengths[0]))
    elif codings:
        if codings[0].lower() != b"chunked":
            raise Ambiguous(f"Transfer-Encoding {codings[0]!r}")
        while True:
            line = stream.line()
            if SIZE_LINE.match(line) is None:
                raise Ambiguous(f"chunk size {line[:80]!r}")
            size = int(line, 16)
            if size == 0:
                arrival.trailers = read_fields(stream)
                return
            arrival.body += stream.exactly(size)
            if stream.line() != b"":
                raise Ambiguous("chunk longer than its size")


def read_head(stream, arrival):
    line = stream.line()
    match = REQUEST_LINE.match(line)
    if match is None:
        raise Ambiguous(f"request line {line[:80]!r}")
    arrival.method, arrival.target = match[1].decode(), match[2].decode("latin-1")
    arrival.fields = read_fields(stream)
    check_fields(arrival, match[3])


def read_request(stream, arrival):
    read_head(stream, arrival)
    read_body(stream, arrival)


class Origin:
    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port = self.listener.getsockname()[1]
        self.lock = threading.Lock()
        self.arrivals = []
        self.open = {}
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        number = 0
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            number += 1
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._serve, args=(connection, number), daemon=True).start()

    def _serve(self, connection, number):
        stream = Stream(connection)
        with connection:
            while self._serve_one(stream, connection, number):
                pass

    def _serve_one(self, stream, connection, number):
        arrival = Arrival(number)
        stream.raw = stream.input
        with self.lock:
            self.open[number] = stream
        try:
            read_request(stream, arrival)
        except Truncated:
            arrival.fault = "truncated"
        except Ambiguous as fault:
            arrival.fault = str(fault)
        arrival.raw = stream.raw[:len(stream.raw) - len(stream.input)] if arrival.complete \
            else stream.raw
        with self.lock:
            self.open.pop(number, None)
            if arrival.raw:
                self.arrivals.append(arrival)
        if not arrival.complete:
            return False
        body = b"" if arrival.method == "HEAD" else b"ok"
        head = b"HTTP/1.1 200 OK\r\nX-Target: " + arrival.target.encode("latin-1") + \
            b"\r\nContent-Length: 2\r\n\r\n"
        try:
            connection.sendall(head + body)
        except OSError:
            return False
        return True

    def take(self):
        """Everything that came since the last call."""
        with self.lock:
            arrivals, self.arrivals = self.arrivals, []
        return arrivals

    def unfinished(self):
        """Bytes of requests that have begun and are still coming."""
        with self.lock:
            return sum(len(stream.raw) for stream in self.open.values())

    def close(self):
        self.listener.close()
