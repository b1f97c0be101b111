# SPDX-License-Identifier: Apache-2.0
"""Interleaved cycles: all gateways of a workload run, each is driven in turn."""
import signal
import statistics
import subprocess
import time
from dataclasses import dataclass, field

import matrix
from programs import CPUS, GATEWAY_CPU


@dataclass
class Plan:
    cycles: int
    ms: int
    warm_ms: int
    idle: int  # connections of W9
    large: tuple  # routes and plans, keys of the large configuration


QUICK = Plan(cycles=3, ms=250, warm_ms=80, idle=2000, large=(2000, 20000))
FULL = Plan(cycles=7, ms=800, warm_ms=150, idle=5000, large=(10000, 100000))


@dataclass
class Series:
    """One gateway's turns."""
    turns: list = field(default_factory=list)
    syscalls: float | None = None

    def cost(self):
        return [t["cpu_ns"] / 1e3 / max(t["done"], 1) for t in self.turns]

    def each(self, name):
        return [t[name] for t in self.turns]

    def rate(self):
        return statistics.median(t["done"] * 1e9 / t["wall_ns"] for t in self.turns)

    def busy(self):
        return statistics.median(t["cpu_ns"] / t["wall_ns"] for t in self.turns)

    def waited(self):
        """Share of the time in which something else had the CPU; threads of one process add up."""
        return min(1, statistics.median(t["waited_ns"] / t["wall_ns"] for t in self.turns))

    def user(self):
        """Microseconds of user time per request (ticks of 10 ms, so over all turns together)."""
        done = sum(self.each("done"))
        return sum(self.each("user_ticks")) * 10000 / max(done, 1)


def ratios(series, name, peer):
    """Ratio to a peer in every cycle: what disturbs the machine for a while disturbs both."""
    return [a / b for a, b in zip(series[name].cost(), series[peer].cost())]


def check(workload, name, turn):
    """What is wrong with the answers, or nothing."""
    if name.startswith("fixed"):
        return ""
    done = max(turn["done"], 1)
    shares = {"ok": workload.ok, "throttled": workload.throttled, "origin": workload.origin}
    wrong = [f"{turn[k] / done:.1%} {k}, expected {v:.0%}" for k, v in shares.items()
             if abs(turn[k] - v * done) > 0.02 * done + 64]  # 64 may be half done at either end
    if turn["errors"]:
        wrong.append(f"{turn['errors']} broken answers")
    if turn["done"] == 0:
        wrong.append("no answer")
    return "; ".join(wrong)


def drive(machine, gateway, workload, file, plan, **changes):
    options = {"port": gateway.ports[workload.door], "connections": 64, "requests": file,
               "warm_ms": plan.warm_ms, "ms": plan.ms,
               "pids": ",".join(map(str, gateway.pids()))} | workload.load | changes
    return machine.ask_driver("load", **options)


def count_syscalls(machine, gateway, workload, file, plan):
    """System calls per request, or None where perf cannot count them."""
    output = machine.scratch / "perf.csv"
    try:
        perf = subprocess.Popen(
            ["perf", "stat", "-x", ",", "-e", "raw_syscalls:sys_enter", "-o", str(output),
             "-p", ",".join(map(str, gateway.pids()))],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    except OSError:
        return None
    time.sleep(0.2)  # perf says nothing when it is attached; what runs before the load is idle
    turn = drive(machine, gateway, workload, file, plan, warm_ms=0)
    perf.send_signal(signal.SIGINT)
    perf.wait()
    for line in output.read_text().splitlines() if output.exists() else []:
        fields = line.split(",")
        if len(fields) > 2 and fields[2].startswith("raw_syscalls") and fields[0].isdigit():
            return int(fields[0]) / max(turn["done"], 1)
    return None


def cycles(machine, workload, gateways, plan, requests=None):
    """Drives every gateway in turn, `plan.cycles` times; the first round does not count."""
    file = requests or machine.write("requests", workload.requests)
    series = {g.name: Series() for g in gateways}
    problems = {}
    for cycle in range(plan.cycles + 1):
        order = gateways[cycle % len(gateways):] + gateways[:cycle % len(gateways)]
        for gateway in order:
            turn = drive(machine, gateway, workload, file, plan)
            if cycle == 0:
                continue
            series[gateway.name].turns.append(turn)
            if problem := check(workload, gateway.name, turn):
                problems[gateway.name] = problem
    return series, problems


def run_workload(machine, workload, plan):
    gateways = [machine.start(name, workload.door) for name in workload.gateways]
    series, problems = cycles(machine, workload, gateways, plan)
    file = machine.scratch / "requests"
    for gateway in gateways:
        if gateway.process:
            series[gateway.name].syscalls = count_syscalls(machine, gateway, workload, file, plan)
    machine.stop_gateways()
    return series, problems


def run_memory(machine, plan):
    """Bytes per idle connection, by gateway and door. Fresh processes: no reused memory."""
    result = {}
    for door in matrix.MEMORY:
        for name in ["sluice", "nginx", "haproxy", "caddy"]:
            workload = matrix.Workload("W9", "", door, matrix.packed([matrix.get("/128")]), [], [])
            file = machine.write("requests", workload.requests)
            gateway = machine.start(name, door)
            tls = {"tls": 1} if door == "tls" else {}
            drive(machine, gateway, workload, file, plan, ms=100, warm_ms=0, **tls)
            time.sleep(0.3)
            before = gateway.memory()
            opened = machine.ask_driver("idle", port=gateway.ports[door], connections=plan.idle,
                                        requests=file, **tls)
            time.sleep(0.5)
            if opened["open"] == plan.idle and opened["reconnects"] == 0:
                result[name, door] = (gateway.memory() - before) / plan.idle
            machine.ask_driver("drop")
            machine.stop_gateways()
    return result


def run_workers(machine, plan):
    """The policies with one worker and with two; on two CPUs the second one shares the load's."""
    workload = next(w for w in matrix.workloads() if w.id == "W2")
    both = f"{CPUS[0]},{CPUS[1]}" if len(CPUS) > 1 else str(GATEWAY_CPU)
    one = machine.start("sluice", "policies", workers=1)
    two = machine.start("sluice", "policies", workers=2, cpus=both)
    one.name, two.name = "1 worker", "2 workers"
    result = cycles(machine, workload, [one, two], plan)
    machine.stop_gateways()
    return result


def run_scale(machine, plan):
    """The policies over a small and over a large configuration."""
    gateways, files, load_seconds = [], {}, {}
    for size, keys in ((10, 10), plan.large):
        label = f"{size:,} routes and plans, {keys:,} keys"
        config, csv, requests = matrix.scale_config(size, keys)
        machine.write(f"scale-{size}.csv", csv)
        files[label] = machine.write(f"scale-{size}.requests", requests)
        began = time.monotonic()
        gateway = machine.start("sluice", "scale",
                                config=machine.write(f"scale-{size}.yaml", config))
        load_seconds[label] = time.monotonic() - began
        gateway.name = label
        gateways.append(gateway)
    workload = matrix.Workload("scale", "", "scale", b"", [], [])
    series = {g.name: Series() for g in gateways}
    problems = {}
    for cycle in range(plan.cycles + 1):
        for gateway in gateways:
            turn = drive(machine, gateway, workload, files[gateway.name], plan)
            if cycle == 0:
                continue
            series[gateway.name].turns.append(turn)
            if problem := check(workload, gateway.name, turn):
                problems[gateway.name] = problem
    machine.stop_gateways()
    return series, problems, load_seconds
