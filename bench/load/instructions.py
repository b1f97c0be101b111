#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Instructions in user space per request of Sluice, by workload, under callgrind.

  bench/load/instructions.py [W1,W2,W3,W4,W4p]   a Markdown table; with --top the dearest functions

Counts do not depend on what else the machine does, so small steps can be told apart. They are of
the whole process: the thread that saves usage is in them, and weighs more than in reality because
the workers run some fifteen times slower. SHA-256 weighs more too: callgrind has no SHA instructions.
SLUICE=path chooses another binary; names of functions need one that is built with -g.
"""
import argparse
import collections
import os
import re
import shutil
import subprocess
import time
from pathlib import Path

import matrix
import measure
import programs
from programs import scratch_directory

WORKLOADS = "W1,W2,W3,W4,W4p"
CONNECTIONS = 16


def wrapper(machine, binary):
    """A program that runs Sluice under callgrind, for the harness to start in its place."""
    path = machine.write("sluice-under-callgrind", "#!/bin/sh\nexec valgrind --tool=callgrind "
                         f"--callgrind-out-file={machine.scratch}/callgrind.%p {binary} \"$@\"\n")
    path.chmod(0o755)
    return str(path)


def control(option, pid):
    subprocess.run(["callgrind_control", option, str(pid)], check=True, capture_output=True)


def await_dump(machine):
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        for path in machine.scratch.glob("callgrind.*"):
            text = path.read_text(errors="replace")
            if "Trigger: dump" in text[:4000] and "\ntotals: " in text[-200:]:
                return text
        time.sleep(0.05)
    raise RuntimeError("callgrind wrote nothing")


def own_costs(dump):
    """Instructions by function, without those of the functions it calls."""
    names, costs = {}, collections.Counter()
    function, is_call = "", False
    for line in dump.splitlines():
        if match := re.match(r"c?fn=\((\d+)\)(?: (.*))?$", line):
            names[match[1]] = match[2] or names.get(match[1], "?")
            if line.startswith("fn="):
                function = names[match[1]]
        elif line.startswith("calls="):
            is_call = True
        elif line[:1].isdigit() or line[:1] in ("+", "-", "*"):
            if not is_call and len(line.split()) > 1:
                costs[function] += int(line.split()[1])
            is_call = False
    return costs


def count(machine, workload, milliseconds):
    gateway = machine.start("sluice", workload.door)
    requests = machine.write("requests", workload.requests)
    pid = gateway.pids()[-1]
    options = {"port": gateway.ports[workload.door], "connections": CONNECTIONS,
               "requests": requests, "warm_ms": 0}
    machine.ask_driver("load", **options, ms=700)
    control("-z", pid)
    turn = machine.ask_driver("load", **options, ms=milliseconds)
    control("-d", pid)
    dump = await_dump(machine)
    machine.stop_gateways()
    for path in machine.scratch.glob("callgrind.*"):
        path.unlink()
    if problem := measure.check(workload, "sluice", turn):
        raise RuntimeError(f"{workload.id}: {problem}")
    return own_costs(dump), turn["done"]


def counts(machine, wanted):
    """Costs by function and the number of requests, workload after workload."""
    binary = programs.sluice()
    os.environ["SLUICE"] = wrapper(machine, binary)
    try:
        for workload in matrix.workloads():
            if workload.id in wanted:
                yield workload, *count(machine, workload, 4000)
    finally:
        os.environ["SLUICE"] = binary


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("workloads", nargs="?", default=WORKLOADS)
    arguments.add_argument("--top", type=int, default=0, metavar="N", help="show N functions")
    options = arguments.parse_args()
    programs.build()
    machine = programs.Machine(scratch_directory())
    try:
        matrix.key_files(machine)
        print("| workload | instructions per request |\n|---|---|", flush=True)
        for workload, costs, done in counts(machine, options.workloads.split(",")):
            print(f"| {workload.id} {workload.title} | {sum(costs.values()) / done:,.0f} |",
                  flush=True)
            for name, cost in costs.most_common(options.top):
                print(f"|   `{name[:90]}` | {cost / done:,.0f} |")
    finally:
        machine.stop()
        shutil.rmtree(machine.scratch, ignore_errors=True)


if __name__ == "__main__":
    main()
