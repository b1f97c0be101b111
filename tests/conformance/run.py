#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the tables of cases/ against the gateway, or against a peer by the same verdict rules.

    run.py [--binary PATH] [--peer nginx|haproxy] [--split] [--only TEXT] [--list] [--markdown]
"""
import argparse
import collections
import importlib
import os
import pkgutil
import sys
import time

import cases
from case import Do, Outcome, get, safety, verdict
from origin import Origin
from subject import Subject
from wire import Broken, TimedOut, eventually

CLOSE_SECONDS = 2.0  # in which a connection is closed after its last answer
SPLIT_LIMIT = 700  # bytes: longer messages are only sent whole


def load(only, scope):
    found = []
    for module in sorted(m.name for m in pkgutil.iter_modules(cases.__path__)):
        for case in importlib.import_module(f"cases.{module}").CASES:
            if only in case.name and (scope == "all" or case.scope == "http"):
                found.append((module, case))
    names = collections.Counter(case.name for _, case in found)
    repeated = [name for name, count in names.items() if count > 1]
    if repeated:
        raise SystemExit(f"names used twice: {repeated}")
    return found


class Runner:
    def __init__(self, subject, origin):
        self.subject, self.origin, self.probes = subject, origin, 0

    def run(self, case, split):
        outcome = Outcome([], [], [])
        client = self.subject.client(case.seconds)
        with client:
            try:
                self._send(client, case, split, outcome)
                if not outcome.aborted:
                    self._receive(client, case, outcome)
            except TimedOut:
                outcome.late = True
            except Broken as fault:
                outcome.broken = str(fault)
        self._settle(outcome)
        return outcome

    def _send(self, client, case, split, outcome):
        steps = case.send if isinstance(case.send, list) else [case.send]
        for step in steps:
            if isinstance(step, bytes):
                short = split and len(step) <= SPLIT_LIMIT
                (client.send_slowly if short else client.send)(step)
            elif step.what == "half_close":
                client.half_close()
            elif step.what == "abort":
                client.abort()
                outcome.aborted = True
                return
            elif step.what == "await_origin":
                eventually(lambda: self.origin.unfinished() > 0, 1.0)
            elif step.what == "await_continue":
                response = client.read_response(interim=True)
                if response is None or response.status >= 200:
                    outcome.responses += [response] if response else []
                    return
                outcome.interim.append(response.status)

    def _receive(self, client, case, outcome):
        expect = case.expect
        wanted = expect.statuses or ([range(200, 600)] if expect.only_guarded else [])
        while len(outcome.responses) < len(wanted):
            response = client.read_response(case.heads, interim=True)
            if response is None:
                outcome.ended = True
                return
            if response.status < 200:
                outcome.interim.append(response.status)
                continue
            outcome.responses.append(response)
            if response.status not in wanted[len(outcome.responses) - 1]:
                self._read_rest(client, outcome, 0.2)  # the row is missed: only safety counts
                return
        if expect.closed is False:
            self._check_step(client, outcome)
        elif expect.closed or not wanted:
            self._read_rest(client, outcome, CLOSE_SECONDS)

    def _read_rest(self, client, outcome, seconds):
        client.extend(seconds)
        while (response := client.read_response()) is not None:
            outcome.responses.append(response)
        outcome.ended = True

    def _check_step(self, client, outcome):
        """One more request on the connection is answered once, and reaches the origin once."""
        response = client.exchange(get(target=b"/in-step"))
        outcome.ended = response is None
        if response is not None:
            outcome.in_sync = response.value("x-target") == b"/in-step" and not client.input

    def _settle(self, outcome):
        """A request of its own follows the case: what it did not overtake has not been sent."""
        self.probes += 1
        target = f"/probe-{self.probes}"
        with self.subject.client() as client:
            client.exchange(get(target=target.encode()))
        outcome.held = not eventually(lambda: self.origin.unfinished() == 0, 1.5)
        outcome.arrivals = [a for a in self.origin.take()
                            if a.target not in (target, "/in-step")]


def run_all(name, chosen, split=False):
    """Per table [cases, as required, safe]; the failures; the subject and how it ended."""
    origin = Origin()
    subject = Subject(name, [origin.port])
    runner = Runner(subject, origin)
    rows, failures = collections.defaultdict(lambda: [0, 0, 0]), []
    for module, case in chosen:
        for bytewise in (False, True) if split else (False,):
            if not subject.alive():
                sys.exit(f"{name} has died before {case.name}:\n{subject.log_text()}")
            outcome = runner.run(case, bytewise)
            reason = verdict(case, outcome)
            rows[module][0] += 1
            rows[module][1] += not reason
            rows[module][2] += not safety(case, outcome)
            if reason:
                mode = "byte by byte" if bytewise else "whole"
                failures.append((module, case, mode, reason, outcome))
    status = subject.stop()
    origin.close()
    return rows, failures, subject, status


def print_failures(failures, show_bytes):
    for module, case, mode, reason, outcome in failures:
        print(f"FAILED {module}: {case.name} ({mode}) [{case.rule}]\n       {reason}")
        if show_bytes:
            print(f"       sent {case.send!r:.300}\n       answers {outcome.responses}\n"
                  f"       origin {outcome.arrivals}")


def print_table(subject, rows, markdown):
    """Per table of cases: how many, how many as the row says, how many safe for any proxy."""
    if markdown:
        print(f"| {subject.version()} | cases | as required | safe |\n| --- | --- | --- | --- |")
    line = "| {} | {} | {} | {} |" if markdown else "  {:<14}{:>7}{:>14}{:>8}"
    if not markdown:
        print(f"{subject.version()}\n" + line.format("table", "cases", "as required", "safe"))
    total = [0, 0, 0]
    for module, (count, passed, safe) in sorted(rows.items()):
        print(line.format(module, count, passed, safe))
        total = [a + b for a, b in zip(total, (count, passed, safe))]
    print(line.format("all", *total))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", default=os.environ.get("SLUICE_BINARY"))
    parser.add_argument("--peer", choices=("nginx", "haproxy"))
    parser.add_argument("--split", action="store_true", help="byte by byte as well as whole")
    parser.add_argument("--only", default="", help="cases whose name has this text")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--markdown", action="store_true")
    parser.add_argument("--verbose", action="store_true", help="show bytes of failed cases")
    options = parser.parse_args()
    chosen = load(options.only, "http" if options.peer else "all")
    if options.list:
        for module, case in chosen:
            print(f"{module:<12} {case.name:<50} {case.rule}")
        return 0
    if options.binary:
        os.environ["SLUICE_BINARY"] = options.binary
    elif not options.peer:
        parser.error("--binary or SLUICE_BINARY is needed")

    begun = time.monotonic()
    rows, failures, subject, status = run_all(options.peer or "sluice", chosen, options.split)
    print_failures(failures, options.verbose)
    print_table(subject, rows, options.markdown)
    print(f"{len(chosen)} cases, {len(failures)} failed, exit status {status}, "
          f"{time.monotonic() - begun:.1f} s")
    return 1 if failures or (status != 0 and not options.peer) else 0


if __name__ == "__main__":
    sys.exit(main())
