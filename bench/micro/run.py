#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the micro benchmarks of a build directory and writes bench/RESULTS-micro.md.

  bench/micro/run.py build/bench           at most a few minutes
  bench/micro/run.py build/bench --quick   each for a twentieth of a second
"""
import json
import os
import re
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
UNITS = {"ns": 1, "us": 1e3, "ms": 1e6, "s": 1e9}


def measure(program, seconds):
    """CPU nanoseconds of every benchmark of a program: name -> three repetitions."""
    command = [str(program), "--benchmark_format=json", f"--benchmark_min_time={seconds}",
               "--benchmark_repetitions=3"]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                          check=True)
    times = {}
    for run in json.loads(done.stdout)["benchmarks"]:
        if run["run_type"] == "iteration" and not run.get("error_occurred"):
            # Of several threads the time each of them needs for one call, waiting included.
            clock = "real_time" if run.get("threads", 1) > 1 else "cpu_time"
            threads = run.get("threads", 1)
            times.setdefault(run["name"], []).append(
                run[clock] * UNITS[run["time_unit"]] * threads)
    return times


def shown(ns):
    for unit in ("ns", "us", "ms"):
        if ns < 1000 or unit == "ms":
            return f"{ns:.3g} {unit}" if ns < 1000 else f"{ns:,.0f} {unit}"
        ns /= 1000


def head():
    cpu = re.search(r"model name\s*:\s*(.*)", Path("/proc/cpuinfo").read_text())
    commit = subprocess.run(["git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"],
                            capture_output=True, text=True).stdout.strip()
    load = os.getloadavg()[0]
    lines = ["# Results of `make micro`", ""]
    if load >= 1.5:
        lines += [f"> **Taken on a disturbed machine** (load {load:.1f} before the start).", ""]
    return lines + [f"- {time.strftime('%Y-%m-%d %H:%M UTC', time.gmtime())}, commit {commit}",
                    f"- {cpu[1] if cpu else 'unknown CPU'}, {os.cpu_count()} CPUs",
                    "- time of one call: median of three repetitions, in brackets the smallest and "
                    "the largest; CPU time, of several threads the wall time each needs for a call",
                    ""]


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    seconds = 0.05 if "--quick" in sys.argv else 0.3
    lines = head()
    for program in sorted(Path(sys.argv[1], "micro").glob("*_bench")):
        print(f"{program.name} ...", flush=True)
        lines += [f"## {program.name.removesuffix('_bench')}", "", "| what | time |", "|---|---|"]
        for name, times in measure(program, seconds).items():
            text = f"{shown(statistics.median(times))} ({shown(min(times))} to {shown(max(times))})"
            print(f"  {name:50} {text}", flush=True)
            lines.append(f"| `{name}` | {text} |")
        lines.append("")
    (ROOT / "bench" / "RESULTS-micro.md").write_text("\n".join(lines).rstrip() + "\n")
    print("bench/RESULTS-micro.md is written")


if __name__ == "__main__":
    main()
