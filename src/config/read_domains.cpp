// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "config/names.hpp"
#include "config/read.hpp"
#include "config/text.hpp"

namespace sluice::config {
namespace {

bool is_base_path_char(char c) {
    constexpr std::string_view kMarks = "$-_.+!*'()/";  // aws-semantics 1.2
    return is_alnum(c) || kMarks.find(c) != std::string_view::npos;
}

std::optional<std::string> base_path_fault(std::string_view path) {
    if (path.find("//") != std::string_view::npos) return "has an empty segment";
    const std::string framed = "/" + std::string(path) + "/";
    if (framed.find("/./") != std::string::npos || framed.find("/../") != std::string::npos) {
        return "has a dot segment, which no request can reach";
    }
    return {};
}

std::optional<std::string> domain_fault(const std::string& name) {
    if (name == "*" || is_ip(name)) return {};
    if (is_dns_name(name.starts_with("*.") ? name.substr(2) : name)) return {};
    return "must be a host name, *.NAME or *";
}

std::optional<std::string> server_name_fault(const std::string& name) {
    if (is_dns_name(name)) return {};
    return "must be a host name";
}

std::optional<std::string> backend_name_fault(const std::string& name) {
    if (is_dns_name(name) && !is_ip(name)) return {};
    return "must have the form of a host name";
}

constexpr Text kDomain{1, 255, nullptr, "", "", domain_fault};
constexpr Text kServerName{1, 253, nullptr, "", "", server_name_fault};
constexpr Text kBackendName{1, 253, nullptr, "", "", backend_name_fault};

std::optional<std::string> target_fault(const std::string& url) {
    const auto parts = split_url(url);
    if (!parts || (parts->scheme != "http" && parts->scheme != "https")) {
        return "must read http://host[:port] or https://host[:port]";
    }
    if (parts->authority.find('@') != std::string::npos) {
        return "may not hold a user name or password";
    }
    if (!is_dns_name(parts->host) && !is_ip(parts->host)) return "has no valid host";
    const auto port = parse_integer(parts->port.empty() ? "80" : parts->port);
    if (!port || *port < 1 || *port > 65535) return "the port must be 1 to 65535";
    if (!parts->rest.empty() && parts->rest != "/") {
        return "takes no path or query; those belong to the integration's uri";
    }
    return {};
}

constexpr Text kTarget{1, 512, nullptr, "", "", target_fault};

}  // namespace

void read(Reader& r, BasePathMapping& m) {
    constexpr Text kBasePath{0, 300, is_base_path_char, "^[A-Za-z0-9$_.+!*'()/-]*$",
                             "letters, digits and any of $ - _ . + ! * ' ( ) /"};
    r.object("BasePathMapping", "Which stage answers below a base path.");
    r.optional("basePath", m.base_path,
               "First segments of the URL; empty, absent or `(none)` = everything else.",
               kBasePath);
    if (m.base_path == "(none)") m.base_path.clear();
    while (m.base_path.starts_with('/'))
        m.base_path.erase(0, 1);
    while (m.base_path.ends_with('/'))
        m.base_path.pop_back();
    if (const auto fault = base_path_fault(m.base_path)) r.problem("basePath", *fault);
    r.required("restApiId", m.rest_api_id, "The API's id.", kApiId);
    r.required("stage", m.stage, "The stage's name.", kWord);
}

void read(Reader& r, DomainName& d) {
    r.object("DomainName", "A host name clients use, and what answers there.");
    r.required("domainName", d.domain_name,
               "`api.example.com`, `*.example.com` (one label), or `*` for every host no other "
               "entry names.",
               kDomain);
    d.domain_name = lower(d.domain_name);
    r.optional("basePathMappings", d.mappings, "The longest base path that fits decides.",
               AwsList{});
    r.later("mutualTlsAuthentication", "Mutual TLS.");
    r.later("policy", "Policies of private domains.");
    r.later("securityPolicy", "Only TLS_1_2; see `minVersion` of the listener.", {"TLS_1_2"});
    for (const auto key :
         {"domainNameArn", "domainNameId", "certificateName", "certificateArn",
          "certificateUploadDate", "regionalDomainName", "regionalHostedZoneId",
          "regionalCertificateName", "regionalCertificateArn", "distributionDomainName",
          "distributionHostedZoneId", "endpointConfiguration", "domainNameStatus",
          "domainNameStatusMessage", "ownershipVerificationCertificateArn", "routingMode", "tags"})
        r.ignored(key);
}

void read(Reader& r, Target& t) {
    r.object("Target", "One address of a backend.");
    r.required("url", t.url, "http://host[:port] or https://host[:port].", kTarget);
    if (t.url.ends_with('/')) t.url.pop_back();
    r.later("weight", "Share of the requests.");
}

void read(Reader& r, BackendTls& t) {
    r.object("BackendTls", "TLS towards https targets.");
    r.optional("caFile", t.ca_file, "PEM file of the CAs to trust; absent = the system's.",
               Existing{});
    r.optional("serverName", t.server_name,
               "Name sent (SNI) and verified; absent = the target's host.", kServerName);
    r.optional("insecureSkipVerification", t.insecure_skip_verification,
               "Accept any certificate. For tests.");
}

void read(Reader& r, Backend& b) {
    r.object("Backend", "A named upstream, used as the host of an integration's uri.");
    r.required("name", b.name, "Letters, digits, `-`, `_` and `.`, as in a host name.",
               kBackendName);
    b.name = lower(b.name);
    r.required("targets", b.targets,
               "Where requests go, in turn; one that just refused a connection is skipped.");
    if (r.has("targets") && b.targets.empty()) r.problem("targets", "needs at least one target");
    r.optional("connectTimeoutMillis", b.connect_timeout, "For a new connection, TLS included.",
               Range{1, 900'000});
    r.optional("maxIdleConnections", b.max_idle_connections,
               "Connections kept open for later requests.", Range{0, 1'000'000});
    r.optional("preserveHost", b.preserve_host, "Send the client's Host instead of the target's.");
    const bool tls = r.optional("tls", b.tls, "For https targets.");
    const auto https = [](const Target& t) { return t.url.starts_with("https:"); };
    if (tls && std::none_of(b.targets.begin(), b.targets.end(), https))
        r.problem("tls", "no target is https");
    for (const auto key : {"policy", "loadBalancing", "healthCheck", "healthChecks",
                           "outlierEjection", "outlierDetection"})
        r.later(key, "Choice and health of targets.");
}

}  // namespace sluice::config
