// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "config/files.hpp"
#include "config/names.hpp"
#include "config/read.hpp"
#include "config/text.hpp"

namespace sluice::config {
namespace {

std::optional<std::string> address_fault(const std::string& text) {
    if (is_ip(text)) return {};
    return "must be an IPv4 or IPv6 address";
}

constexpr Text kAddress{1, 64, nullptr, "", "", address_fault};
constexpr Text kNetwork{1, 64, nullptr, "", "", network_fault};

}  // namespace

void read(Reader& r, Certificate& c) {
    r.object("Certificate", "A certificate with its key.");
    r.required("certificateFile", c.certificate_file, "PEM file: the certificate, then its chain.",
               Existing{});
    r.required("privateKeyFile", c.private_key_file, "PEM file with the private key.", Existing{});
}

void read(Reader& r, ListenerTls& t) {
    r.object("ListenerTls",
             "TLS of a listener: one certificate here, or several in `certificates`.");
    Certificate own;
    own.where = r.where();
    const bool certificate = r.optional("certificateFile", own.certificate_file,
                                        "PEM file: the certificate, then its chain.", Existing{});
    const bool key = r.optional("privateKeyFile", own.private_key_file,
                                "PEM file with the private key.", Existing{});
    if (certificate && key) t.certificates.push_back(std::move(own));
    r.optional("certificates", t.certificates,
               "Certificates chosen by the name the client asks for (SNI); the first answers "
               "names that no other covers.");
    r.optional("minVersion", t.min_version, "The oldest TLS version accepted.", kTlsVersions);
    r.later("trustStoreFile", "PEM file of CAs for mutual TLS.");
    if (r.has("certificateFile") != r.has("privateKeyFile")) {
        r.problem("certificateFile and privateKeyFile go together");
    } else if (!r.has("certificateFile") && !r.has("certificates")) {
        r.problem("needs certificateFile and privateKeyFile, or certificates");
    }
}

void read(Reader& r, Listener& l) {
    r.object("Listener", "A socket the gateway accepts clients on.");
    r.optional("name", l.name, "Used in logs; `listener1`, `listener2`... when absent.", kWord);
    r.optional("address", l.address, "IPv4 or IPv6 address to listen on.", kAddress);
    r.required("port", l.port, "TCP port; 0 lets the kernel choose one, which the log names.",
               Range{0, 65535});
    r.optional("tls", l.tls, "Serve HTTPS.");
    r.later("http2", "HTTP/2 through ALPN.");
}

void read(Reader& r, Admin& a) {
    r.object("Admin", "The admin listener: health, metrics, usage, reload.");
    r.optional("address", a.address, "Address to listen on; anything but loopback needs tokenFile.",
               kAddress);
    r.optional("port", a.port, "TCP port; 0 lets the kernel choose one.", Range{0, 65535});
    std::filesystem::path token_file;
    if (r.optional("tokenFile", token_file, "File with the bearer token callers must send.")) {
        auto token = read_secret(token_file);
        if (!token.fault.empty()) r.problem("tokenFile", token.fault);
        a.token = std::move(token.text);
        const auto printable = [](char c) { return c > ' ' && c <= '~'; };
        if (!std::all_of(a.token.begin(), a.token.end(), printable)) {
            r.problem("tokenFile", "must hold one word of printable ASCII");
        }
    }
    r.later("tls", "TLS of the admin listener.");
    if (!is_loopback(a.address) && is_ip(a.address) && !r.has("tokenFile")) {
        r.problem("address", "is not a loopback address, so tokenFile is required");
    }
}

void read(Reader& r, Throttle& t) {
    r.object("Throttle",
             "A token bucket: a rate without a burst gets max(1, ceil(rate)), a burst without a "
             "rate is refilled at once.");
    r.optional("rateLimit", t.rate_limit,
               "Requests per second; 0 admits nothing once the burst is spent.", kRate);
    r.optional("burstLimit", t.burst_limit, "Requests that may come at once; 0 admits nothing.",
               kBurst);
}

void read(Reader& r, Limits& l) {
    constexpr std::int64_t kMega = 1'048'576;
    r.object("Limits", "What a request and a client may take.");
    const bool set =
        r.optional("headerBytes", l.header_bytes,
                   "Bytes of a request head; the default is 10240 in `aws`.", Size{1024, kMega});
    if (set) r.reading().header_bytes_set = true;
    r.optional("targetBytes", l.target_bytes, "Bytes of the request target (path and query).",
               Size{64, kMega});
    r.optional("headerCount", l.header_count, "Header fields of a request.", Range{1, 256});
    r.optional("bodyBytes", l.body_bytes, "Bytes of a request body.", Size{0, 1'099'511'627'776});
    r.optional("connections", l.connections, "Client connections at once.", Range{1, 10'000'000});
    r.optional("connectionsPerClient", l.connections_per_client,
               "Connections of one client address; 0 = no limit.", Range{0, 10'000'000});
}

void read(Reader& r, Timeouts& t) {
    constexpr Range kSeconds{1, 86'400};
    r.object("Timeouts", "How long the gateway waits for clients.");
    r.optional("headerSeconds", t.header, "For a complete request head.", kSeconds);
    r.optional("bodyIdleSeconds", t.body_idle, "Without a byte of a request body.", kSeconds);
    r.optional("keepAliveSeconds", t.keep_alive, "For the next request on an open connection.",
               kSeconds);
    r.optional("writeIdleSeconds", t.write_idle,
               "Without the client reading a byte of the response.", kSeconds);
}

void read(Reader& r, Metrics& m) {
    r.object("Metrics", "What is kept for monitoring.");
    r.optional("perKeySeries", m.per_key_series,
               "API keys that get series of their own in `/metrics`, those that used most first; "
               "the others are summed under `_other`. 0 = usage by plan only.",
               Range{0, 100'000});
    r.optional("historyBytes", m.history_bytes,
               "Memory for a day of one-minute samples, which `/monitoring/metrics`, "
               "`/metrics/cloudwatch` and the status page show; the oldest go first. 0 = none.",
               Size{0, 17'179'869'184});
}

void read(Reader& r, Log& l) {
    r.object("Log", "The program's own log.");
    r.optional("level", l.level, "The least severe messages written.", kLogLevels);
    r.optional("format", l.format, "Lines of text or of JSON.", kLogFormats);
    if (!r.optional("file", l.file, "Path, or `-` for standard error.", Text{1, 4096})) return;
    if (l.file != "-") l.file = r.resolved(l.file).string();
}

void read(Reader& r, ExecutionLog& e) {
    r.object("ExecutionLog",
             "Where the execution logs go: one file per API and stage, "
             "`API-Gateway-Execution-Logs_{restApiId}/{stageName}` as AWS names its log groups.");
    if (r.optional("directory", e.directory,
                   "Folder that holds them, or `-` for standard output; the default is the working "
                   "directory.",
                   Text{1, 4096}) &&
        e.directory != "-") {
        e.directory = r.resolved(e.directory).string();
    }
    r.optional("timestamps", e.timestamps,
               "Begin each line with the time (ISO 8601, UTC); AWS keeps it beside the line.");
}

void read(Reader& r, Server& s) {
    r.object("Server", "What concerns the whole program.");
    r.optional("workers", s.workers, "Threads; 0 = one per CPU available to the process.",
               Range{0, 1024});
    r.optional("shutdownGraceSeconds", s.shutdown_grace,
               "Time for requests in flight to finish at shutdown.", Range{0, 86'400});
    r.optional("trustedProxies", s.trusted_proxies,
               "Addresses and networks whose forwarding headers are believed.", kNetwork);
    r.optional("accountThrottle", s.account_throttle,
               "One bucket for all requests to all APIs; absent = unlimited.");
    r.optional("limits", s.limits, "Sizes and counts.");
    r.optional("timeouts", s.timeouts, "Patience with clients.");
    r.optional("log", s.log, "The program's own log.");
    r.optional("executionLog", s.execution_log, "Where `loggingLevel` of methods writes to.");
    r.optional("tracing", s.tracing, "Where `tracingEnabled` of stages sends its spans.");
    r.optional("metrics", s.metrics, "Monitoring.");
    const bool set = r.optional(
        "headersWithUnderscores", s.pass_headers_with_underscores,
        "Request headers with `_` in the name; the default is `pass` in `aws`.", kUnderscores);
    if (set) r.reading().underscores_set = true;
    r.optional("healthPaths", s.health_paths,
               "Answer `/ping` and `/sping` at the root of custom domains with 200 `healthy`.");
    r.later("dns", "Own DNS servers.");
}

void read(Reader& r, Redis& d) {
    r.object("Redis", "Counters shared by several gateways.");
    const bool url = r.optional(
        "url", d.url,
        "redis://[[user]:password@]host[:port][/database], or rediss:// for TLS; a secret, so "
        "`file:PATH` reads it from a file. Reserved characters of a password are percent-encoded.",
        Secret{});
    r.optional("onFailure", d.on_failure,
               "While Redis is away: `local` goes on with this node's share, `closed` answers 503, "
               "`open` admits and counts later.",
               kRedisFailures);
    r.optional("leaseMillis", d.lease,
               "A lease holds at most what the limit admits in this time, at least one request.",
               Range{1, 60'000});
    r.optional("keyPrefix", d.key_prefix,
               "What every key in Redis begins with; gateways with the same prefix share limits.",
               kWord);
    r.optional("caFile", d.ca_file,
               "PEM file of CAs that the server's certificate is checked with, for rediss://; the "
               "system's when absent.",
               Existing{});
    if (!url) return;
    const auto parts = split_url(d.url);
    if (!parts || (parts->scheme != "redis" && parts->scheme != "rediss") || parts->host.empty()) {
        r.problem("url", "must read redis://host:port/database");
    } else if (parts->scheme == "redis" && !d.ca_file.empty()) {
        r.problem("caFile", "needs a rediss:// url");
    }
}

void read(Reader& r, State& s) {
    r.object("State", "Where counters of quotas live.");
    r.optional("store", s.store,
               "`sqlite` survives restarts, `memory` does not, `redis` is shared.", kStores);
    std::filesystem::path path = s.path;
    if (r.optional("path", path, "SQLite file; the default is in the working directory."))
        s.path = path;
    const bool has_redis = r.optional("redis", s.redis, "For `store: redis`.");
    if (has_redis && s.store != StoreKind::redis) {
        r.warning("redis", "not in use: the store is another one");
    }
}

}  // namespace sluice::config
