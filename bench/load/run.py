#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures Sluice against its peers and writes bench/RESULTS.md and bench/plots/.

  bench/load/run.py            everything, at most 15 minutes
  bench/load/run.py --quick    short turns, at most 3 minutes
  bench/load/run.py --only W1,W4p,memory,workers,scale,W10    prints, writes nothing
"""
import argparse
import os
import resource
import shutil
import statistics
import sys
import time

import environment
import instructions
import matrix
import measure
import programs
import report

PARTS = ["memory", "W10", "workers", "scale", "instructions"]


def say(text):
    print(text, flush=True)


def progress(workload, series, problems):
    say(f"{workload.id}: {workload.title}")
    for name, s in series.items():
        if not s.turns or name == "origin":
            continue
        ratio = ""
        if "nginx" in series and name != "nginx":
            ratio = f"  x nginx {statistics.median(measure.ratios(series, name, 'nginx')):.2f}"
        calls = f"  {s.syscalls:.1f} syscalls" if s.syscalls is not None else ""
        say(f"  {name:10} {statistics.median(s.cost()):8.2f} us  {s.rate():9,.0f}/s  busy "
            f"{s.busy():4.0%}  waited {s.waited():4.0%}{ratio}{calls}")
    for name, problem in problems.items():
        say(f"  PROBLEM {name}: {problem}")


def run(machine, plan, wanted):
    results = {"workloads": [], "began": time.monotonic()}
    for workload in matrix.workloads():
        if workload.id in wanted:
            series, problems = measure.run_workload(machine, workload, plan)
            progress(workload, series, problems)
            results["workloads"].append((workload, series, problems))
    if "W10" in wanted:
        workload = matrix.latency()
        results["latency"] = (workload, *measure.run_workload(machine, workload, plan))
        progress(*results["latency"])
    if "memory" in wanted:
        results["memory"] = measure.run_memory(machine, plan)
        for (name, door), size in results["memory"].items():
            say(f"W9: {name} {door}: {size:,.0f} B per idle connection")
    if "workers" in wanted:
        results["workers"] = measure.run_workers(machine, plan)
        for name, s in results["workers"][0].items():
            say(f"workers: {name}: {statistics.median(s.cost()):.2f} us, {s.rate():,.0f}/s")
    if "scale" in wanted:
        results["scale"] = measure.run_scale(machine, plan)
        for name, s in results["scale"][0].items():
            say(f"scale: {name}: {statistics.median(s.cost()):.2f} us")
    if "instructions" in wanted and shutil.which("valgrind"):
        results["instructions"] = []
        for workload, costs, done in instructions.counts(machine, instructions.WORKLOADS.split(",")):
            results["instructions"].append((workload, sum(costs.values()) / done))
            say(f"instructions: {workload.id}: {results['instructions'][-1][1]:,.0f}")
    results["seconds"] = time.monotonic() - results["began"]
    return results


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--quick", action="store_true", help="short turns")
    arguments.add_argument("--only", help="comma-separated parts; nothing is written")
    options = arguments.parse_args()
    known = [w.id for w in matrix.workloads()] + PARTS
    wanted = options.only.split(",") if options.only else known
    if unknown := set(wanted) - set(known):
        sys.exit(f"unknown: {', '.join(sorted(unknown))}; known: {', '.join(known)}")
    if not os.access(programs.sluice(), os.X_OK):
        sys.exit(f"{programs.sluice()} is not there: make build")

    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    plan = measure.QUICK if options.quick else measure.FULL
    about = environment.describe(options.quick)
    programs.build()
    scratch = programs.scratch_directory()
    machine = programs.Machine(scratch)
    try:
        matrix.key_files(machine)
        results = run(machine, plan, wanted)
    finally:
        machine.stop()
        shutil.rmtree(scratch, ignore_errors=True)
    if not options.only:
        report.write(results, about | environment.disturbance(), plan)
        say(f"bench/RESULTS.md is written; {results['seconds']:.0f} s")


if __name__ == "__main__":
    main()
