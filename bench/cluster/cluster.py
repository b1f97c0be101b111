# SPDX-License-Identifier: Apache-2.0
"""Redis and gateways on loopback, a load on them, and what was admitted."""
import csv
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
KEY = "cluster-key-0123456789abc"

CONFIG = """
server: {{ workers: 1 }}
listeners: [ {{ name: public, address: 127.0.0.1, port: {port} }} ]
admin: {{ address: 127.0.0.1, port: {admin} }}
state:
  store: redis
  redis: {{ url: "redis://127.0.0.1:{redis}/0", onFailure: {on_failure}, leaseMillis: {lease} }}
restApis:
  - id: api
    resources:
      /pets: {{ GET: {{ apiKeyRequired: true, integration: {{ type: MOCK, body: "ok" }} }} }}
stages: [ {{ restApiId: api, stageName: v1 }} ]
usagePlans:
  - id: plan
    apiStages: [ {{ apiId: api, stage: v1 }} ]
    {limits}
apiKeys: [ {{ id: caller, value: {key}, usagePlanIds: [plan] }} ]
"""


def binary():
    for build in ("release", "dev"):
        path = ROOT / "build" / build / "sluice"
        if path.exists():
            return Path(os.environ.get("SLUICE_BINARY", path))
    raise SystemExit("build sluice first: make build")


def load_program():
    """The load generator, compiled when it is missing or old."""
    source, program = HERE / "load.cpp", ROOT / "build" / "cluster-load"
    if not program.exists() or program.stat().st_mtime < source.stat().st_mtime:
        program.parent.mkdir(exist_ok=True)
        subprocess.run(["g++", "-std=c++20", "-O2", "-Wall", "-Wextra", "-Werror", "-o",
                        str(program), str(source)], check=True)
    return program


def free_ports(count):
    """Ports that nobody listens on now; all are held until the last one is known."""
    sockets = [socket.socket() for _ in range(count)]
    for s in sockets:
        s.bind(("127.0.0.1", 0))
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


def wait_until(condition, what, patience=20.0):
    end = time.monotonic() + patience
    while time.monotonic() < end:
        try:
            if condition():
                return
        except OSError:
            pass
        time.sleep(0.02)
    raise SystemExit(f"waited too long for {what}")


class Cluster:
    """Ends everything it started."""

    def __init__(self, limits, nodes=3, on_failure="local", lease=100, commands=()):
        self.directory = Path(tempfile.mkdtemp(prefix="sluice-cluster-"))
        self.redis_port, *ports = free_ports(1 + 2 * nodes)
        self.ports, self.admin_ports = ports[:nodes], ports[nodes:]
        self.redis, self.gateways = None, []
        self.start_redis()
        for i in range(nodes):
            path = self.directory / f"gateway{i}.yaml"
            path.write_text(CONFIG.format(port=self.ports[i], admin=self.admin_ports[i],
                                          redis=self.redis_port, on_failure=on_failure,
                                          lease=lease, limits=limits, key=KEY))
            log = open(self.directory / f"gateway{i}.log", "w")
            command = [*(commands[i] if i < len(commands) else []), str(binary()), "run",
                       "--config", str(path)]
            self.gateways.append(subprocess.Popen(command, stderr=log, stdout=log))
        for i in range(nodes):
            wait_until(lambda: self.get(i, "/readyz") is not None, f"gateway {i}")
        wait_until(lambda: all(self.metric(i, "sluice_redis_nodes") == nodes
                               for i in range(nodes)), "the nodes to know each other")

    def start_redis(self):
        self.redis = subprocess.Popen(
            ["redis-server", "--port", str(self.redis_port), "--bind", "127.0.0.1", "--save", "",
             "--appendonly", "no", "--dir", str(self.directory)],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

        def listens():
            with socket.create_connection(("127.0.0.1", self.redis_port), 1):
                return True
        wait_until(listens, "redis")

    def kill_redis(self):
        self.redis.send_signal(signal.SIGKILL)
        self.redis.wait()

    def get(self, i, path):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.admin_ports[i]}{path}",
                                    timeout=5) as answer:
            return answer.read().decode()

    def metric(self, i, name):
        for line in self.get(i, "/metrics").splitlines():
            if line.startswith(name + " "):
                return float(line.split()[1])
        return None

    def log(self, i):
        return (self.directory / f"gateway{i}.log").read_text()

    def start_load(self, phases):
        """phases: [(seconds, [rate for each gateway])]."""
        self.output = self.directory / "load.csv"
        process = subprocess.Popen([str(load_program()), str(self.output), "/v1/pets", KEY,
                                    *map(str, self.ports)], stdin=subprocess.PIPE, text=True)
        for seconds, rates in phases:
            process.stdin.write(f"{seconds} {' '.join(map(str, rates))}\n")
        process.stdin.close()
        return process

    def load(self, phases):
        process = self.start_load(phases)
        if process.wait() != 0:
            raise SystemExit("the load generator failed")
        return self.read()

    def read(self):
        with open(self.output) as file:
            return [{name: int(value) for name, value in row.items()}
                    for row in csv.DictReader(file)]

    def close(self):
        for process in [*self.gateways, self.redis]:
            if process is not None and process.poll() is None:
                process.terminate()
        for process in [*self.gateways, self.redis]:
            if process is not None:
                try:
                    process.wait(10)
                except subprocess.TimeoutExpired:
                    process.kill()
        shutil.rmtree(self.directory, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def most_in_window(rows, seconds, of="admitted"):
    """The most that was answered within any window of that length, at a resolution of 10 ms."""
    bins = {}
    for row in rows:
        bins[row["micros"] // 10_000] = bins.get(row["micros"] // 10_000, 0) + row[of]
    if not bins:
        return 0
    width, first, last = int(seconds * 100), min(bins), max(bins)
    window = best = 0
    for i in range(first, last + 1):
        window += bins.get(i, 0) - bins.get(i - width, 0)
        best = max(best, window)
    return best


def total(rows, of="admitted", since=0.0, until=1e9):
    return sum(r[of] for r in rows if since * 1e6 <= r["micros"] < until * 1e6)
