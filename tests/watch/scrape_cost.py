#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a scrape of more than 10,000 series costs, and whether clients notice.

python3 -B tests/watch/scrape_cost.py [ROUNDS]; needs wrk. Rounds with and without a scrape every
second take turns, so that what else the machine does hits both.
"""
import re
import statistics
import subprocess
import sys
import threading
import time

from harness import Gateway

APIS = 140
SECONDS = 5


def config():
    apis = "".join(
        f"  - {{ id: a{n}, name: Api{n}, resources: {{ /: {{ GET: {{ integration: "
        f"{{ type: MOCK, statusCode: 200, body: ok }} }} }} }} }}\n" for n in range(APIS))
    stages = "".join(f"  - {{ restApiId: a{n}, stageName: s }}\n" for n in range(APIS))
    return f"restApis:\n{apis}stages:\n{stages}"


def milliseconds(text):
    number, unit = re.fullmatch(r"([\d.]+)(us|ms|s)", text).groups()
    return float(number) * {"us": 0.001, "ms": 1, "s": 1000}[unit]


def load(gateway):
    """Requests a second, and p50 and p99 in milliseconds."""
    out = subprocess.run(
        ["wrk", "-t1", "-c8", f"-d{SECONDS}s", "--latency",
         f"http://127.0.0.1:{gateway.port}/_apis/a0/s/"],
        capture_output=True, text=True, check=True).stdout
    return (float(re.search(r"Requests/sec:\s+([\d.]+)", out)[1]),
            *(milliseconds(re.search(rf"^\s+{p}%\s+(\S+)", out, re.M)[1]) for p in (50, 99)))


def scrape(gateway):
    began = time.perf_counter()
    code, text = gateway.admin("/metrics")
    took = (time.perf_counter() - began) * 1000
    assert code == 200
    return took, sum(not line.startswith("#") for line in text.splitlines()), len(text)


def load_with_scrapes(gateway, taken):
    done = threading.Event()

    def go_on():
        while not done.wait(1):
            taken.append(scrape(gateway)[0])

    scraper = threading.Thread(target=go_on)
    scraper.start()
    try:
        return load(gateway)
    finally:
        done.set()
        scraper.join()


def show(name, runs):
    rate, p50, p99 = (statistics.median(column) for column in zip(*runs))
    print(f"{name:22} {rate:10.0f} requests/s   p50 {p50:6.3f} ms   p99 {p99:6.3f} ms"
          f"   (p99 {min(r[2] for r in runs):.3f} to {max(r[2] for r in runs):.3f})")


def main(rounds):
    with Gateway(config(), workers=1) as gateway:
        load(gateway)
        idle = [scrape(gateway) for _ in range(20)]
        print(f"{idle[0][1]} series, {idle[0][2] // 1024} KiB; idle: "
              f"median {statistics.median(t for t, *_ in idle):.1f} ms, "
              f"most {max(t for t, *_ in idle):.1f} ms")
        off, on, taken = [], [], []
        for _ in range(rounds):
            off.append(load(gateway))
            on.append(load_with_scrapes(gateway, taken))
        show("no scrapes", off)
        show("a scrape each second", on)
        print(f"scrapes under load: median {statistics.median(taken):.1f} ms, "
              f"most {max(taken):.1f} ms")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 6)
