# SPDX-License-Identifier: Apache-2.0
"""The program under test: the gateway, or Debian's nginx or HAProxy configured to do the same."""
import os
import pathlib
import resource
import shutil
import signal
import socket
import subprocess
import tempfile

from wire import Client, eventually, free_port

SLUICE = """\
listeners: [ {{ name: public, address: 127.0.0.1, port: {port} }} ]
admin: {{ address: 127.0.0.1, port: {admin} }}
state: {{ store: memory }}
server:
  workers: {workers}
  shutdownGraceSeconds: 2
  limits: {{ bodyBytes: {body} }}
  timeouts: {{ headerSeconds: {head_seconds}, bodyIdleSeconds: {body_seconds}, keepAliveSeconds: 60,
              writeIdleSeconds: {write_seconds} }}
  log: {{ level: info, format: text, file: "-" }}
restApis:
  - id: conformance
    resources:
      /:         {{ ANY: {{ integration: {{ type: HTTP_PROXY, uri: "http://origin/", timeoutInMillis: {backend_millis} }} }} }}
      /{{proxy+}}: {{ ANY: {{ integration: {{ type: HTTP_PROXY, uri: "http://origin/{{proxy}}", timeoutInMillis: {backend_millis} }} }} }}
      /calm:     {{ ANY: {{ integration: {{ type: HTTP_PROXY, uri: "http://calm/calm" }} }} }}
      /admin:    {{ ANY: {{ apiKeyRequired: true, integration: {{ type: HTTP_PROXY, uri: "http://origin/admin" }} }} }}
      /admin/{{proxy+}}: {{ ANY: {{ apiKeyRequired: true, integration: {{ type: HTTP_PROXY, uri: "http://origin/admin/{{proxy}}" }} }} }}
      /mixed:
        GET:  {{ integration: {{ type: HTTP_PROXY, uri: "http://origin/mixed" }} }}
        POST: {{ apiKeyRequired: true, integration: {{ type: HTTP_PROXY, uri: "http://origin/mixed" }} }}
      /keyed:
        GET:  {{ apiKeyRequired: true, integration: {{ type: HTTP_PROXY, uri: "http://origin/keyed" }} }}
        POST: {{ apiKeyRequired: true, integration: {{ type: HTTP_PROXY, uri: "http://origin/keyed" }} }}
stages: [ {{ restApiId: conformance, stageName: prod }} ]
usagePlans:
  - {{ id: plan, name: Plan, apiStages: [ {{ apiId: conformance, stage: prod }} ] }}
apiKeys:
  - {{ id: key, name: key, value: conformance-key-0123456789, enabled: true, usagePlanIds: [ plan ] }}
domainNames:
  - {{ domainName: "*", basePathMappings: [ {{ basePath: "", restApiId: conformance, stage: prod }} ] }}
backends:
  - name: origin
    connectTimeoutMillis: {connect_millis}
    targets: [ {targets} ]
  - name: calm
    targets: [ {calm} ]
"""

NGINX = """\
daemon off; master_process off; worker_processes 1; pid {directory}/nginx.pid;
error_log {directory}/error.log warn;
events {{ worker_connections 8192; }}
http {{
  access_log off;
  client_body_temp_path {directory}/body; proxy_temp_path {directory}/proxy;
  fastcgi_temp_path {directory}/f; uwsgi_temp_path {directory}/u; scgi_temp_path {directory}/s;
  client_header_timeout {head_seconds}s; client_body_timeout {body_seconds}s;
  send_timeout {write_seconds}s; keepalive_timeout 60s;
  client_max_body_size {body}; large_client_header_buffers 4 8k;
  upstream origin {{ {targets} keepalive 64; }}
  upstream calm {{ {calm} keepalive 64; }}
  server {{
    listen 127.0.0.1:{port};
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    proxy_set_header X-Forwarded-For $remote_addr;
    proxy_connect_timeout {connect_millis}ms; proxy_read_timeout {backend_millis}ms;
    location / {{ proxy_pass http://origin; }}
    location /calm {{ proxy_pass http://calm; }}
    location /admin {{ return 403; }}
    location = /mixed {{ limit_except GET {{ deny all; }} proxy_pass http://origin; }}
  }}
}}
"""

HAPROXY = """\
global
  nbthread 1
  maxconn {maxconn}
  expose-experimental-directives
defaults
  mode http
  timeout connect {connect_millis}ms
  timeout client {write_seconds}s
  timeout server {backend_millis}ms
  timeout http-request {head_seconds}s
  timeout http-keep-alive 60s
frontend public
  bind 127.0.0.1:{port}
  option forwardfor
  http-request del-header X-Forwarded-For
  option http-restrict-req-hdr-names reject
  http-request normalize-uri percent-to-uppercase
  http-request normalize-uri percent-decode-unreserved
  http-request normalize-uri path-strip-dot
  http-request normalize-uri path-strip-dotdot
  http-request normalize-uri path-merge-slashes
  http-request deny status 403 if {{ path /admin }} or {{ path_beg /admin/ }}
  http-request deny status 403 if {{ path /mixed }} !{{ method GET HEAD }}
  http-request deny status 413 if {{ req.hdr_val(content-length) gt {body} }}
  use_backend calm if {{ path /calm }}
  default_backend origin
backend origin
  {targets}
backend calm
  {calm}
"""

DEFAULTS = dict(workers=1, body=65536, head_seconds=2, body_seconds=2, write_seconds=5,
                backend_millis=2000, connect_millis=1000)


class Subject:
    """Starts on a free port; `targets` are the origins' ports, `calm` that of /calm alone."""

    def __init__(self, name, targets, descriptors=None, calm=None, **settings):
        self.name = name
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="sluice-conformance-"))
        self.port, self.admin = free_port(), free_port()
        values = {**DEFAULTS, **settings, "port": self.port, "admin": self.admin,
                  "directory": self.directory, "maxconn": descriptors // 3 if descriptors else 8192}
        self.limit = descriptors
        self.log = open(self.directory / "log", "wb")
        self.origins = {*targets, calm}
        words = getattr(self, f"_{name}")(values, targets, [calm] if calm else targets)
        self.process = subprocess.Popen(words, stdout=self.log, stderr=self.log,
                                        cwd=self.directory, preexec_fn=self._limit_descriptors)
        if not eventually(self._accepts, 20):
            raise RuntimeError(f"{name} does not start:\n{self.log_text()}")

    def _limit_descriptors(self):
        if self.limit is not None:
            resource.setrlimit(resource.RLIMIT_NOFILE, (self.limit, self.limit))

    def _write(self, name, text):
        (self.directory / name).write_text(text)
        return str(self.directory / name)

    def _sluice(self, values, *groups):
        origins, calm = [", ".join(f'{{ url: "http://127.0.0.1:{port}" }}' for port in ports)
                         for ports in groups]
        config = SLUICE.format(targets=origins, calm=calm, **values)
        return [os.environ["SLUICE_BINARY"], "run", "--config", self._write("sluice.yaml", config)]

    def _nginx(self, values, *groups):
        origins, calm = [" ".join(f"server 127.0.0.1:{port} fail_timeout=1s;" for port in ports)
                         for ports in groups]
        config = NGINX.format(targets=origins, calm=calm, **values)
        return ["nginx", "-p", str(self.directory), "-c", self._write("nginx.conf", config)]

    def _haproxy(self, values, *groups):
        check = " check inter 500ms" if len(groups[0]) > 1 else ""
        origins, calm = ["\n  ".join(f"server s{port} 127.0.0.1:{port}{check}" for port in ports)
                         for ports in groups]
        config = HAPROXY.format(targets=origins, calm=calm, **values)
        return ["haproxy", "-db", "-f", self._write("haproxy.cfg", config)]

    def _accepts(self):
        if self.process.poll() is not None:
            raise RuntimeError(f"{self.name} ended:\n{self.log_text()}")
        try:
            with socket.create_connection(("127.0.0.1", self.port), 1):
                return True
        except OSError:
            return False

    def version(self):
        words = {"sluice": [os.environ.get("SLUICE_BINARY", ""), "version"],
                 "nginx": ["nginx", "-v"], "haproxy": ["haproxy", "-v"]}[self.name]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        return (done.stdout + done.stderr).strip().splitlines()[0]

    def log_text(self):
        self.log.flush()
        return (self.directory / "log").read_text(errors="replace")[-4000:]

    def alive(self):
        return self.process.poll() is None

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def connections_upstream(self):
        """Sockets of the subject that are connected to an origin."""
        own = set()
        for entry in pathlib.Path(f"/proc/{self.process.pid}/fd").iterdir():
            try:
                own.add(os.readlink(entry))
            except OSError:
                pass  # closed since the directory was read
        rows = [line.split() for line in
                pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]]
        return sum(int(row[2].split(":")[1], 16) in self.origins and f"socket:[{row[9]}]" in own
                   for row in rows)

    def processor_seconds(self):
        tasks = pathlib.Path(f"/proc/{self.process.pid}/task").glob("*/schedstat")
        return sum(int(task.read_text().split()[0]) for task in tasks) / 1e9

    def reload(self):
        """True once a changed configuration is in use; False if the subject cannot."""
        if self.name != "sluice":
            return False
        self.process.send_signal(signal.SIGHUP)
        return eventually(lambda: "reloaded" in self.log_text())

    def _memory(self, key):
        for line in pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith(key):
                return int(line.split()[1])
        return 0

    def resident_kib(self):
        return self._memory("VmRSS:")

    def peak_kib(self):
        return self._memory("VmHWM:")

    def reset_peak(self):
        """Lets peak_kib() begin anew (proc(5), clear_refs)."""
        pathlib.Path(f"/proc/{self.process.pid}/clear_refs").write_text("5")

    def stop(self):
        """Exit status after a polite end."""
        self.process.terminate()
        try:
            status = self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            status = self.process.wait()
        self.log.close()
        shutil.rmtree(self.directory, ignore_errors=True)
        return status

    def client(self, seconds=5.0, **options):
        return Client(self.port, seconds, **options)
