# SPDX-License-Identifier: Apache-2.0
"""Where and with what was measured."""
import os
import platform
import re
import subprocess
import time
from pathlib import Path

from programs import CPUS, GATEWAY_CPU, LOAD_CPU, ROOT, sluice

_began = {}


def output(*command):
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20)
    except OSError:
        return ""
    return (done.stdout + done.stderr).strip()


def version(pattern, *command):
    found = re.search(pattern, output(*command))
    return found[1] if found else "not installed"


def cpu_times():
    """Jiffies of the whole machine: user, nice, system, idle, iowait, irq, softirq, steal."""
    return [int(n) for n in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]


def describe(quick):
    cpu = re.search(r"model name\s*:\s*(.*)", Path("/proc/cpuinfo").read_text())
    memory = re.search(r"MemTotal:\s*(\d+)", Path("/proc/meminfo").read_text())
    congestion = Path("/proc/sys/net/ipv4/tcp_congestion_control")
    _began["load"] = os.getloadavg()[0]
    _began["times"] = cpu_times()
    changed = " (with changes)" if output("git", "-C", str(ROOT), "status", "--porcelain", "-uno",
                                          "src", "include", "cmake") else ""
    return {
        "quick": quick,
        "date": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
        "commit": output("git", "-C", str(ROOT), "rev-parse", "--short", "HEAD") + changed,
        "cpu": cpu[1] if cpu else platform.machine(),
        "cpus": len(CPUS),
        "pinning": f"gateways on CPU {GATEWAY_CPU}, load and origin on CPU {LOAD_CPU}",
        "memory": f"{int(memory[1]) / (1 << 20):.0f} GB",
        "kernel": platform.release(),
        "congestion": congestion.read_text().strip() if congestion.exists() else "unknown",
        "versions": {
            "sluice": version(r"(\d\S*)", sluice(), "version"),
            "nginx": version(r"nginx/(\S+)", "nginx", "-v"),
            "haproxy": version(r"version (\S+)", "haproxy", "-v"),
            "varnish": version(r"varnish-(\S+)", "varnishd", "-V"),
            "caddy": version(r"v?(\d\S*)", "caddy", "version"),
            "OpenSSL": version(r"OpenSSL (\S+)", "openssl", "version"),
        },
    }


def disturbance():
    passed = [now - then for now, then in zip(cpu_times(), _began["times"])]
    return {"load": _began["load"], "steal": passed[7] / max(sum(passed), 1),
            "disturbed": _began["load"] >= 1.5}
