#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Kills Redis under load, starts it again, and says second by second what clients saw.

    bench/cluster/redis_kill.py [local|closed|open]
"""
import sys
import time

from cluster import Cluster, total, wait_until

RATE, BURST, DEMAND = 600, 100, 450  # below the limit: nothing is to be refused
KILL, RETURN, END = 6, 12, 20


def main():
    mode = sys.argv[1] if len(sys.argv) > 1 else "local"
    limits = f"throttle: {{ rateLimit: {RATE}, burstLimit: {BURST} }}"
    with Cluster(limits, on_failure=mode) as cluster:
        load = cluster.start_load([(END, [DEMAND / 3] * 3)])
        begin = time.monotonic()

        def sleep_until(second):
            time.sleep(max(0.0, begin + second - time.monotonic()))
        sleep_until(KILL)
        cluster.kill_redis()
        sleep_until(RETURN)
        cluster.start_redis()
        returned = time.monotonic()
        wait_until(lambda: all(cluster.metric(i, "sluice_redis_connected") == 1
                               for i in range(3)), "the gateways to connect again")
        converged = time.monotonic() - returned
        load.wait()
        rows = cluster.read()
        lines = [line for i in range(3) for line in cluster.log(i).splitlines()
                 if "is away" in line or "is back" in line]
    print(f"onFailure: {mode}, limit {RATE}/s, demand {DEMAND}/s over three gateways")
    print("| second | admitted | throttled | 503 and others | failed | p50 us | p99 us | |")
    print("|---|---|---|---|---|---|---|---|")
    for second in range(END):
        part = [r for r in rows if second <= r["micros"] / 1e6 < second + 1]
        p50 = sorted(r["p50"] for r in part)[len(part) // 2] if part else 0
        p99 = sorted(r["p99"] for r in part)[int(len(part) * 0.99)] if part else 0
        note = {KILL: "Redis killed", RETURN: "Redis started"}.get(second, "")
        print(f"| {second} | {total(part)} | {total(part, 'throttled')} | {total(part, 'other')} | "
              f"{total(part, 'failed')} | {p50} | {p99} | {note} |")
    print(f"\nconnected again {converged:.2f} s after Redis; log lines:")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
