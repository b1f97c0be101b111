# SPDX-License-Identifier: Apache-2.0
"""The processes of the benchmark: building, configuring, starting, counting and ending them."""
import getpass
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
BUILT = ROOT / "build" / "bench-load"
CPUS = sorted(os.sched_getaffinity(0))
GATEWAY_CPU, LOAD_CPU = CPUS[0], CPUS[-1]
CACHING_NGINX = {  # its three ways to send a small file from the cache, the cheapest first
    "nginx": "sendfile off;",
    "nginx sendfile+nopush": "sendfile on; tcp_nopush on;",
    "nginx sendfile": "sendfile on; tcp_nopush off;",
}
DOORS = ["plain", "tls", "policies", "throttled", "cached", "cached_policies", "scale"]


def build():
    """Compiles the small programs of programs/."""
    BUILT.mkdir(parents=True, exist_ok=True)
    flags = ["-std=gnu11", "-O2", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror"]
    sources = {"relay": ["relay.c"], "fixed": ["fixed.c"],
               "driver": ["driver.c", "client.c", "origin.c", "cpu.c"]}
    for name, files in sources.items():
        paths = [str(HERE / "programs" / file) for file in files]
        libraries = ["-lssl", "-lcrypto"] if name == "driver" else []
        subprocess.run(["gcc", *flags, "-o", str(BUILT / name), *paths, *libraries], check=True)


def scratch_directory():
    """On a memory file system where there is one: logs and nginx's cache then cost no disk."""
    shared = Path("/dev/shm")
    fits = shared.is_dir() and os.access(shared, os.W_OK) and \
        shutil.disk_usage(shared).free > 1 << 30
    directory = Path(tempfile.mkdtemp(prefix="sluice-bench-", dir=shared if fits else None))
    directory.chmod(0o755)
    return directory


def free_ports(count):
    """Ports that nobody listens on now; all are held until the last one is known."""
    sockets = [socket.socket() for _ in range(count)]
    for s in sockets:
        s.bind(("127.0.0.1", 0))
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


def stat_fields(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None


def process_tree(root):
    """Ids of a process and all its descendants."""
    children = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (fields := stat_fields(entry.name)):
            children.setdefault(int(fields[1]), []).append(int(entry.name))
    tree = [root]
    for pid in tree:
        tree += children.get(pid, [])
    return tree


class Gateway:
    """A running program, or the origin itself (no process of its own)."""

    def __init__(self, name, ports, process=None, log=None):
        self.name, self.ports, self.process, self.log = name, ports, process, log

    def pids(self):
        return process_tree(self.process.pid) if self.process else []

    def memory(self):
        """Bytes of user-space memory, shared pages divided among their users."""
        total = 0
        for pid in self.pids():
            text = Path(f"/proc/{pid}/smaps_rollup").read_text()
            total += int(re.search(r"^Pss:\s+(\d+)", text, re.M)[1]) * 1024
        return total

    def stop(self):
        if not self.process:
            return
        tree = self.pids()
        # nginx and others end at once on INT and TERM; an idle Sluice drains at once too.
        self.process.terminate()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            pass
        for pid in tree:
            fields = stat_fields(pid)
            if fields and fields[0] != "Z" and int(fields[2]) == self.process.pid:
                os.kill(pid, signal.SIGKILL)
        self.process.wait()


class Machine:
    """The scratch directory, the driver, and whatever was started."""

    def __init__(self, scratch):
        self.scratch = Path(scratch)
        self.running = []
        (self.origin_port,) = free_ports(1)
        self.driver = subprocess.Popen(
            ["taskset", "-c", str(LOAD_CPU), str(BUILT / "driver"), str(self.origin_port)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
             "-nodes", "-days", "2", "-subj", "/CN=localhost", "-keyout", "server.key",
             "-out", "server.pem"], cwd=self.scratch, check=True, capture_output=True)
        self.write("both.pem", self.read("server.pem") + self.read("server.key"))

    def read(self, name):
        return (self.scratch / name).read_text()

    def write(self, name, content):
        path = self.scratch / name
        path.write_bytes(content) if isinstance(content, bytes) else path.write_text(content)
        return path

    def ask_driver(self, command, **options):
        line = command + "".join(f" {name}={value}" for name, value in options.items())
        self.driver.stdin.write(line + "\n")
        self.driver.stdin.flush()
        answer = self.driver.stdout.readline()
        if not answer:
            raise RuntimeError("the driver ended")
        return json.loads(answer)

    def start(self, name, door, workers=1, cpus=None, config=None):
        """Starts `name` with all its doors on fresh ports and waits until it takes connections."""
        if name == "origin":
            return Gateway(name, {door: self.origin_port})
        ports = dict(zip(DOORS + ["admin"], free_ports(len(DOORS) + 1)))
        label = f"{name}-{len(self.running)}"
        values = {door.upper(): port for door, port in ports.items()}
        values |= {"ORIGIN": self.origin_port, "TMP": self.scratch, "USER": getpass.getuser(),
                   "WORKERS": workers}
        command, environment = self.command(name, door, values, config)
        log = self.scratch / f"{label}.out"
        with open(log, "w", encoding="ascii") as out:
            process = subprocess.Popen(
                ["taskset", "-c", cpus or str(GATEWAY_CPU), *command], stdin=subprocess.DEVNULL,
                stdout=out, stderr=subprocess.STDOUT, env=os.environ | environment,
                start_new_session=True)
        gateway = Gateway(name, ports, process, log)
        self.running.append(gateway)
        self.await_door(gateway, door)
        return gateway

    def command(self, name, door, values, config):
        kind, _, argument = name.partition(" ")
        port = values[door.upper()]
        if kind == "sluice":
            source = config or HERE / "sluice" / f"{door.replace('_', '-')}.yaml"
            return [sluice(), "run", "--config", self.fill(source, values)], {}
        if kind == "nginx":
            values["SEND_CACHED"] = CACHING_NGINX[name]
            file = self.fill(HERE / "peers" / "nginx.conf", values)
            return ["nginx", "-p", str(self.scratch), "-e", "stderr", "-c", file], {}
        if kind == "nginx+Lua":
            file = self.fill(HERE / "peers" / "nginx-lua.conf", values)
            return ["nginx", "-p", str(self.scratch), "-e", "stderr", "-c", file], {}
        if kind == "haproxy":
            return ["haproxy", "-db", "-f", self.fill(HERE / "peers" / "haproxy.cfg", values)], {}
        if kind == "varnish":
            file = self.fill(HERE / "peers" / "varnish.vcl", values)
            return ["varnishd", "-F", "-j", "none", "-n", str(self.scratch / "varnish"), "-f", file,
                    "-a", f"127.0.0.1:{port}", "-s", "malloc,64m", "-p", "thread_pools=1"], {}
        if kind == "caddy":
            file = self.fill(HERE / "peers" / "Caddyfile", values)
            home = {"XDG_DATA_HOME": str(self.scratch), "XDG_CONFIG_HOME": str(self.scratch)}
            return (["caddy", "run", "--config", file, "--adapter", "caddyfile"],
                    home | {"GOMAXPROCS": "1"})
        if kind == "relay":
            return [str(BUILT / "relay"), str(port), str(self.origin_port)], {}
        assert kind == "fixed", name
        status, body = {"429": ("429", "31"), "1KB": ("200", "1024")}[argument]
        return [str(BUILT / "fixed"), str(port), status, body], {}

    def fill(self, source, values):
        text = re.sub(r"@([A-Z_]+)@", lambda m: str(values[m[1]]), Path(source).read_text())
        return str(self.write(f"{values['ADMIN']}-{Path(source).name}", text))

    def await_door(self, gateway, door):
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            if gateway.process.poll() is not None:
                break
            with socket.socket() as s:
                if s.connect_ex(("127.0.0.1", gateway.ports[door])) == 0:
                    return
            time.sleep(0.02)
        raise RuntimeError(f"{gateway.name} does not start:\n{gateway.log.read_text()[-2000:]}")

    def stop_gateways(self):
        while self.running:
            self.running.pop().stop()

    def stop(self):
        self.stop_gateways()
        self.driver.stdin.close()
        try:
            self.driver.wait(5)
        except subprocess.TimeoutExpired:
            self.driver.kill()
            self.driver.wait()


def sluice():
    return os.environ.get("SLUICE", str(ROOT / "build" / "release" / "sluice"))
