#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How far three gateways and one Redis stay from a shared limit, under uneven and shifting load.

    bench/cluster/bound.py [--quick]

For each limit: 24 s of three thirds (all even; one node has nearly everything; another one has
it), with a demand above the limit. Checked over every window of 10 s, and for the whole run.
"""
import sys

from cluster import Cluster, most_in_window, total

WINDOW = 10


def phases(demand, seconds):
    each = seconds / 3
    return [(each, [demand / 3] * 3),
            (each, [demand * 0.9, demand * 0.05, demand * 0.05]),
            (each, [demand * 0.02, demand * 0.08, demand * 0.9])]


def measure(rate, burst, demand, seconds, lease=100):
    limits = f"throttle: {{ rateLimit: {rate}, burstLimit: {burst} }}"
    with Cluster(limits, lease=lease) as cluster:
        rows = cluster.load(phases(demand, seconds))
        waits = sum(cluster.metric(i, "sluice_redis_waits_total") for i in range(3))
        calls = sum(cluster.metric(i, "sluice_redis_calls_total") for i in range(3))
    one_lease = max(1, rate * lease / 1000)
    limit = burst + rate * WINDOW
    most = most_in_window(rows, WINDOW)
    whole = total(rows)
    return {"rate": rate, "burst": burst, "demand": demand, "limit": limit, "most": most,
            "bound": limit * 1.01 + one_lease,
            "used": whole / (burst + rate * seconds),
            "errors": total(rows, "other") + total(rows, "failed"),
            "waits": waits / max(1, whole + total(rows, "throttled")), "calls": calls / seconds}


def main():
    quick = "--quick" in sys.argv
    seconds = 15 if quick else 24
    cases = [(5, 5, 30), (20, 10, 60), (100, 50, 180), (1000, 200, 1500), (5000, 1000, 6500)]
    if not quick:
        cases += [(50, 10, 100), (1000, 1000, 900)]
    print("| rate | burst | demand | limit in 10 s | most admitted | bound | used of limit | "
          "errors | waited | Redis calls/s |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    good = True
    for rate, burst, demand in cases:
        r = measure(rate, burst, demand, seconds)
        within = r["most"] <= r["bound"]
        enough = demand < rate or r["used"] >= 0.97
        good = good and within and enough and r["errors"] == 0
        print(f"| {rate}/s | {burst} | {demand}/s | {r['limit']} | {r['most']}"
              f"{'' if within else ' (!)'} | {r['bound']:.0f} | {r['used'] * 100:.1f} %"
              f"{'' if enough else ' (!)'} | {r['errors']} | {r['waits'] * 100:.1f} % | "
              f"{r['calls']:.0f} |", flush=True)
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
