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
import ssl
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

    def test_the_reference_names_every_family_with_its_type(self):
        gateway = self.enterContext(Gateway(shop(self.backend, ALL_ON)))
        families = dict(re.findall(r"^# TYPE (\S+) (\S+)$", gateway.admin("/metrics")[1], re.M))
        text = (ROOT / "docs/reference/metrics.md").read_text(encoding="utf-8")
        documented = dict(re.findall(r"^\| `([a-z0-9_]+)` \| (counter|gauge|histogram) \|", text,
                                     re.M))
        # With a store in Redis only; tests/integration/redis_test.cpp looks at these.
        shared = {name for name in documented if name.startswith("sluice_redis_")}
        self.assertTrue(shared)
        self.assertEqual({n: t for n, t in documented.items() if n not in shared}, families)

    def test_promtool_likes_it_all(self):
        gateway = self.enterContext(Gateway(shop(self.backend, ALL_ON)))
        gateway.get("/back/x", Host="shop")
        def check(target):
            code, text = gateway.admin(target)
            self.assertEqual(code, 200)
            said = subprocess.run(["promtool", "check", "metrics"], input=text, text=True,
                                  capture_output=True, timeout=30, check=False)
            return said.returncode, said.stdout + said.stderr

        self.assertEqual(check("/metrics"), (0, ""))
        for style in ("exporter", "yace"):
            # 3: it reads, but the exporters' names are not as promtool wants names to be.
            self.assertEqual(check(f"/metrics/cloudwatch?style={style}")[0], 3)
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
        self.last_minute_has_the_exporters_names(gateway, prometheus, failed)

    def last_minute_has_the_exporters_names(self, gateway, prometheus, failed):
        """The minute must end first, so this takes one at most."""
        code, text = gateway.admin("/monitoring/metrics?metric=5XXError&statistic=Sum&api=Shop")
        self.assertEqual(code, 200)
        minutes = [point["Sum"] for point in json.loads(text)["Datapoints"] if point["Sum"] > 0]
        self.assertEqual(sum(minutes), failed)
        shop_prod = '{job="aws_apigateway",api_name="Shop",stage="prod"}'
        shown = wait_for("a full minute with errors", lambda: prometheus.value(
            f"max_over_time(aws_apigateway_5_xxerror_sum{shop_prod}[5m])"), 90)
        self.assertIn(shown, minutes)

    def test_handshakes_by_version_and_resumption(self):
        with tempfile.TemporaryDirectory() as folder:
            pem = pathlib.Path(folder, "pem")
            subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                            "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=test",
                            "-keyout", pem, "-out", f"{pem}.crt"], check=True, capture_output=True)
            more = (f"\n  - {{ name: secure, address: 127.0.0.1, port: 0, tls: {{ "
                    f"certificateFile: {pem}.crt, privateKeyFile: {pem} }} }}")
            gateway = self.enterContext(Gateway(shop(self.backend), listeners=more))
        port = int(re.findall(r"listening on \S*?:(\d+)", gateway.said())[1])
        session = None
        for version, resume in ((ssl.TLSVersion.TLSv1_2, False), (ssl.TLSVersion.TLSv1_2, False),
                                (ssl.TLSVersion.TLSv1_2, True), (ssl.TLSVersion.TLSv1_3, False)):
            if not resume:
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
                context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
                context.minimum_version = context.maximum_version = version
            with socket.create_connection(("127.0.0.1", port)) as plain, \
                    context.wrap_socket(plain, session=session if resume else None) as tls:
                tls.sendall(b"GET /mock HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n")
                while tls.recv(4096):
                    pass
                session = tls.session
                self.assertEqual(tls.session_reused, resume)
        with socket.create_connection(("127.0.0.1", port)) as plain:
            plain.sendall(b"GET / HTTP/1.1\r\n\r\n")
            plain.recv(100)
        samples = parse(gateway.admin("/metrics")[1])
        counts = {(labels["version"], labels["resumed"]): value for name, labels, value in samples
                  if name == "sluice_tls_handshakes_total"}
        self.assertEqual(counts, {("TLSv1.2", "false"): 2, ("TLSv1.2", "true"): 1,
                                  ("TLSv1.3", "false"): 1, ("TLSv1.3", "true"): 0})
        self.assertEqual(total(samples, "sluice_tls_handshake_failures_total"), 1)

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
        # A request's latency is counted an instant after its client has read the answer.
        wait_for("agreement", lambda: self.agree(parse(gateway.admin("/metrics")[1])))

    @staticmethod
    def agree(samples):
        counts = {total(samples, name) for name in
                  ("sluice_requests_total", "sluice_responses_total", "sluice_latency_seconds_count",
                   "sluice_overhead_seconds_count")}
        return len(counts) == 1 and counts != {0}


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + ["-v"] + sys.argv[1:])
