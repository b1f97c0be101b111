#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What logs and traces add to a proxied request, as a Markdown table.

  bench/load/observe.py            CPU time per request, interleaved; then instructions (valgrind)
  bench/load/observe.py --quick    short turns, no instructions

One worker on a CPU of its own. The CPU time is that of the whole process: writer and exporter
threads count. Each row is compared with "everything off" of the same cycle.
"""
import argparse
import http.server
import re
import shutil
import socket
import statistics
import subprocess
import sys
import threading
import time
import urllib.request

import matrix
import measure
import programs
from programs import scratch_directory

TRACING = ("tracing: {{ endpoint: \"http://127.0.0.1:@RECEIVER@\", sampler: traceidratio, "
           "samplerRate: {} }}")
ACCESS = "accessLogSettings: { format: CLF, destination: \"@TMP@/access-@ADMIN@.log\" }"


def variant(stage="", settings="", server=""):
    return {"STAGE": stage and ", " + stage, "SETTINGS": settings, "SERVER": server and ", " + server}


VARIANTS = {
    "everything off": variant(),
    "access log, CLF": variant(ACCESS),
    "execution log, ERROR": variant(settings="loggingLevel: ERROR"),
    "execution log, INFO": variant(settings="loggingLevel: INFO"),
    "execution log, INFO with data trace": variant(
        settings="loggingLevel: INFO, dataTraceEnabled: true"),
    "traces, none sampled": variant("tracingEnabled: true", server=TRACING.format(0)),
    "traces, 5 % sampled": variant("tracingEnabled: true", server=TRACING.format(0.05)),
    "traces, all sampled": variant("tracingEnabled: true", server=TRACING.format(1)),
    "access log, execution log INFO, traces 5 %": variant(
        ACCESS + ", tracingEnabled: true", "loggingLevel: INFO", TRACING.format(0.05)),
}

CONFIG = """
listeners: [ { name: public, address: 127.0.0.1, port: @PLAIN@ } ]
admin: { address: 127.0.0.1, port: @ADMIN@ }
state: { store: memory }
server: { workers: 1, executionLog: { directory: "@TMP@/@ADMIN@" }@SERVER@ }
restApis:
  - id: bench
    resources:
      /{proxy+}: { ANY: { integration: { type: HTTP_PROXY, uri: "http://origin/{proxy}" } } }
stages:
  - { restApiId: bench, stageName: prod, methodSettings: { "*/*": { @SETTINGS@ } }@STAGE@ }
domainNames: [ { domainName: "*", basePathMappings: [ { basePath: "", restApiId: bench, stage: prod } ] } ]
backends: [ { name: origin, targets: [ { url: "http://127.0.0.1:@ORIGIN@" } ] } ]
"""


class Receiver(http.server.BaseHTTPRequestHandler):
    """Takes every batch of spans and says so."""

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


def start_receiver():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def configuration(machine, name, receiver):
    text = CONFIG
    for mark, value in VARIANTS[name].items():
        text = text.replace(f"@{mark}@", value)
    text = text.replace("@RECEIVER@", str(receiver.server_address[1]))
    slug = re.sub(r"\W+", "-", name)
    return machine.write(f"observe-{slug}.yaml", text)


def scrape(gateway):
    url = f"http://127.0.0.1:{gateway.ports['admin']}/metrics"
    with urllib.request.urlopen(url, timeout=10) as answer:
        text = answer.read().decode()
    found = re.findall(r"^(sluice_\w*(?:dropped|exported|failed)_total) (\d+)", text, re.M)
    return {name: int(value) for name, value in found if int(value)}


def cpu_times(machine, receiver, plan):
    workload = next(w for w in matrix.workloads() if w.id == "W1")
    gateways = []
    for name in VARIANTS:
        gateway = machine.start("sluice", "plain", config=configuration(machine, name, receiver))
        gateway.name = name
        gateways.append(gateway)
    series, problems = measure.cycles(machine, workload, gateways, plan)
    counts = {g.name: scrape(g) for g in gateways}
    machine.stop_gateways()
    for name, problem in problems.items():
        sys.exit(f"{name}: {problem}")
    return series, counts


class Counted:
    """Sluice under callgrind, driven by one connection."""

    def __init__(self, machine, name, receiver):
        self.machine, self.name, self.receiver = machine, name, receiver

    def instructions(self, requests):
        machine = self.machine
        plain, admin = programs.free_ports(2)
        values = {"PLAIN": plain, "ADMIN": admin, "ORIGIN": machine.origin_port,
                  "TMP": machine.scratch}
        config = machine.fill(configuration(machine, self.name, self.receiver), values)
        out = machine.scratch / "callgrind.out"
        process = subprocess.Popen(
            ["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}", "--quiet",
             programs.sluice(), "run", "--config", config],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            self.drive(plain, requests)
        finally:
            process.terminate()
            process.wait(60)
        return int(re.search(r"^(?:summary|totals): (\d+)", out.read_text(), re.M)[1])

    @staticmethod
    def drive(port, requests):
        deadline = time.monotonic() + 60
        while True:
            try:
                connection = socket.create_connection(("127.0.0.1", port))
                break
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
        with connection:
            for _ in range(requests):
                connection.sendall(matrix.get("/128"))
                answer = b""
                while not (b"\r\n\r\n" in answer and answer.endswith(b"x" * 8)):
                    piece = connection.recv(65536)
                    if not piece:
                        raise RuntimeError(f"connection ended after {answer!r}")
                    answer += piece

    def each(self, few, many):
        return (self.instructions(many) - self.instructions(few)) / (many - few)


def table(series, counts, instructions):
    off = list(VARIANTS)[0]
    yield "| | CPU per request | against off | requests/s | instructions per request | against off |"
    yield "|---|---|---|---|---|---|"
    for name in VARIANTS:
        ratio = statistics.median(measure.ratios(series, name, off))
        counted = instructions.get(name)
        columns = [name, f"{statistics.median(series[name].cost()):.2f} us", f"{ratio - 1:+.1%}",
                   f"{series[name].rate():,.0f}"]
        if counted:
            columns += [f"{counted:,.0f}", f"{counted / instructions[off] - 1:+.1%}"]
        else:
            columns += ["", ""]
        yield "| " + " | ".join(columns) + " |"
    for name, count in counts.items():
        if count:
            yield f"\n{name}: " + ", ".join(f"{k} {v:,}" for k, v in count.items())


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", help="one part: cpu or instructions")
    arguments = parser.parse_args()
    plan = measure.Plan(cycles=3 if arguments.quick else 7, ms=250 if arguments.quick else 400,
                        warm_ms=80, idle=0, large=())
    programs.build()
    scratch = scratch_directory()
    receiver = start_receiver()
    machine = programs.Machine(scratch)
    try:
        instructions = {}
        if not arguments.quick and arguments.only != "cpu":
            for name in VARIANTS:
                instructions[name] = Counted(machine, name, receiver).each(300, 1500)
                print(f"{name}: {instructions[name]:,.0f} instructions", file=sys.stderr)
        if arguments.only == "instructions":
            return
        series, counts = cpu_times(machine, receiver, plan)
        print("\n".join(table(series, counts, instructions)))
    finally:
        machine.stop()
        receiver.shutdown()
        shutil.rmtree(scratch)


if __name__ == "__main__":
    main()
