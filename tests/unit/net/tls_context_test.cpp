// SPDX-License-Identifier: Apache-2.0
#include "net/tls_context.hpp"

#include <gtest/gtest.h>

#include <thread>

#include "sluice/config/model.hpp"
#include "unit/net/certificates.hpp"
#include "unit/net/handshake.hpp"

namespace sluice::net {
namespace {

using test::Certificate;
using test::make_certificate;
using test::TlsPair;

struct ClientContext {
    ClientContext() : context{SSL_CTX_new(TLS_client_method())} {
        SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
        SSL_CTX_sess_set_new_cb(context, [](SSL* ssl, SSL_SESSION* fresh) {
            auto& me = *static_cast<ClientContext*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
            SSL_SESSION_free(me.session);
            me.session = fresh;
            ++me.tickets;
            return 1;
        });
        SSL_CTX_set_app_data(context, this);
    }
    ~ClientContext() {
        SSL_SESSION_free(session);
        SSL_CTX_free(context);
    }
    ClientContext(const ClientContext&) = delete;
    ClientContext& operator=(const ClientContext&) = delete;

    TlsPair::MakeSession towards(const std::string& name) {
        return [this, name](int fd) {
            SSL* const ssl = SSL_new(context);
            SSL_set_fd(ssl, fd);
            SSL_set_connect_state(ssl);
            if (!name.empty()) SSL_set_tlsext_host_name(ssl, name.c_str());
            if (session != nullptr) SSL_set_session(ssl, session);
            return ssl;
        };
    }

    SSL_CTX* context;
    SSL_SESSION* session = nullptr;
    int tickets = 0;
};

TlsPair::MakeSession sessions_of(const std::shared_ptr<const ServerTls>& server) {
    return [server](int fd) { return server->new_session(fd); };
}

std::string presented_name(const SSL* client) {
    X509* const c = SSL_get1_peer_certificate(client);
    char text[256] = "";
    X509_NAME_get_text_by_NID(X509_get_subject_name(c), NID_commonName, text, sizeof text);
    X509_free(c);
    return text;
}

class ServerTlsTest : public ::testing::Test {
protected:
    config::Certificate store(const std::string& name, const Certificate& certificate) {
        return {.certificate_file = dir_.write(name + ".pem", certificate.pem()),
                .private_key_file = dir_.write(name + ".key", certificate.key_pem())};
    }
    config::ListenerTls listener(std::vector<test::CertificateWish> wishes) {
        config::ListenerTls out;
        for (std::size_t i = 0; i < wishes.size(); ++i) {
            out.certificates.push_back(store(std::to_string(i), make_certificate(wishes[i])));
        }
        return out;
    }
    std::string name_presented_to(const std::shared_ptr<const ServerTls>& server,
                                  const std::string& asked) {
        ClientContext client;
        TlsPair pair{sessions_of(server), client.towards(asked)};
        return pair.shake_hands() ? presented_name(pair.client.get()) : "no: " + pair.error;
    }
    std::string refusal(const config::ListenerTls& settings) {
        const auto made = ServerTls::make(settings);
        return made ? "made" : made.error().detail;
    }
    test::TempDir dir_;
};

TEST_F(ServerTlsTest, PresentsTheCertificateOfTheNameAskedFor) {
    const auto server = ServerTls::make(listener({
        {.common_name = "first", .alternatives = "DNS:one.example,DNS:*.shared.example"},
        {.common_name = "second", .alternatives = "DNS:Two.Example,DNS:x.shared.example"},
        {.common_name = "third.example"},
        {.common_name = "fourth.example", .alternatives = "DNS:four.example"},
    }));
    ASSERT_TRUE(server) << server.error().detail;
    EXPECT_EQ(name_presented_to(*server, "one.example"), "first");
    EXPECT_EQ(name_presented_to(*server, "TWO.example"), "second");
    EXPECT_EQ(name_presented_to(*server, "third.example"), "third.example");
    EXPECT_EQ(name_presented_to(*server, "four.example"), "fourth.example");
    EXPECT_EQ(name_presented_to(*server, "fourth.example"), "first") << "CN beside DNS names";
    EXPECT_EQ(name_presented_to(*server, "a.shared.example"), "first");
    EXPECT_EQ(name_presented_to(*server, "x.shared.example"), "second") << "exact before wildcard";
    EXPECT_EQ(name_presented_to(*server, ""), "first");
    EXPECT_EQ(name_presented_to(*server, "unknown.example"), "first");
}

TEST_F(ServerTlsTest, AWildcardCoversOneLabelOnly) {
    const auto server = ServerTls::make(listener({
        {.common_name = "default"},
        {.common_name = "wild", .alternatives = "DNS:*.example.com"},
    }));
    ASSERT_TRUE(server);
    EXPECT_EQ(name_presented_to(*server, "a.example.com"), "wild");
    EXPECT_EQ(name_presented_to(*server, "a.b.example.com"), "default");
    EXPECT_EQ(name_presented_to(*server, "example.com"), "default");
    EXPECT_EQ(name_presented_to(*server, ".example.com"), "default");
}

TEST_F(ServerTlsTest, KeepsToItsMinimumVersion) {
    auto settings = listener({{.common_name = "a"}});
    const auto offer = [&](int version) {
        const auto server = ServerTls::make(settings);
        ClientContext client;
        SSL_CTX_set_security_level(client.context, 0);
        SSL_CTX_set_cipher_list(client.context, "ALL:@SECLEVEL=0");
        SSL_CTX_set_min_proto_version(client.context, version);
        SSL_CTX_set_max_proto_version(client.context, version);
        TlsPair pair{sessions_of(*server), client.towards("")};
        return pair.shake_hands();
    };
    EXPECT_FALSE(offer(TLS1_1_VERSION));
    EXPECT_TRUE(offer(TLS1_2_VERSION));
    EXPECT_TRUE(offer(TLS1_3_VERSION));
    settings.min_version = config::TlsVersion::tls1_3;
    EXPECT_FALSE(offer(TLS1_2_VERSION));
    EXPECT_TRUE(offer(TLS1_3_VERSION));
}

TEST_F(ServerTlsTest, SpeaksHttp11WhateverElseIsOffered) {
    const auto server = ServerTls::make(listener({{.common_name = "a"}}));
    const auto offer = [&](const std::string& protocols) -> std::string {
        ClientContext client;
        SSL_CTX_set_alpn_protos(client.context,
                                reinterpret_cast<const unsigned char*>(protocols.data()),
                                static_cast<unsigned>(protocols.size()));
        TlsPair pair{sessions_of(*server), client.towards("")};
        if (!pair.shake_hands()) return pair.error;
        const unsigned char* chosen = nullptr;
        unsigned length = 0;
        SSL_get0_alpn_selected(pair.client.get(), &chosen, &length);
        return {reinterpret_cast<const char*>(chosen), length};
    };
    EXPECT_EQ(offer("\x02h2\x08http/1.1"), "http/1.1");
    EXPECT_EQ(offer(""), "");
    EXPECT_EQ(offer("\x02h2"), "no application protocol");
}

TEST_F(ServerTlsTest, RefusesWeakCiphersAndRenegotiation) {
    const auto server = ServerTls::make(listener({{.common_name = "a"}}));
    ClientContext client;
    SSL_CTX_set_max_proto_version(client.context, TLS1_2_VERSION);
    {
        TlsPair pair{sessions_of(*server), client.towards("")};
        ASSERT_TRUE(pair.shake_hands());
        ASSERT_EQ(SSL_renegotiate(pair.client.get()), 1);
        EXPECT_FALSE(pair.shake_hands());
        char byte = 'x';
        EXPECT_LE(SSL_read(pair.server.get(), &byte, 1), 0);
        EXPECT_LE(SSL_read(pair.client.get(), &byte, 1), 0);
        EXPECT_EQ(ERR_GET_REASON(ERR_peek_last_error()), SSL_R_NO_RENEGOTIATION);
        ERR_clear_error();
    }
    SSL_CTX_set_cipher_list(client.context, "ECDHE-ECDSA-AES128-SHA256");
    TlsPair pair{sessions_of(*server), client.towards("")};
    EXPECT_FALSE(pair.shake_hands());
}

TEST_F(ServerTlsTest, ResumesASessionAfterAReload) {
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
        const auto before = ServerTls::make(listener({{.common_name = "old"}}));
        ClientContext client;
        SSL_CTX_set_min_proto_version(client.context, version);
        SSL_CTX_set_max_proto_version(client.context, version);
        {
            TlsPair pair{sessions_of(*before), client.towards("a.example")};
            ASSERT_TRUE(pair.shake_hands());
            ASSERT_TRUE(pair.exchange_and_close());
            EXPECT_FALSE(SSL_session_reused(pair.client.get()));
        }
        EXPECT_EQ(client.tickets, 1) << "one ticket is enough";
        const auto after =
            ServerTls::make(listener({{.common_name = "new"}, {.alternatives = "DNS:a.example"}}));
        TlsPair pair{sessions_of(*after), client.towards("a.example")};
        ASSERT_TRUE(pair.shake_hands());
        EXPECT_TRUE(SSL_session_reused(pair.client.get())) << version;
        EXPECT_TRUE(SSL_session_reused(pair.server.get()));
        EXPECT_TRUE(pair.exchange_and_close());
    }
}

TEST_F(ServerTlsTest, GoesBackToAFullHandshakeForATicketItCannotOpen) {
    SSL_CTX* const foreign = SSL_CTX_new(TLS_server_method());
    const auto certificate = make_certificate({.common_name = "foreign"});
    SSL_CTX_use_certificate(foreign, certificate.x509.get());
    SSL_CTX_use_PrivateKey(foreign, certificate.key.get());
    ClientContext client;
    {
        TlsPair pair{[&](int fd) {
                         SSL* const ssl = SSL_new(foreign);
                         SSL_set_fd(ssl, fd);
                         SSL_set_accept_state(ssl);
                         return ssl;
                     },
                     client.towards("")};
        ASSERT_TRUE(pair.shake_hands());
        ASSERT_TRUE(pair.exchange_and_close());
    }
    SSL_CTX_free(foreign);
    ASSERT_NE(client.session, nullptr);
    const auto server = ServerTls::make(listener({{.common_name = "ours"}}));
    TlsPair pair{sessions_of(*server), client.towards("")};
    ASSERT_TRUE(pair.shake_hands());
    EXPECT_FALSE(SSL_session_reused(pair.client.get()));
    EXPECT_EQ(presented_name(pair.client.get()), "ours");
}

TEST_F(ServerTlsTest, AHandshakeUnderWayKeepsWhatItNeeds) {
    auto server = *ServerTls::make(listener(
        {{.common_name = "first"}, {.common_name = "second", .alternatives = "DNS:two.example"}}));
    ClientContext client;
    TlsPair pair{[&](int fd) { return server->new_session(fd); }, client.towards("two.example")};
    server.reset();
    ASSERT_TRUE(pair.shake_hands());
    EXPECT_EQ(presented_name(pair.client.get()), "second");
    EXPECT_TRUE(pair.exchange_and_close());
}

TEST_F(ServerTlsTest, ATruncatedConnectionIsNoEnd) {
    const auto server = ServerTls::make(listener({{.common_name = "a"}}));
    ClientContext client;
    TlsPair pair{sessions_of(*server), client.towards("")};
    ASSERT_TRUE(pair.shake_hands());
    ::shutdown(SSL_get_fd(pair.client.get()), SHUT_WR);
    char byte = 0;
    const int n = SSL_read(pair.server.get(), &byte, 1);
    EXPECT_EQ(SSL_get_error(pair.server.get(), n), SSL_ERROR_SSL);
    ERR_clear_error();
}

TEST_F(ServerTlsTest, SaysWhatIsWrongWithItsFiles) {
    const auto good = make_certificate({.common_name = "good"});
    const auto other = make_certificate({.common_name = "other"});
    const auto files = store("good", good);
    const auto with = [&](const std::filesystem::path& certificate,
                          const std::filesystem::path& key) {
        return refusal(
            {.certificates = {{.certificate_file = certificate, .private_key_file = key}}});
    };
    const auto missing = dir_.path() / "missing.pem";
    EXPECT_EQ(with(missing, files.private_key_file),
              "cannot read certificate " + missing.string() + ": No such file or directory");
    EXPECT_EQ(with(files.certificate_file, missing),
              "cannot read private key " + missing.string() + ": No such file or directory");
    const auto wrong = store("wrong", other).private_key_file;
    EXPECT_EQ(with(files.certificate_file, wrong), "private key " + wrong.string() +
                                                       " does not match certificate " +
                                                       files.certificate_file.string());
    const auto locked = dir_.write("locked.key", good.key_pem("secret"));
    EXPECT_NE(with(files.certificate_file, locked).find("is not an unencrypted PEM key"),
              std::string::npos);
    const auto garbage = dir_.write("garbage.pem", "hello");
    EXPECT_EQ(with(garbage, files.private_key_file),
              "certificate " + garbage.string() + " cannot be used: no start line");
    EXPECT_NE(with(files.certificate_file, garbage).find("is not an unencrypted PEM key"),
              std::string::npos);
    EXPECT_EQ(refusal({}), "a TLS listener needs a certificate");
    EXPECT_EQ(ERR_peek_error(), 0UL) << "nothing is left for the next reader of the queue";
}

TEST_F(ServerTlsTest, WarnsOfDatesAndServesAllTheSame) {
    const auto server = ServerTls::make(listener({
        {.common_name = "good"},
        {.common_name = "old", .valid_from = -7200, .valid_to = -3600},
        {.common_name = "young", .valid_from = 3600},
    }));
    ASSERT_TRUE(server);
    ASSERT_EQ((*server)->warnings().size(), 2U);
    EXPECT_NE((*server)->warnings()[0].find("1.pem expired on "), std::string::npos);
    EXPECT_NE((*server)->warnings()[1].find("2.pem is not valid before "), std::string::npos);
    EXPECT_EQ(name_presented_to(*server, "old"), "old");
}

TEST_F(ServerTlsTest, NoticesThatAFileWasReplaced) {
    const auto settings = listener({{.common_name = "a"}});
    const auto server = ServerTls::make(settings);
    EXPECT_FALSE((*server)->certificate_changed());
    // Written beside and renamed over it, as certificate clients do; same size perhaps.
    const auto fresh = make_certificate({.common_name = "b"});
    std::filesystem::rename(dir_.write("new", fresh.key_pem()),
                            settings.certificates[0].private_key_file);
    EXPECT_TRUE((*server)->certificate_changed());
    EXPECT_FALSE(ServerTls::make(settings)) << "the certificate has not arrived yet";
    std::filesystem::rename(dir_.write("new", fresh.pem()),
                            settings.certificates[0].certificate_file);
    const auto again = ServerTls::make(settings);
    ASSERT_TRUE(again);
    EXPECT_FALSE((*again)->certificate_changed());
    std::filesystem::remove(settings.certificates[0].certificate_file);
    EXPECT_TRUE((*again)->certificate_changed());
}

TEST_F(ServerTlsTest, ServesManyThreadsAtOnce) {
    const auto server = *ServerTls::make(listener(
        {{.common_name = "first"}, {.common_name = "second", .alternatives = "DNS:two.example"}}));
    std::vector<std::thread> threads;
    std::atomic<int> resumed{0};
    for (int i = 0; i < 3; ++i) {
        threads.emplace_back([&] {
            ClientContext client;
            for (int n = 0; n < 10; ++n) {
                TlsPair pair{sessions_of(server), client.towards("two.example")};
                if (!pair.shake_hands() || !pair.exchange_and_close()) return;
                resumed += SSL_session_reused(pair.client.get());
            }
        });
    }
    for (auto& thread : threads)
        thread.join();
    EXPECT_EQ(resumed, 27);
}

}  // namespace
}  // namespace sluice::net
