// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "support/certificate.hpp"
#include "support/proxied.hpp"

namespace test {
namespace {

constexpr const char* kSecure = R"(
listeners:
  - { name: public, address: 127.0.0.1, port: 0 }
  - name: secure
    address: 127.0.0.1
    port: 0
    tls:
      certificates:
        - { certificateFile: a.pem, privateKeyFile: a.key }
        - { certificateFile: b.pem, privateKeyFile: b.key }
)";

class Tls : public testing::Test {
protected:
    Tls() {
        authority.write(file("ca.pem"));
        authority.issue({"a.example", "www.a.example"}, file("a.pem"), file("a.key"));
        authority.issue({"b.example", "*.b.example"}, file("b.pem"), file("b.key"));
    }

    std::filesystem::path file(const std::string& name) const { return directory->path() / name; }
    ClientOptions to(const std::string& name) const {
        return {.tls = ClientTls{.server_name = name, .ca_file = file("ca.pem")}};
    }

    Authority authority;
    std::shared_ptr<TempDir> directory = std::make_shared<TempDir>();
};

class TlsGateway : public Tls {
protected:
    Proxied p{echo, kSecure, kProxyEverything, {.directory = directory}};
    std::uint16_t port = p.gateway.port("secure");
};

TEST_F(TlsGateway, CertificateIsChosenByName) {
    for (const auto& [name, subject] :
         std::map<std::string, std::string>{{"a.example", "a.example"},
                                            {"www.a.example", "a.example"},
                                            {"b.example", "b.example"},
                                            {"x.b.example", "b.example"}}) {
        Client client{port, to(name)};  // verifies the name
        EXPECT_EQ(client.get("/s/x").status, 200);
        EXPECT_EQ(peer_name(client.wire().ssl()), subject);
    }
}

TEST_F(TlsGateway, UnknownNameGetsTheFirstCertificate) {
    Client client{port, {.tls = ClientTls{}}};
    client.connect();
    EXPECT_EQ(peer_name(client.wire().ssl()), "a.example");
}

TEST_F(TlsGateway, BackendLearnsThatTheClientSpokeTls) {
    Client client{port, to("a.example")};
    client.get("/s/x");
    EXPECT_EQ(p.origin.last().header("X-Forwarded-Proto"), "https");
    EXPECT_EQ(p.origin.last().header("X-Forwarded-Port"), std::to_string(port));
}

TEST_F(TlsGateway, SessionIsResumed) {
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
        ClientOptions options = to("a.example");
        options.tls->max_version = version;
        Client first{port, options};
        first.get("/s/x");  // a TLS 1.3 ticket comes with the first answer
        SSL_SESSION* session = SSL_get1_session(first.wire().ssl());
        options.tls->session = session;
        Client second{port, options};
        EXPECT_EQ(second.get("/s/x").status, 200);
        EXPECT_EQ(SSL_session_reused(second.wire().ssl()), 1) << std::hex << version;
        SSL_SESSION_free(session);
    }
}

TEST_F(TlsGateway, OldVersionsAreRefused) {
    ClientOptions options = to("a.example");
    options.tls->max_version = TLS1_1_VERSION;
    Client client{port, options};
    EXPECT_THROW(client.connect(), std::runtime_error);
}

TEST_F(TlsGateway, KeepAliveAndPipeliningWork) {
    Client client{port, to("a.example")};
    std::string all;
    for (int i = 0; i < 20; ++i)
        all += client.text_of("GET", "/s/" + std::to_string(i));
    client.send(all);
    for (int i = 0; i < 20; ++i)
        EXPECT_EQ(client.read().json()["target"], "/" + std::to_string(i));
    EXPECT_EQ(client.connections(), 1);
}

TEST_F(TlsGateway, ClearTextOnTheTlsPortIsDropped) {
    Client client{port};
    client.send("GET /s/x HTTP/1.1\r\nHost: a\r\n\r\n");
    const std::string answer = client.read_all();
    EXPECT_EQ(answer.find("HTTP/1.1 200"), std::string::npos);
    EXPECT_EQ(p.origin.count(), 0);
}

TEST_F(TlsGateway, ReloadServesTheNewCertificateAndKeepsOldConnections) {
    Client old{port, to("a.example")};
    EXPECT_EQ(old.get("/s/x").status, 200);
    const long before = peer_serial(old.wire().ssl());
    authority.issue({"a.example"}, file("a.pem"), file("a.key"));
    EXPECT_EQ(p.gateway.reload().status, 200);
    Client fresh{port, to("a.example")};
    EXPECT_EQ(fresh.get("/s/x").status, 200);
    EXPECT_NE(peer_serial(fresh.wire().ssl()), before);
    EXPECT_EQ(old.get("/s/x").status, 200);
}

TEST_F(TlsGateway, BrokenCertificateIsReportedAndTheOldOneGoesOn) {
    directory->write("a.pem", "not a certificate");
    p.gateway.reload();
    EXPECT_TRUE(p.gateway.process().wait_for_line("a.pem"));
    Client client{port, to("a.example")};
    EXPECT_EQ(client.get("/s/x").status, 200);
}

TEST_F(Tls, MinimumVersionIsKept) {
    Proxied p{echo,
              R"(
listeners:
  - { name: secure, address: 127.0.0.1, port: 0,
      tls: { certificateFile: a.pem, privateKeyFile: a.key, minVersion: TLSv1.3 } }
)",
              kProxyEverything,
              {.directory = directory}};
    ClientOptions options = to("a.example");
    EXPECT_EQ(Client(p.gateway.port("secure"), options).get("/s/x").status, 200);
    options.tls->max_version = TLS1_2_VERSION;
    Client old{p.gateway.port("secure"), options};
    EXPECT_THROW(old.connect(), std::runtime_error);
}

// ------------------------------------------------------------------ towards the backend

class TlsBackend : public Tls {
protected:
    Response through(const std::string& tls_settings) {
        Gateway gateway{R"(
restApis: [ { id: api, resources: { /x: { GET: { integration: { type: HTTP_PROXY, uri: "http://b/x" } } } } } ]
stages: [ { restApiId: api, stageName: s } ]
backends:
  - { name: b, targets: [ { url: "https://127.0.0.1:${PORT}" } ], tls: { )" +
                            tls_settings + " } }\n",
                        {{"PORT", std::to_string(origin.port())}},
                        {.directory = directory}};
        return gateway.get("/s/x");
    }

    SslContext context = [this] {
        authority.issue({"pets.internal"}, file("o.pem"), file("o.key"));
        // The chain with its root, as aws-semantics 7.6 wants it for insecureSkipVerification.
        directory->write("o.pem", read_file(file("o.pem")) + read_file(file("ca.pem")));
        return server_context(file("o.pem"), file("o.key"));
    }();
    Origin origin{echo, {.tls = context.get()}};
};

TEST_F(TlsBackend, IsVerifiedAgainstTheAuthorityAndName) {
    EXPECT_EQ(through("caFile: ca.pem, serverName: pets.internal").status, 200);
}

TEST_F(TlsBackend, WrongNameIsANetworkError) {
    const Response r = through("caFile: ca.pem, serverName: other.internal");
    EXPECT_EQ(r.status, 502);
    EXPECT_EQ(r.body, R"({"message":"Network error communicating with endpoint"})");
    EXPECT_EQ(origin.count(), 0);
}

TEST_F(TlsBackend, UnknownAuthorityIsANetworkError) {
    EXPECT_EQ(through("serverName: pets.internal").status, 502);
}

TEST_F(TlsBackend, InsecureForgivesTheAuthorityButNotTheName) {
    EXPECT_EQ(through("serverName: other.internal, insecureSkipVerification: true").status, 502);
    EXPECT_EQ(through("serverName: pets.internal, insecureSkipVerification: true").status, 200);
}

}  // namespace
}  // namespace test
