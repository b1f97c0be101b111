# SPDX-License-Identifier: Apache-2.0
"""The real Prometheus scrapes a running gateway: its numbers are right, every name that the
dashboards and alarms use is exported, and an alarm fires.

python3 -B tests/watch/prometheus_test.py
"""
import contextlib
import json
import pathlib
import re
import socket
import subprocess
import sys
import tempfile
import threading
import unittest

from harness import ROOT, Backend, Gateway, parse, query, request, shop, total, wait_for

ALARMS = ROOT / "dashboards/alarms.yaml"
GRAFANA = ROOT / "dashboards/grafana.json"
NAME = re.compile(r"\b(?:sluice|process)_[a-z0-9_]+")
# Everything the program can export is on here.
ALL_ON = "\nserver: { workers: 2, metrics: { perKeySeries: 10 } }"


def expressions():
    """(place, expression) of every alarm and panel, with Grafana's variables filled in."""
    for block in re.findall(r"expr: (\|\n(?:\s{10,}.*\n)+|.*)", ALARMS.read_text(encoding="utf-8")):
        yield "alarms.yaml", block.lstrip("|").strip()
    board = json.loads(GRAFANA.read_text(encoding="utf-8"))
    targets = [t for panel in board["panels"] for t in panel.get("targets", [])]
    for text in [t["expr"] for t in targets] + [a["expr"] for a in board["annotations"]["list"]]:
        yield "grafana.json", (text.replace("$__rate_interval", "1m").replace("$api", ".*")
                               .replace("$stage", ".*"))


def exported(text):
    """Names of all samples that a scrape may hold, histograms' parts included."""
    names = set()
    for name, kind in re.findall(r"^# TYPE (\S+) (\S+)$", text, re.M):
        names.add(name)
        if kind == "histogram":
            names |= {name + part for part in ("_bucket", "_sum", "_count")}
    return names


class Prometheus:
    """One that scrapes the gateway every second, with the alarms' windows cut to seconds."""

    def __init__(self, gateway, rules):
        self.folder = tempfile.TemporaryDirectory()
        self.path = pathlib.Path(self.folder.name)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        (self.path / "rules.yaml").write_text(rules, encoding="utf-8")
        (self.path / "prometheus.yml").write_text(f"""
global: {{ scrape_interval: 1s, evaluation_interval: 1s }}
rule_files: [rules.yaml]
scrape_configs:
  - job_name: sluice
    static_configs: [ {{ targets: ["127.0.0.1:{gateway.admin_port}"] }} ]
  - job_name: exporter
    metrics_path: /metrics/cloudwatch
    params: {{ style: [exporter] }}
    honor_labels: true
    static_configs: [ {{ targets: ["127.0.0.1:{gateway.admin_port}"] }} ]
""", encoding="utf-8")

    def __enter__(self):
        self.log = open(self.path / "log", "w", encoding="utf-8")
        self.process = subprocess.Popen(
            ["prometheus", f"--config.file={self.path}/prometheus.yml",
             f"--storage.tsdb.path={self.path}/data", f"--web.listen-address=127.0.0.1:{self.port}"],
            stdout=self.log, stderr=self.log)
        wait_for("start of Prometheus", self.is_ready)
        return self

    def is_ready(self):
        if self.process.poll() is not None:
            raise AssertionError((self.path / "log").read_text(encoding="utf-8"))
        with contextlib.suppress(OSError):
            return request(self.port, "GET", "/-/ready", {})[0] == 200
        return False

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(30)
        self.log.close()
        self.folder.cleanup()

    def api(self, path, **parameters):
        code, text = request(self.port, "GET", f"/api/v1/{path}?{query(**parameters)}", {})
        return code, json.loads(text)

    def value(self, expression):
        code, answer = self.api("query", query=expression)
        assert code == 200, f"{expression}: {answer}"
        result = answer["data"]["result"]
        return float(result[0]["value"][1]) if result else None

    def firing(self):
        alerts = self.api("alerts")[1]["data"]["alerts"]
        return {a["labels"]["alertname"]: a for a in alerts if a["state"] == "firing"}


def quick(rules):
    return re.sub(r"for: \d+m", "for: 2s", re.sub(r"\[\d+m\]", "[15s]", rules))


class Watching(unittest.TestCase):
    def setUp(self):
        self.backend = self.enterContext(Backend())

    def test_names_in_dashboards_and_alarms_are_exported(self):
        gateway = self.enterContext(Gateway(shop(self.backend, ALL_ON)))
        known = exported(gateway.admin("/metrics")[1])
        count = 0
        for place, text in expressions():
            for name in NAME.findall(text):
                self.assertIn(name, known, place)
                count += 1
        self.assertGreater(count, 80)

    def test_promtool_likes_it_all(self):
        gateway = self.enterContext(Gateway(shop(self.backend, ALL_ON)))
        gateway.get("/back/x", Host="shop")
        for target in ("/metrics", "/metrics/cloudwatch?style=exporter",
                       "/metrics/cloudwatch?style=yace&dimensions=ApiName"):
            code, text = gateway.admin(target)
            self.assertEqual(code, 200)
            said = subprocess.run(["promtool", "check", "metrics"], input=text, text=True,
                                  capture_output=True, timeout=30, check=False)
            self.assertEqual((said.returncode, said.stdout + said.stderr), (0, ""), target)
        for words in (["check", "rules", ALARMS],
                      ["test", "rules", ROOT / "tests/watch/alarms_test.yaml"]):
            said = subprocess.run(["promtool", *words], capture_output=True, text=True, timeout=60,
                                  check=False)
            self.assertEqual(said.returncode, 0, said.stdout + said.stderr)

    def test_counts_are_right_and_an_alarm_fires(self):
        gateway = self.enterContext(Gateway(shop(self.backend, ALL_ON)))
        prometheus = self.enterContext(
            Prometheus(gateway, quick(ALARMS.read_text(encoding="utf-8"))))
        wait_for("a scrape", lambda: prometheus.value("sum(sluice_requests_total)") == 0)
        self.assertEqual(prometheus.firing(), {})
        failed = 0

        def go_on_failing():
            nonlocal failed
            for _ in range(2):
                self.assertEqual(gateway.get("/back/status/503", Host="shop")[0], 503)
                failed += 1
            return "High5XXErrorAlarm" in prometheus.firing()

        wait_for("the alarm", go_on_failing)
        alarm = prometheus.firing()["High5XXErrorAlarm"]
        self.assertEqual(alarm["labels"]["api"], "Shop")
        self.assertIn("Shop: ", alarm["annotations"]["summary"])
        self.assertGreater(failed, 10)
        for _ in range(17):
            gateway.get("/keyed", Host="shop", x_api_key="bob-key-0123456789abcdefgh")
        wait_for("all requests in Prometheus", lambda: prometheus.value(
            "sum(sluice_requests_total)") == failed + 17)
        self.assertEqual(prometheus.value("sum(sluice_5xx_errors_total)"), failed)
        self.assertEqual(prometheus.value('sum(sluice_responses_total{code="503"})'), failed)
        self.assertEqual(prometheus.value("sum(sluice_4xx_errors_total)"), 7)
        self.assertEqual(prometheus.value("sum(sluice_quota_exceeded_total)"), 7)
        self.assertEqual(prometheus.value('sluice_plan_quota_used_ratio{plan="free"}'), 1)
        self.assertEqual(prometheus.value('sluice_key_usage{plan="free",key="bob"}'), 10)
        self.assertEqual(
            prometheus.value("sum(sluice_integration_latency_seconds_count)"), failed)
        self.assertEqual(prometheus.value("sum(sluice_overhead_seconds_count)"), failed + 17)
        wait_for("the quota's alarm", lambda: "SluiceQuotaNearlyUsed" in prometheus.firing())
        text = (gateway.path / "gateway.yaml").read_text(encoding="utf-8")
        (gateway.path / "gateway.yaml").write_text(text + "\nnoSuchKey: 1\n")
        self.assertEqual(gateway.admin("/reload", "POST")[0], 422)
        wait_for("the reload's alarm", lambda: "SluiceReloadFailed" in prometheus.firing())
        for place, expression in expressions():
            code, answer = prometheus.api("query", query=expression)
            self.assertEqual(code, 200, f"{place}: {expression}: {answer}")
        wait_for("names of CloudWatch's exporter", lambda: prometheus.value(
            'count(aws_apigateway_count_sum{job="aws_apigateway",api_name="Shop",stage="prod"})'))

    def test_scrapes_agree_with_each_other_amid_traffic(self):
        gateway = self.enterContext(Gateway(shop(self.backend)))
        done = threading.Event()

        def ask():
            while not done.is_set():
                gateway.get("/mock", Host="shop")

        clients = [threading.Thread(target=ask) for _ in range(3)]
        for client in clients:
            client.start()
        try:
            before = -1
            for _ in range(30):
                samples = parse(gateway.admin("/metrics")[1])
                requests = total(samples, "sluice_requests_total")
                self.assertGreaterEqual(requests, before)
                before = requests
                buckets = total(samples, "sluice_latency_seconds_bucket", le="+Inf")
                self.assertEqual(buckets, total(samples, "sluice_latency_seconds_count"))
        finally:
            done.set()
            for client in clients:
                client.join()
        samples = parse(gateway.admin("/metrics")[1])
        self.assertEqual(total(samples, "sluice_requests_total"),
                         total(samples, "sluice_responses_total"))
        self.assertEqual(total(samples, "sluice_requests_total"),
                         total(samples, "sluice_latency_seconds_count"))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + ["-v"] + sys.argv[1:])
