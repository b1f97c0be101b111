// SPDX-License-Identifier: Apache-2.0
#include "net/tls_client.hpp"

#include <gtest/gtest.h>

#include "net/tls_context.hpp"
#include "sluice/config/model.hpp"
#include "unit/net/certificates.hpp"
#include "unit/net/handshake.hpp"

namespace sluice::net {
namespace {

using test::Certificate;
using test::make_certificate;
using test::TlsPair;

class ClientTlsTest : public ::testing::Test {
protected:
    const Certificate root_ = make_certificate({.common_name = "root", .is_ca = true});

    std::shared_ptr<const ServerTls> server(const Certificate& certificate,
                                            const std::string& chain = {}) {
        const auto made = ServerTls::make(
            ServerTlsFiles{.certificates = {{dir_.write("server.pem", certificate.pem() + chain),
                                             dir_.write("server.key", certificate.key_pem())}}});
        EXPECT_TRUE(made);
        return *made;
    }
    std::shared_ptr<const ServerTls> server(test::CertificateWish wish) {
        wish.issuer = &root_;
        return server(make_certificate(wish));
    }
    config::BackendTls trusting_root() { return {.ca_file = dir_.write("root.pem", root_.pem())}; }

    static std::shared_ptr<const ClientTls> make(const config::BackendTls& settings) {
        const auto made = ClientTls::make(settings);
        EXPECT_TRUE(made) << made.error().detail;
        return *made;
    }
    /// "ok", "resumed", or why the certificate was refused.
    static std::string connect(const std::shared_ptr<const ClientTls>& client,
                               const std::shared_ptr<const ServerTls>& server,
                               const std::string& host) {
        TlsPair pair{[&](int fd) { return server->new_session(fd); },
                     [&](int fd) { return client->new_session(fd, host); }};
        if (!pair.shake_hands()) {
            const auto why = refused_certificate(pair.client.get());
            return why.empty() ? "failed: " + pair.error : why;
        }
        EXPECT_EQ(refused_certificate(pair.client.get()), "");
        const bool resumed = SSL_session_reused(pair.client.get()) == 1;
        return pair.exchange_and_close() ? (resumed ? "resumed" : "ok") : "no data";
    }
    test::TempDir dir_;
};

TEST_F(ClientTlsTest, AcceptsATrustedCertificateForTheHost) {
    const auto client = make(trusting_root());
    EXPECT_EQ(connect(client, server({.alternatives = "DNS:pets.internal"}), "pets.internal"),
              "ok");
    EXPECT_EQ(connect(client, server({.alternatives = "DNS:*.wild.internal"}), "a.wild.internal"),
              "ok");
    EXPECT_EQ(connect(client, server({.alternatives = "IP:127.0.0.1"}), "127.0.0.1"), "ok");
    EXPECT_EQ(connect(client, server({.alternatives = "IP:::1"}), "[::1]"), "ok");
}

TEST_F(ClientTlsTest, RefusesAnotherHost) {
    const auto client = make(trusting_root());
    EXPECT_EQ(connect(client, server({.alternatives = "DNS:pets.internal"}), "cats.internal"),
              "hostname mismatch");
    EXPECT_EQ(connect(client, server({.alternatives = "DNS:*.internal"}), "a.b.internal"),
              "hostname mismatch");
    EXPECT_EQ(connect(client, server({.alternatives = "IP:127.0.0.1"}), "127.0.0.2"),
              "IP address mismatch");
    EXPECT_EQ(connect(client, server({.common_name = "127.0.0.1"}), "127.0.0.1"),
              "IP address mismatch");
}

TEST_F(ClientTlsTest, RefusesWhatIsNotValidNowOrNotTrusted) {
    const auto client = make(trusting_root());
    EXPECT_EQ(connect(client,
                      server({.alternatives = "DNS:a", .valid_from = -7200, .valid_to = -60}), "a"),
              "certificate has expired");
    EXPECT_EQ(connect(client, server({.alternatives = "DNS:a", .valid_from = 600}), "a"),
              "certificate is not yet valid");
    EXPECT_EQ(connect(client, server(make_certificate({.alternatives = "DNS:a"})), "a"),
              "self-signed certificate");
    const auto system = make({});
    EXPECT_EQ(connect(system, server({.alternatives = "DNS:a"}), "a"),
              "unable to get local issuer certificate");
}

TEST_F(ClientTlsTest, TheConfiguredNameReplacesTheHost) {
    auto settings = trusting_root();
    settings.server_name = "pets.internal";
    const auto client = make(settings);
    EXPECT_EQ(connect(client, server({.alternatives = "DNS:pets.internal"}), "10.0.0.1"), "ok");
    EXPECT_EQ(connect(make(settings), server({.alternatives = "IP:10.0.0.1"}), "10.0.0.1"),
              "hostname mismatch");
}

TEST_F(ClientTlsTest, SendsNamesButNoAddressesAsSni) {
    const auto client = make(trusting_root());
    const auto asked = [&](const std::string& host) -> std::string {
        const auto s = server({.alternatives = "DNS:pets.internal,IP:127.0.0.1"});
        TlsPair pair{[&](int fd) { return s->new_session(fd); },
                     [&](int fd) { return client->new_session(fd, host); }};
        EXPECT_TRUE(pair.shake_hands()) << pair.error;
        const char* const name = SSL_get_servername(pair.server.get(), TLSEXT_NAMETYPE_host_name);
        return name == nullptr ? "" : name;
    };
    EXPECT_EQ(asked("pets.internal"), "pets.internal");
    EXPECT_EQ(asked("pets.internal."), "pets.internal");
    EXPECT_EQ(asked("127.0.0.1"), "");
}

TEST_F(ClientTlsTest, InsecureSkipsTheIssuerAndNothingElse) {
    const auto connect_to = [&](const std::shared_ptr<const ServerTls>& s,
                                const std::string& host) {
        return connect(make({.insecure_skip_verification = true}), s, host);
    };
    const auto self_signed = server(make_certificate({.alternatives = "DNS:a"}));
    EXPECT_EQ(connect_to(self_signed, "a"), "ok");
    EXPECT_EQ(connect_to(self_signed, "b"), "hostname mismatch");
    const test::CertificateWish old{.alternatives = "DNS:a", .valid_from = -60, .valid_to = -30};
    EXPECT_EQ(connect_to(server(make_certificate(old)), "a"), "certificate has expired");

    const auto leaf = make_certificate({.alternatives = "DNS:a", .issuer = &root_});
    EXPECT_EQ(connect_to(server(leaf, root_.pem()), "a"), "ok") << "the root came along";
    EXPECT_EQ(connect_to(server(leaf, root_.pem()), "b"), "hostname mismatch");
    EXPECT_EQ(connect_to(server(leaf), "a"), "unable to get local issuer certificate");
    const auto old_leaf = make_certificate(
        {.alternatives = "DNS:a", .valid_from = -60, .valid_to = -30, .issuer = &root_});
    EXPECT_EQ(connect_to(server(old_leaf, root_.pem()), "a"), "certificate has expired");
}

TEST_F(ClientTlsTest, ResumesPerHost) {
    const auto client = make(trusting_root());
    const auto s = server({.alternatives = "DNS:a,DNS:b"});
    EXPECT_EQ(connect(client, s, "a"), "ok");
    EXPECT_EQ(connect(client, s, "a"), "resumed");
    EXPECT_EQ(connect(client, s, "a"), "resumed");
    EXPECT_EQ(connect(client, s, "b"), "ok") << "another name was never checked";
    EXPECT_EQ(connect(make(trusting_root()), s, "a"), "ok");
}

TEST_F(ClientTlsTest, DoesNotResumeBeyondTheCertificate) {
    const auto client = make(trusting_root());
    const auto s = server({.alternatives = "DNS:a", .valid_to = 3});
    ASSERT_EQ(connect(client, s, "a"), "ok");
    std::string outcome = "resumed";
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds{20};
    while (outcome == "resumed" && std::chrono::steady_clock::now() < give_up) {
        outcome = connect(client, s, "a");
    }
    EXPECT_EQ(outcome, "certificate has expired");
}

TEST_F(ClientTlsTest, AConnectionMayOutliveItsClient) {
    auto client = make(trusting_root());
    const auto s = server({.alternatives = "DNS:a"});
    TlsPair pair{[&](int fd) { return s->new_session(fd); },
                 [&](int fd) { return client->new_session(fd, "a"); }};
    client.reset();
    EXPECT_TRUE(pair.shake_hands());
    EXPECT_TRUE(pair.exchange_and_close());
}

TEST_F(ClientTlsTest, TrustsWhatTheFileHoldsEvenWithoutARoot) {
    const auto leaf = make_certificate({.alternatives = "DNS:a", .issuer = &root_});
    const auto client = make({.ca_file = dir_.write("pinned.pem", leaf.pem())});
    EXPECT_EQ(connect(client, server(leaf), "a"), "ok");
    EXPECT_NE(connect(client, server({.alternatives = "DNS:a"}), "a"), "ok");
}

TEST_F(ClientTlsTest, SaysWhatIsWrongWithItsFile) {
    const auto missing = ClientTls::make(config::BackendTls{.ca_file = dir_.path() / "missing"});
    ASSERT_FALSE(missing);
    EXPECT_NE(missing.error().detail.find("missing cannot be used"), std::string::npos);
    EXPECT_FALSE(ClientTls::make(config::BackendTls{.ca_file = dir_.write("text", "hello")}));
    EXPECT_FALSE(ClientTls::make(config::BackendTls{.ca_file = dir_.write("empty", "")}));
}

TEST_F(ClientTlsTest, RefusesNamesThatTurnTheCheckOff) {
    const auto client = make(trusting_root());
    EXPECT_EQ(client->new_session(""), nullptr);
    EXPECT_EQ(client->new_session("."), nullptr);
    EXPECT_EQ(client->new_session(std::string(300, 'a')), nullptr);
    EXPECT_EQ(client->new_session(std::string("a\0b", 3)), nullptr);
}

}  // namespace
}  // namespace sluice::net
