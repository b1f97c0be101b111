#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the gateway, or a peer by the same rules, in front of an origin that misbehaves.

    faults.py [--binary PATH] [--peer nginx|haproxy] [--only TEXT] [--list] [--no-mixups]
"""
import argparse
import os
import sys
import time

import mixups
from fault_checks import RowRunner, settled
from fault_origin import FaultOrigin
from fault_rows import ROWS
from scenarios import SCENARIOS
from subject import Subject
from wire import eventually

BACKEND_MILLIS = 1000  # rows that must end in time allow 2.5 s


class Tally:
    def __init__(self, quiet=False):
        self.count = self.missed = self.unsafe = 0
        self.quiet = quiet

    def add(self, name, rule, missed, unsafe=""):
        self.count += 1
        self.missed += bool(missed)
        self.unsafe += bool(unsafe)
        if missed and not self.quiet:
            print(f"FAILED {name} [{rule}]\n       {missed}", flush=True)


def run_rows(name, only, tally):
    origin = FaultOrigin({})
    subject = Subject(name, [origin.port], backend_millis=BACKEND_MILLIS, body=1 << 24)
    runner = RowRunner(subject, origin)
    runner.warm_up()
    idle = subject.descriptors()
    for row in ROWS:
        if only in row.name:
            tally.add(row.name, row.rule, *runner.run(row))
            if not subject.alive():
                sys.exit(f"{name} has died:\n{subject.log_text()}")
    if not settled(origin) or not eventually(lambda: subject.descriptors() <= idle):
        tally.add("after all rows", "3.3 back to the idle level",
                  f"{subject.descriptors()} descriptors, {idle} at the start")
    if origin.faults:
        tally.add("requests", "1.5.6", f"ambiguous requests: {origin.faults[:3]}")
    status = subject.stop()
    if status != 0:
        tally.add("stop", "6", f"exit status {status}")
    origin.close()


def run_scenarios(name, only, tally):
    for scenario in SCENARIOS:
        text = scenario.__doc__.strip()
        if only in text:
            missed = scenario(name)
            tally.add(text, "3.1 to 3.4", missed, missed and "twice" in missed)


def run_mixups(name, tally):
    origin = mixups.origin()
    subject = Subject(name, [origin.port], backend_millis=BACKEND_MILLIS)
    summary, failures = mixups.run(subject, origin)
    print(summary)
    tally.add("tagged requests", "3.3 no mix-up, nothing left over",
              "; ".join(failures[:5]), any("foreign" in f or "twice" in f for f in failures))
    subject.stop()
    origin.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", default=os.environ.get("SLUICE_BINARY"))
    parser.add_argument("--peer", choices=("nginx", "haproxy"))
    parser.add_argument("--only", default="")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--no-mixups", action="store_true")
    options = parser.parse_args()
    if options.list:
        for row in ROWS:
            print(f"{row.name:<45} {row.rule}")
        for scenario in SCENARIOS:
            print(scenario.__doc__.strip())
        return 0
    if options.binary:
        os.environ["SLUICE_BINARY"] = options.binary
    elif not options.peer:
        parser.error("--binary or SLUICE_BINARY is needed")
    name, begun, tally = options.peer or "sluice", time.monotonic(), Tally()
    run_rows(name, options.only, tally)
    run_scenarios(name, options.only, tally)
    if not options.no_mixups and not options.only:
        run_mixups(name, tally)
    print(f"{tally.count} behaviours, {tally.count - tally.missed} as required, "
          f"{tally.count - tally.unsafe} safe, {time.monotonic() - begun:.1f} s")
    return 1 if tally.missed else 0


if __name__ == "__main__":
    sys.exit(main())
