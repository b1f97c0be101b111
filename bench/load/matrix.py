# SPDX-License-Identifier: Apache-2.0
"""What is measured, between whom, and what the figures must be."""
import random
import struct
from dataclasses import dataclass, field

from programs import CACHING_NGINX


@dataclass
class Target:
    """Sluice's CPU per request as a multiple of a peer's, in the same cycle."""
    peer: str
    must: float
    aim: float | None = None


@dataclass
class Workload:
    id: str
    title: str
    door: str
    requests: bytes
    gateways: list
    targets: list
    load: dict = field(default_factory=dict)
    # Shares of requests answered 2xx, answered 429, and seen by the origin: proof that every
    # gateway did the work its configuration says.
    ok: float = 1.0
    throttled: float = 0.0
    origin: float = 1.0


def key(n):
    return f"bench-key-{n:06d}-0123456789"


def packed(requests):
    return b"".join(struct.pack("<I", len(r)) + r for r in requests)


def get(path, api_key=None):
    head = f"GET {path} HTTP/1.1\r\nHost: bench\r\nUser-Agent: bench/1.0\r\nAccept: */*\r\n"
    return (head + (f"x-api-key: {api_key}\r\n" if api_key else "") + "\r\n").encode()


def post(path, size):
    head = (f"POST {path} HTTP/1.1\r\nHost: bench\r\nUser-Agent: bench/1.0\r\n"
            f"Content-Type: application/octet-stream\r\nContent-Length: {size}\r\n\r\n")
    return head.encode() + b"x" * size


KEYED = [get("/128", key(n)) for n in range(1000)]
MIX = [get("/1k/hot")] + [get("/1k/##########")] * 4


def workloads():
    small = packed([get("/128")])
    hits = [*(Target(name, 0.50, 0.43) for name in CACHING_NGINX), Target("haproxy", 0.75)]
    return [
        Workload("W1", "plain proxying, 128 B", "plain", small,
                 ["sluice", "nginx", "haproxy", "caddy", "relay"],
                 [Target("nginx", 0.85, 0.75), Target("relay", 1.25, 1.10)]),
        Workload("W2", "key, plan, method and stage throttle, quota, access log", "policies",
                 packed(KEYED), ["sluice", "nginx", "nginx+Lua", "haproxy", "relay"],
                 [Target("nginx", 0.80, 0.67), Target("nginx+Lua", 0.65), Target("haproxy", 0.65)]),
        Workload("W3", "95 % answered 429", "throttled",
                 packed([get("/128", key(n)) for n in range(20)]),
                 ["sluice", "nginx", "haproxy", "fixed 429"],
                 [Target("nginx", 0.85, 0.80), Target("fixed 429", 1.20)],
                 ok=0.05, throttled=0.95, origin=0.05),
        Workload("W4", "cache hit, 1 KB", "cached", packed([get("/1k/hot")]),
                 ["sluice", *CACHING_NGINX, "haproxy", "varnish", "fixed 1KB"],
                 hits, origin=0),
        Workload("W4p", "cache hit behind the policies of W2", "cached_policies",
                 packed([get("/1k/hot", key(n)) for n in range(1000)]),
                 ["sluice", *CACHING_NGINX, "haproxy", "fixed 1KB"],
                 hits, origin=0),
        Workload("W5", "20 % hit, 80 % miss and fill, 1 KB", "cached", packed(MIX),
                 ["sluice", "nginx", "haproxy", "varnish"],
                 [Target("nginx", 0.60, 0.45)], origin=0.8),
        Workload("W6a", "10 KB answers", "plain", packed([get("/10k")]),
                 ["sluice", "nginx", "haproxy", "relay"], [Target("nginx", 0.85, 0.70)]),
        Workload("W6b", "1 MB answers", "plain", packed([get("/1m")]),
                 ["sluice", "nginx", "haproxy", "relay"], [Target("nginx", 0.80, 0.70)],
                 load={"connections": 16}),
        Workload("W6c", "64 KB POST", "plain", packed([post("/post", 65536)]),
                 ["sluice", "nginx", "haproxy", "relay"], [Target("nginx", 1.00, 0.90)]),
        Workload("W7a", "TLS 1.3 keep-alive, 128 B", "tls", small,
                 ["sluice", "nginx", "haproxy", "caddy"], [Target("nginx", 0.90, 0.78)],
                 load={"tls": 1}),
        Workload("W7b", "TLS 1.3 full handshakes, P-256", "tls", small,
                 ["sluice", "nginx", "haproxy"], [Target("nginx", 1.05, 1.00)],
                 load={"tls": 1, "close": 1, "connections": 32}),
        Workload("W7c", "TLS 1.3 resumed handshakes", "tls", small,
                 ["sluice", "nginx", "haproxy"], [Target("nginx", 1.05, 1.00)],
                 load={"tls": 1, "close": 1, "resume": 1, "connections": 32}),
    ]


def latency():
    return Workload("W10", "5,000 requests/s, open loop", "plain", packed([get("/128")]),
                    ["origin", "sluice", "nginx", "haproxy", "relay"], [], load={"rate": 5000})


MEMORY = {"plain": (1536, 800), "tls": (25 * 1024, 17 * 1024)}  # bytes: must, aim


def scale_config(size, keys):
    """A configuration of `size` routes and plans and `keys` keys, and requests spread over it."""
    plans = max(size, 1)
    lines = ["listeners: [ { name: public, address: 127.0.0.1, port: @SCALE@ } ]",
             "admin: { address: 127.0.0.1, port: @ADMIN@ }",
             "server: { workers: 1 }", 'state: { path: "@TMP@/scale-@SCALE@.db" }',
             "restApis:", "  - id: bench", "    resources:"]
    integration = "integration: { type: HTTP_PROXY, uri: http://origin/128 }"
    lines += [f"      /r{n:05d}/items: {{ GET: {{ apiKeyRequired: true, {integration} }} }}"
              for n in range(size)]
    lines += ["stages:", "  - restApiId: bench", "    stageName: prod", "    methodSettings:",
              '      "*/*": { throttlingRateLimit: 1000000, throttlingBurstLimit: 1000000 }',
              "    accessLogSettings: { format: CLF, destination: '@TMP@/scale-@SCALE@.log' }",
              "usagePlans:"]
    lines += [f"  - {{ id: p{n}, apiStages: [ {{ apiId: bench, stage: prod }} ], "
              "throttle: { rateLimit: 100000, burstLimit: 100000 }, "
              "quota: { limit: 1000000000000, period: MONTH } }" for n in range(plans)]
    lines += [f'apiKeyFiles: [ "@TMP@/scale-{size}.csv" ]',
              'domainNames: [ { domainName: "*", basePathMappings: '
              '[ { basePath: "", restApiId: bench, stage: prod } ] } ]',
              'backends: [ { name: origin, targets: [ { url: "http://127.0.0.1:@ORIGIN@" } ], '
              "maxIdleConnections: 256 } ]"]
    csv = "Key,Name,UsagePlanIds\n" + "".join(f"{key(n)},key{n},p{n % plans}\n" for n in range(keys))
    pick = random.Random(1)
    requests = [get(f"/r{pick.randrange(size):05d}/items", key(pick.randrange(keys)))
                for _ in range(20000)]
    return "\n".join(lines) + "\n", csv, packed(requests)


def key_files(machine):
    """The keys of the policies, in each gateway's own format."""
    values = range(1000)
    machine.write("keys.csv", "Key,Name,UsagePlanIds\n" +
                  "".join(f"{key(n)},key{n},gold\n" for n in values))
    machine.write("spent-keys.csv", "Key,Name,UsagePlanIds\n" +
                  "".join(f"{key(n)},key{n},{'spent' if n else 'gold'}\n" for n in range(20)))
    machine.write("keys.txt", "".join(f"{key(n)} k{n}\n" for n in values))
    machine.write("nginx-keys.map", "".join(f"{key(n)} k{n};\n" for n in values))
