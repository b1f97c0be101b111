#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Shows one limit that three gateways share: make cluster-demo

Redis and three gateways on loopback, a limit of 100 requests a second, and a demand of 240 that
moves from gateway to gateway.
"""
from cluster import KEY, Cluster, total

RATE, BURST = 100, 50
PHASES = [(3, [80, 80, 80], "evenly"), (3, [220, 10, 10], "nearly all to gateway 0"),
          (3, [0, 0, 240], "all to gateway 2")]


def main():
    limits = (f"throttle: {{ rateLimit: {RATE}, burstLimit: {BURST} }}\n"
              "    quota: { limit: 100000, period: DAY }")
    with Cluster(limits) as cluster:
        print(f"redis on port {cluster.redis_port}, gateways on {cluster.ports}, "
              f"limit {RATE}/s with a burst of {BURST}\n")
        rows = cluster.load([(seconds, rates) for seconds, rates, _ in PHASES])
        print("second  asked   admitted by gateway 0, 1, 2   together")
        second = 0
        for seconds, rates, what in PHASES:
            for _ in range(seconds):
                part = [r for r in rows if second <= r["micros"] / 1e6 < second + 1]
                each = [total([r for r in part if r["gateway"] == g]) for g in range(3)]
                print(f"{second:6}  {sum(rates):5}   {each[0]:12} {each[1]:5} {each[2]:5} "
                      f"{sum(each):12}   {what}")
                second += 1
        whole, limit = total(rows), BURST + RATE * second
        print(f"\nadmitted {whole} of at most {limit}: {whole / limit:.1%} of the limit")
        usage = [cluster.get(i, "/usage?usagePlanId=plan&keyId=caller") for i in range(3)]
        print(f"usage, as each gateway reports it for key {KEY[:4]}...:")
        print("\n".join("  " + text for text in usage))


if __name__ == "__main__":
    main()
