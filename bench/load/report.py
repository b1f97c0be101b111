# SPDX-License-Identifier: Apache-2.0
"""bench/RESULTS.md and bench/plots/*.svg from what was measured."""
import statistics

import chart
import matrix
from measure import ratios
from programs import ROOT

BENCH = ROOT / "bench"
median = statistics.median


def table(heads, rows):
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    return lines + ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows] + [""]


def span(values, digits=2):
    return f"{min(values):.{digits}f} to {max(values):.{digits}f}"


def verdict(value, must, aim):
    if value > must:
        return "**missed**"
    return "must and aim" if aim is not None and value <= aim else "must"


def row(what, value, shown, must, aim, unit="", floor=""):
    limit = [f"{must:,g}{unit}", "" if aim is None else f"{aim:,g}{unit}"]
    return [what, shown, floor, *limit, verdict(value, must, aim)]


def floor_of(series, peer):
    """The same ratio of the program that does nothing else, where one ran."""
    idle = next((name for name in series if name.startswith(("relay", "fixed"))), None)
    return "" if idle in (None, peer) else f"{median(ratios(series, idle, peer)):.2f}"


def ratio_rows(results):
    for workload, series, _ in results["workloads"]:
        for target in workload.targets:
            values = ratios(series, "sluice", target.peer)
            yield row(f"{workload.id} {workload.title}: CPU, x {target.peer}", median(values),
                      f"{median(values):.2f} ({span(values)})", target.must, target.aim,
                      floor=floor_of(series, target.peer))


def added(series, name, quantile):
    """Latency above that of the origin asked directly, in the same cycle."""
    return median(a - b for a, b in zip(series[name].each(quantile), series["origin"].each(quantile)))


def latency_rows(results):
    _, series, _ = results["latency"]
    for quantile, label in (("p50_us", "p50"), ("p99_us", "p99")):
        more = added(series, "sluice", quantile) - added(series, "nginx", quantile)
        cells = row(f"W10 5,000/s: added {label}, above nginx's", more, f"{more:+.1f} us", 5, 0, " us")
        if series["sluice"].waited() > 0.05:
            cells[-1] = "not judged: disturbed"
        yield cells


def memory_rows(results):
    for door, (must, aim) in matrix.MEMORY.items():
        size = results["memory"].get(("sluice", door))
        if size is not None:
            yield row(f"W9 memory per idle connection, {door}", size, f"{size:,.0f} B", must, aim,
                      " B")


def other_rows(results):
    calls = {w.id: s["sluice"].syscalls for w, s, _ in results["workloads"]}
    if calls["W1"] is not None:
        yield row("system calls per proxied request (W1)", calls["W1"], f"{calls['W1']:.1f}", 6.1, 4.3)
    series, _ = results["workers"]
    one, two = median(series["1 worker"].cost()), median(series["2 workers"].cost())
    gain = 2 * one / two
    yield ["capacity of 2 workers, x 1 worker (from CPU per request)", f"{gain:.2f}", "", ">= 1.8", "",
           "must" if gain >= 1.8 else "**missed**"]
    series, _, _ = results["scale"]
    small, large = (s.cost() for s in series.values())
    values = [b / a for a, b in zip(small, large)]
    yield row(f"{list(series)[1]}: CPU, x that with 10", median(values),
              f"{median(values):.2f} ({span(values)})", 1.15, None)


def summary(results):
    rows = [*ratio_rows(results), *latency_rows(results), *memory_rows(results),
            *other_rows(results)]
    return ["## Targets", "",
            "Ratios are medians over the cycles, in brackets the smallest and the largest. *Floor* is the "
            "ratio of a program that does nothing but move bytes (`relay`) or answer (`fixed`), in "
            "the same cycles: the kernel's share, below which nothing built on sockets comes.", "",
            *table(["what", "measured", "floor", "must", "aim", "reached"], rows)]


def detail(workload, series, problems):
    rows = []
    for name, s in series.items():
        if not s.turns:
            continue
        cost = s.cost()
        ratio = median(ratios(series, name, "nginx")) if "nginx" in series else None
        direct = name == "origin"
        rows.append([name, "" if direct else f"{median(cost):.2f} ({span(cost)})",
                     "" if direct or ratio is None else f"{ratio:.2f}",
                     "" if direct else f"{s.user():.1f}",
                     "" if s.syscalls is None else f"{s.syscalls:.1f}", f"{s.rate():,.0f}",
                     f"{median(s.each('p50_us')):,.0f}", f"{median(s.each('p99_us')):,.0f}",
                     "" if direct else f"{s.busy():.0%}", "" if direct else f"{s.waited():.0%}"])
    lines = [f"### {workload.id}: {workload.title}", "",
             *table(["", "CPU us/request", "x nginx", "user us", "syscalls", "requests/s", "p50 us",
                     "p99 us", "busy", "waited"], rows)]
    return lines + [f"Not comparable, {name}: {problem}." for name, problem in problems.items()] + \
        ([""] if problems else [])


def memory(results):
    doors = list(matrix.MEMORY)
    names = dict.fromkeys(name for name, _ in results["memory"])
    rows = [[name, *(f"{results['memory'][name, door]:,.0f}" if (name, door) in results["memory"]
                     else "" for door in doors)] for name in names]
    return ["### W9: user-space bytes per idle connection", "", *table(["", *doors], rows)]


def scaling(results):
    series, _ = results["workers"]
    large, _, seconds = results["scale"]
    rows = [[name, f"{median(s.cost()):.2f} ({span(s.cost())})", f"{s.rate():,.0f}", ""]
            for name, s in series.items()]
    rows += [[name, f"{median(s.cost()):.2f} ({span(s.cost())})", f"{s.rate():,.0f}",
              f"{seconds[name]:.1f}"] for name, s in large.items()]
    return ["### Scaling, policies of W2", "",
            *table(["", "CPU us/request", "requests/s", "start, s"], rows),
            "On two CPUs the second worker shares its CPU with the load, so requests/s say nothing "
            "about it; its cost per request does: with k workers and free CPUs throughput is k "
            "divided by that cost.", ""]


def instructions(results):
    rows = [[f"{w.id} {w.title}", f"{count:,.0f}"] for w, count in results.get("instructions", [])]
    if not rows:
        return []
    return ["### Instructions in user space per request", "",
            *table(["workload", "instructions"], rows),
            "By callgrind, so that noise does not matter: `bench/load/instructions.py`, which also says "
            "why the policies look dearer there than they are.", ""]


def head(about, plan):
    versions = ", ".join(f"{name} {version}" for name, version in about["versions"].items())
    warning = []
    if about["disturbed"]:
        warning = [f"> **Taken on a disturbed machine** (load {about['load']:.1f} before the start): "
                   "ratios hold roughly, absolute figures and latencies do not.", ""]
    if about["quick"]:
        warning += ["> Quick run: short turns, few cycles. For figures to keep: `make bench`.", ""]
    return ["# Results of `make bench`", "", *warning,
            f"- {about['date']}, commit {about['commit']}",
            f"- {about['cpu']}, {about['cpus']} CPUs, {about['memory']}, Linux {about['kernel']}, "
            f"{about['congestion']}; load before {about['load']:.2f}, stolen {about['steal']:.1%}",
            f"- {about['pinning']}; one worker each; loopback; 64 connections unless stated",
            f"- {versions}",
            f"- {plan.cycles} interleaved cycles of {plan.ms} ms per gateway after "
            f"{plan.warm_ms} ms of warm-up; the first cycle is not counted", ""]


METHOD = """## How to read this

CPU is that of all threads and processes of a gateway, user and system, divided by answered requests.
All gateways of a workload run at the same time and are driven in turn; a ratio compares two turns of
one cycle. Load and origin are one spinning process, so no gateway pays for waking them. *busy* is
the gateway's share of its CPU: below 90 % a gateway sleeps and wakes between batches, which raises
its cost. *waited* is the share of time in which it could have run and something else did: above a few
percent the machine was disturbed. Latencies of W1 to W7 are those of a saturated gateway; W10's
count from the moment a request was due, and *added* is above the origin asked directly.

`relay` (bytes, unseen) and `fixed` (a constant) are the floors of proxying and of answering. The
peers write `X-Forwarded-*` as Sluice does; request ids and metrics, which Sluice always makes, are not asked
of them. Configurations: `bench/load/peers` and `bench/load/sluice`; improvements are welcome.
""".splitlines()


def plots(results):
    directory = BENCH / "plots"
    directory.mkdir(exist_ok=True)
    groups = []
    for workload, series, problems in results["workloads"]:
        costs = {n: s.cost() for n, s in series.items() if n not in problems}
        groups.append((f"{workload.id} {workload.title}",
                       {n: (median(c), min(c), max(c)) for n, c in costs.items()}))
    (directory / "cpu.svg").write_text(chart.bars("CPU time per request", "us", groups))
    _, series, _ = results["latency"]
    groups = []
    for quantile, label in (("p50_us", "added p50"), ("p99_us", "added p99")):
        values = {n: max(added(series, n, quantile), 0) for n in series if n != "origin"}
        groups.append((label, {n: (v, v, v) for n, v in values.items()}))
    (directory / "latency.svg").write_text(
        chart.bars("Latency at 5,000 requests/s, open loop", "us", groups))
    groups = [(door, {n: (v, v, v) for (n, d), v in results["memory"].items() if d == door})
              for door in matrix.MEMORY]
    (directory / "memory.svg").write_text(
        chart.bars("Memory per idle connection", "B", [g for g in groups if g[1]]))


def write(results, about, plan):
    plots(results)
    lines = head(about, plan) + summary(results) + METHOD + ["", "![CPU](plots/cpu.svg)", "",
                                                             "## Workloads", ""]
    for workload in results["workloads"]:
        lines += detail(*workload)
    lines += detail(*results["latency"]) + ["![Latency](plots/latency.svg)", ""]
    lines += memory(results) + ["![Memory](plots/memory.svg)", ""] + scaling(results)
    lines += instructions(results)
    (BENCH / "RESULTS.md").write_text("\n".join(lines).rstrip() + "\n")
