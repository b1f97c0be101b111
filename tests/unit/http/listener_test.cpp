// SPDX-License-Identifier: Apache-2.0
#include "http/listener.hpp"

#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include <optional>
#include <string>

#include "net/tls_client.hpp"
#include "unit/http/test_server.hpp"
#include "unit/net/certificates.hpp"
#include "unit/net/handshake.hpp"

namespace sluice::http {
namespace {

using ::test::Peer;

constexpr const char* kGet = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";

class ListenerTest : public testing::Test {
protected:
    ~ListenerTest() override {
        server_.thread.run([&] { listener_.reset(); });
    }
    void listen(std::shared_ptr<const net::ServerTls> tls = nullptr) {
        auto socket = ListenSocket::bind("127.0.0.1", 0);
        ASSERT_TRUE(socket) << socket.error().detail;
        port_ = socket->port();
        server_.thread.run([&] {
            listener_.emplace(server_.thread.reactor(), std::move(*socket), server_.handler,
                              server_.sessions, server_.admission);
            listener_->set_tls(std::move(tls));
        });
    }
    std::size_t sessions() {
        return server_.thread.run([&] { return server_.sessions.size(); });
    }

    TestServer server_;
    std::optional<Listener> listener_{};
    std::uint16_t port_ = 0;
};

TEST_F(ListenerTest, AcceptsOnThePortTheKernelChose) {
    listen();
    ASSERT_NE(port_, 0);
    Peer client = ::test::dial(port_);
    client.send(kGet);
    EXPECT_EQ(client.read_message(), answered(200, "GET /"));
    EXPECT_EQ(server_.handler.last_peer.to_string(), "127.0.0.1");
    EXPECT_FALSE(server_.handler.secure);
}

TEST_F(ListenerTest, AcceptsManyAtOnce) {
    listen();
    std::vector<Peer> clients;
    for (int i = 0; i < 200; ++i)
        clients.push_back(::test::dial(port_));
    for (Peer& client : clients)
        client.send(kGet);
    for (Peer& client : clients)
        EXPECT_EQ(client.read_message(), answered(200, "GET /"));
    EXPECT_EQ(sessions(), 200U);
}

TEST_F(ListenerTest, ServesWhoHadConnectedBeforeItStopped) {
    listen();
    std::optional<Peer> client;
    server_.thread.run([&] {
        client.emplace(::test::dial(port_));  // accepted by the kernel, not yet by the listener
        client->send(kGet);
        listener_.reset();
    });
    EXPECT_EQ(client->read_message(), answered(200, "GET /"));
    EXPECT_THROW(::test::dial(port_), std::runtime_error);
}

constexpr const char* kHalfARequest = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\na";

TEST_F(ListenerTest, LetsConnectionsWaitAboveTheLimitWhileTheOthersAreBusy) {
    server_.admission.set_limits(1, 0);
    listen();
    Peer first = ::test::dial(port_);
    first.send(kHalfARequest);
    ASSERT_TRUE(server_.thread.until([&] { return server_.handler.requests == 1; }));
    Peer second = ::test::dial(port_);
    second.send(kGet);
    for (int turn = 0; turn < 20; ++turn)
        EXPECT_EQ(sessions(), 1U);
    first.send("b");
    EXPECT_EQ(first.read_message(), answered(200, "POST / ab"));
    EXPECT_EQ(second.read_message(), answered(200, "GET /"));
}

TEST_F(ListenerTest, MakesRoomAtTheLimitByEndingWhoWasIdleLongest) {
    server_.admission.set_limits(3, 0);
    listen();
    std::vector<Peer> idle;
    for (int i = 0; i < 2; ++i) {
        idle.push_back(::test::dial(port_));
        idle.back().send(kGet);
        EXPECT_EQ(idle.back().read_message(), answered(200, "GET /"));
    }
    Peer busy = ::test::dial(port_);
    busy.send(kHalfARequest);
    ASSERT_TRUE(server_.thread.until([&] { return server_.handler.requests == 3; }));
    Peer next = ::test::dial(port_);
    next.send(kGet);
    EXPECT_EQ(next.read_message(), answered(200, "GET /"));
    EXPECT_EQ(idle[0].read_all(), "") << "ended";
    idle[1].send(kGet);
    EXPECT_EQ(idle[1].read_message(), answered(200, "GET /"));
    busy.send("b");
    EXPECT_EQ(busy.read_message(), answered(200, "POST / ab"));
}

TEST_F(ListenerTest, ClosesConnectionsBeyondTheShareOfOneClient) {
    server_.admission.set_limits(100, 1);
    listen();
    Peer first = ::test::dial(port_);
    first.send(kGet);
    EXPECT_EQ(first.read_message(), answered(200, "GET /"));
    Peer second = ::test::dial(port_);
    EXPECT_EQ(second.read_all(), "");
    first.close();
    ASSERT_TRUE(server_.ends());
    Peer third = ::test::dial(port_);
    third.send(kGet);
    EXPECT_EQ(third.read_message(), answered(200, "GET /"));
}

class TlsListenerTest : public ListenerTest {
protected:
    TlsListenerTest() {
        const auto certificate =
            net::test::make_certificate({.common_name = "pets", .alternatives = "DNS:pets"});
        const auto tls = net::ServerTls::make(
            net::ServerTlsFiles{.certificates = {{dir_.write("c.pem", certificate.pem()),
                                                  dir_.write("c.key", certificate.key_pem())}}});
        EXPECT_TRUE(tls);
        listen(*tls);
    }
    net::test::TempDir dir_;
};

TEST_F(TlsListenerTest, ServesTls) {
    const auto tls = net::ClientTls::make(net::ClientTlsSettings{.ca_file = dir_.path() / "c.pem"});
    Peer client = ::test::dial(port_);
    const net::test::SslPtr ssl{(*tls)->new_session(client.fd(), "pets")};
    ASSERT_EQ(SSL_connect(ssl.get()), 1);
    const std::string request = kGet;
    SSL_write(ssl.get(), request.data(), static_cast<int>(request.size()));
    std::string got(1000, '\0');
    const int n = SSL_read(ssl.get(), got.data(), static_cast<int>(got.size()));
    ASSERT_GT(n, 0);
    EXPECT_EQ(got.substr(0, static_cast<std::size_t>(n)), answered(200, "GET /"));
    EXPECT_TRUE(server_.handler.secure);
    EXPECT_EQ(server_.thread.run([&] {
        return server_.handler.counted.tls_handshakes[telemetry::tls_kind(true, false)].value();
    }),
              1U);
}

TEST_F(TlsListenerTest, EndsAndCountsAConnectionThatDoesNotSpeakTls) {
    Peer client = ::test::dial(port_);
    client.send(kGet);
    client.read_all();
    ASSERT_TRUE(server_.ends());
    EXPECT_EQ(server_.handler.requests, 0);
    EXPECT_EQ(
        server_.thread.run([&] { return server_.handler.counted.tls_handshake_failures.value(); }),
        1U);
}

TEST(ListenSocket, SharesAPortWithItsOwnKindOnly) {
    const auto first = ListenSocket::bind("127.0.0.1", 0);
    ASSERT_TRUE(first);
    EXPECT_TRUE(ListenSocket::bind("127.0.0.1", first->port()));
    const auto alone = ListenSocket::probe("127.0.0.1", first->port());
    ASSERT_FALSE(alone);
    EXPECT_EQ(alone.error().code, "listen");
    EXPECT_NE(alone.error().detail.find("in use"), std::string::npos) << alone.error().detail;
}

TEST(ListenSocket, ProbesAFreePortWithoutTakingIt) {
    std::uint16_t port = 0;
    {
        const auto socket = ListenSocket::bind("127.0.0.1", 0);
        port = socket->port();
    }
    EXPECT_TRUE(ListenSocket::probe("127.0.0.1", port));
    EXPECT_TRUE(ListenSocket::probe("127.0.0.1", port));
}

TEST(ListenSocket, NamesAnAddressItCannotUse) {
    const auto name = ListenSocket::bind("localhost", 0);
    ASSERT_FALSE(name);
    EXPECT_NE(name.error().detail.find("localhost:0: not an IP address"), std::string::npos);
    const auto foreign = ListenSocket::bind("192.0.2.1", 0);
    ASSERT_FALSE(foreign);
    EXPECT_NE(foreign.error().detail.find("bind"), std::string::npos);
}

TEST(ListenSocket, ListensOnIpv6) {
    const auto socket = ListenSocket::bind("::1", 0);
    if (!socket) GTEST_SKIP() << "no IPv6 here: " << socket.error().detail;
    EXPECT_NE(socket->port(), 0);
}

TEST(Admission, CountsTheConnectionsOfEachClientAndOfAll) {
    const IpAddress a = *IpAddress::parse("192.0.2.1");
    const IpAddress b = *IpAddress::parse("192.0.2.2");
    Admission admission;
    admission.set_limits(3, 2);
    EXPECT_TRUE(admission.enter(a));
    EXPECT_TRUE(admission.enter(a));
    EXPECT_FALSE(admission.enter(a));
    EXPECT_TRUE(admission.has_room()) << "a refused one does not count";
    EXPECT_TRUE(admission.enter(b));
    EXPECT_FALSE(admission.has_room());
    admission.leave(a);
    EXPECT_TRUE(admission.has_room());
    EXPECT_TRUE(admission.enter(a));
}

}  // namespace
}  // namespace sluice::http
