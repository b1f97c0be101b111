#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Prints docs/security-comparison.md's tables: the gateway, nginx and HAProxy side by side, by the
same cases and the same verdict rules.

    compare.py --binary PATH [--subjects sluice,nginx,haproxy]
"""
import argparse
import datetime
import os

import faults
import run
from subject import Subject


def versions(names):
    found = []
    for name in names:
        subject = Subject.__new__(Subject)
        subject.name = name
        found.append(subject.version().replace("nginx version: ", "").split(" 20")[0])
    return found


def table(title, names, rows):
    """Rows of (what, count, [(as required, safe), ...])."""
    print(f"\n| {title} | number | " + " | ".join(names) + " |")
    print("| --- | --- |" + " --- |" * len(names))
    for what, count, results in rows:
        cells = [f"{passed} ({safe})" for passed, safe in results]
        print(f"| {what} | {count} | " + " | ".join(cells) + " |", flush=True)


def requests(names):
    chosen = run.load("", "http")
    results = [run.run_all(name, chosen)[0] for name in names]
    modules = sorted(results[0])
    rows = [(m, results[0][m][0], [tuple(r[m][1:]) for r in results]) for m in modules]
    sums = [tuple(sum(r[m][i] for m in modules) for i in (1, 2)) for r in results]
    return rows + [("all", len(chosen), sums)]


def origins(names):
    parts = [("fault table", lambda name, tally: faults.run_rows(name, "", tally)),
             ("targets, pools, leaving clients",
              lambda name, tally: faults.run_scenarios(name, "", tally))]
    rows = []
    for what, part in parts:
        results = []
        for name in names:
            tally = faults.Tally(quiet=True)
            part(name, tally)
            results.append((tally.count - tally.missed, tally.count - tally.unsafe))
        rows.append((what, tally.count, results))
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", default=os.environ.get("SLUICE_BINARY"))
    parser.add_argument("--subjects", default="sluice,nginx,haproxy")
    options = parser.parse_args()
    os.environ["SLUICE_BINARY"] = options.binary
    names = options.subjects.split(",")
    print(f"Measured {datetime.date.today()} with " + ", ".join(versions(names)) + ".")
    table("request side, by table of cases", names, requests(names))
    table("origin side", names, origins(names))


if __name__ == "__main__":
    main()
