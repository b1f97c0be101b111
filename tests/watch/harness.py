# SPDX-License-Identifier: Apache-2.0
"""A running gateway and a backend for the tests of this folder. Ports are the kernel's choice."""
import http.client
import http.server
import json
import os
import pathlib
import re
import signal
import subprocess
import tempfile
import threading
import time
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parents[2]
PATIENCE = 30


def sluice_binary():
    """SLUICE_BINARY, or what was built last."""
    named = os.environ.get("SLUICE_BINARY")
    if named:
        return str(pathlib.Path(named).resolve())
    built = [ROOT / "build" / kind / "sluice" for kind in ("dev", "release")]
    found = [path for path in built if path.exists()]
    if not found:
        raise SystemExit("no program: set SLUICE_BINARY, or make build")
    return str(max(found, key=lambda path: path.stat().st_mtime))


def wait_for(what, look, patience=PATIENCE):
    """What `look` answers as soon as that is true."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        found = look()
        if found:
            return found
        time.sleep(0.02)  # between looks at a state that only the other process changes
    raise AssertionError(f"{what} did not happen in {patience} s")


class Backend:
    """Answers 200, or what the path says: /status/503, /slow/25 (milliseconds)."""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            status = re.search(r"/status/(\d+)", self.path)
            slow = re.search(r"/slow/(\d+)", self.path)
            if slow:
                time.sleep(int(slow[1]) / 1000)
            body = b"backend\n"
            self.send_response(int(status[1]) if status else 200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    class Server(http.server.ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_):
            pass  # a client that left

    def __enter__(self):
        self.server = self.Server(("127.0.0.1", 0), self.Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


class Gateway:
    def __init__(self, config, workers=2, files=None, listeners=""):
        """`files`: name -> text, beside the configuration."""
        self.folder = tempfile.TemporaryDirectory()
        self.path = pathlib.Path(self.folder.name)
        self.workers = workers
        self.listeners = listeners
        for name, text in (files or {}).items():
            (self.path / name).write_text(text + "\n", encoding="utf-8")
        self.write(config)

    def write(self, config):
        text = ("listeners:\n  - { name: public, address: 127.0.0.1, port: 0 }"
                f"{self.listeners}\n{config}")
        if "admin:" not in text:
            text += "\nadmin: { port: 0 }"
        if "server:" not in text:
            text += f"\nserver: {{ workers: {self.workers} }}"
        if "state:" not in text:
            text += "\nstate: { store: memory }"
        (self.path / "gateway.yaml").write_text(text + "\n", encoding="utf-8")

    def __enter__(self):
        self.start()
        return self

    def start(self):
        self.log = open(self.path / "log", "w+", encoding="utf-8")
        self.process = subprocess.Popen(
            [sluice_binary(), "run", "--config", "gateway.yaml"],
            stderr=self.log, stdout=subprocess.DEVNULL, cwd=self.path)
        wait_for("start of the gateway", self.is_ready)

    def said(self):
        return (self.path / "log").read_text(encoding="utf-8", errors="replace")

    def is_ready(self):
        text = self.said()
        if self.process.poll() is not None:
            raise AssertionError("the gateway ended:\n" + text)
        admin = re.search(r"admin on \S+:(\d+)", text)
        public = re.search(r"listening on \S*?:(\d+)", text)
        if not (admin and public and " ready" in text):
            return False
        self.admin_port, self.port = int(admin[1]), int(public[1])
        return True

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(PATIENCE)
        self.log.close()
        return code

    def __exit__(self, kind, *_):
        code = self.stop()
        if kind is None:
            assert code == 0, f"exit status {code}\n{self.said()}"
        self.folder.cleanup()

    def get(self, target, **fields):
        return request(self.port, "GET", target, fields)

    def admin(self, target, method="GET", **fields):
        return request(self.admin_port, method, target, fields)

    def status(self, **fields):
        code, text = self.admin("/status", **fields)
        assert code == 200, text
        return json.loads(text)


def request(port, method, target, fields):
    """Status and text. Field names are written with _ for -."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        connection.request(method, target,
                           headers={name.replace("_", "-"): text for name, text in fields.items()})
        answer = connection.getresponse()
        return answer.status, answer.read().decode("utf-8")
    finally:
        connection.close()


SAMPLE = re.compile(r"^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$")
LABEL = re.compile(r'([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"')


def parse(text):
    """[(name, labels, value)] of Prometheus text."""
    found = []
    for line in text.splitlines():
        if not line or line.startswith("#"):
            continue
        name, labels, value = SAMPLE.match(line).groups()
        found.append((name, dict(LABEL.findall(labels or "")), float(value)))
    return found


def total(samples, name, **labels):
    return sum(value for n, has, value in samples
               if n == name and all(has.get(k) == v for k, v in labels.items()))


def query(**parameters):
    return urllib.parse.urlencode(parameters)


SHOP = """
restApis:
  - id: shop
    name: Shop
    resources:
      /mock: {{ GET: {{ integration: {{ type: MOCK, statusCode: 200, body: ok }} }} }}
      /keyed: {{ GET: {{ apiKeyRequired: true, integration: {{ type: MOCK, statusCode: 200 }} }} }}
      /cached/{{proxy+}}:
        GET:
          integration: {{ type: HTTP_PROXY, uri: "http://127.0.0.1:{backend}/{{proxy}}" }}
      /back/{{proxy+}}:
        GET:
          integration: {{ type: HTTP_PROXY, uri: "http://127.0.0.1:{backend}/{{proxy}}" }}
      /dead: {{ GET: {{ integration: {{ type: HTTP_PROXY, uri: "http://127.0.0.1:1/" }} }} }}
  - id: news
    name: News
    resources:
      /: {{ GET: {{ integration: {{ type: MOCK, statusCode: 200, body: news }} }} }}
stages:
  - restApiId: shop
    stageName: prod
    cacheClusterEnabled: true
    methodSettings:
      "*/*": {{ cachingEnabled: false }}
      "mock/GET": {{ throttlingRateLimit: 60, throttlingBurstLimit: 60 }}
      "back/{{proxy+}}/GET": {{ metricsEnabled: true }}
      "cached/{{proxy+}}/GET": {{ cachingEnabled: true, cacheTtlInSeconds: 300 }}
  - {{ restApiId: news, stageName: live }}
usagePlans:
  - id: gold
    name: Gold
    apiStages: [ {{ apiId: shop, stage: prod }} ]
    quota: {{ limit: 100, period: DAY }}
  - id: free
    name: Free
    apiStages: [ {{ apiId: shop, stage: prod }} ]
    quota: {{ limit: 10, period: MONTH }}
    throttle: {{ rateLimit: 50, burstLimit: 20 }}
apiKeys:
  - {{ id: alice, name: alice, value: alice-key-0123456789abcdef, enabled: true, usagePlanIds: [gold] }}
  - {{ id: bob, name: bob, value: bob-key-0123456789abcdefgh, enabled: true, usagePlanIds: [free] }}
domainNames:
  - {{ domainName: news.example, basePathMappings: [ {{ basePath: "", restApiId: news, stage: live }} ] }}
  - {{ domainName: "*", basePathMappings: [ {{ basePath: "", restApiId: shop, stage: prod }} ] }}
"""


def shop(backend, more=""):
    return SHOP.format(backend=backend.port) + more
