// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "net/tls_client.hpp"
#include "net/tls_context.hpp"
#include "net/transport.hpp"
#include "sluice/config/model.hpp"
#include "support/reactor_thread.hpp"
#include "unit/net/certificates.hpp"

namespace sluice::net {
namespace {

using ::test::Pair;
using ::test::ReactorThread;

/// Both ends of one TLS connection, on one reactor.
class TlsTransportTest : public testing::Test {
protected:
    TlsTransportTest() {
        const test::Certificate certificate =
            test::make_certificate({.common_name = "pets", .alternatives = "DNS:pets"});
        const auto server_tls = *ServerTls::make(
            ServerTlsFiles{.certificates = {{dir_.write("c.pem", certificate.pem()),
                                             dir_.write("c.key", certificate.key_pem())}}});
        const auto client_tls =
            *ClientTls::make(ClientTlsSettings{.ca_file = dir_.path() / "c.pem"});
        const int far = pair_.far.take();
        ::fcntl(far, F_SETFL, ::fcntl(far, F_GETFL) | O_NONBLOCK);
        thread_.run([&] {
            server_ = make_tls(thread_.reactor(), pair_.near, server_tls->new_session());
            client_ = make_tls(thread_.reactor(), far, client_tls->new_session("pets"));
        });
    }
    ~TlsTransportTest() override {
        thread_.run([&] {
            server_.reset();
            client_.reset();
        });
    }
    bool shake_hands() {
        bool client_done = false;
        bool server_done = false;
        return thread_.until([&] {
            if (!client_done) client_done = client_->handshake().state == Io::done;
            if (!server_done) server_done = server_->handshake().state == Io::done;
            return client_done && server_done;
        });
    }
    IoResult write(Transport& transport, std::string_view bytes) {
        return thread_.run([&] {
            const iovec part{const_cast<char*>(bytes.data()), bytes.size()};
            return transport.write({&part, 1});
        });
    }
    /// Reads until `wanted` bytes are there or the connection ends.
    std::string read(Transport& transport, std::size_t wanted, std::size_t step = 16'384) {
        std::string got;
        EXPECT_TRUE(thread_.until([&] {
            std::string block(step, '\0');
            while (got.size() < wanted) {
                last_ = transport.read(block.data(), std::min(step, wanted - got.size()));
                if (last_.state == Io::would_block) return false;
                if (last_.state != Io::done) return true;
                got.append(block, 0, last_.bytes);
            }
            return true;
        }));
        return got;
    }

    test::TempDir dir_;
    ReactorThread thread_;
    Pair pair_ = Pair::make();
    std::unique_ptr<Transport> server_{};
    std::unique_ptr<Transport> client_{};
    IoResult last_{};
};

TEST_F(TlsTransportTest, ShakesHandsAndCarriesBytesBothWays) {
    ASSERT_TRUE(shake_hands());
    EXPECT_TRUE(server_->is_secure());
    EXPECT_EQ(write(*client_, "GET").state, Io::done);
    EXPECT_EQ(read(*server_, 3), "GET");
    EXPECT_EQ(write(*server_, "200").state, Io::done);
    EXPECT_EQ(read(*client_, 3), "200");
}

TEST_F(TlsTransportTest, KnowsOfBytesThatAreDecryptedAndNotRead) {
    ASSERT_TRUE(shake_hands());
    write(*client_, "abc");
    EXPECT_EQ(read(*server_, 1, 1), "a");
    EXPECT_FALSE(thread_.run([&] { return server_->is_quiet(); }));
    EXPECT_EQ(read(*server_, 2), "bc");
    EXPECT_TRUE(thread_.until([&] {
        char byte = 0;
        return server_->read(&byte, 1).state == Io::would_block && server_->is_quiet();
    }));
}

TEST_F(TlsTransportTest, CarriesMoreThanTheSocketHolds) {
    ASSERT_TRUE(shake_hands());
    std::string sent(8 << 20, '\0');
    for (std::size_t i = 0; i < sent.size(); ++i)
        sent[i] = static_cast<char>(i * 31 >> 3);
    std::string got;
    std::size_t written = 0;
    bool blocked = false;
    EXPECT_TRUE(thread_.until([&] {
        if (written < sent.size()) {
            const iovec part{sent.data() + written, sent.size() - written};
            const IoResult r = client_->write({&part, 1});
            if (r.state == Io::done) written += r.bytes;
            if (written < sent.size()) blocked = true;
        }
        std::string block(65'536, '\0');
        for (;;) {
            const IoResult r = server_->read(block.data(), block.size());
            if (r.state != Io::done) break;
            got.append(block, 0, r.bytes);
        }
        return got.size() == sent.size();
    }));
    EXPECT_TRUE(blocked) << "the socket took everything: nothing was tested";
    EXPECT_TRUE(got == sent);
}

TEST_F(TlsTransportTest, EndsWithCloseNotify) {
    ASSERT_TRUE(shake_hands());
    write(*server_, "bye");
    thread_.run([&] { server_->shutdown_write(); });
    EXPECT_EQ(read(*client_, 100), "bye");
    EXPECT_EQ(last_.state, Io::eof);
    EXPECT_EQ(write(*client_, "heard").state, Io::done) << "one direction ended, not both";
    EXPECT_EQ(read(*server_, 5), "heard");
}

TEST_F(TlsTransportTest, TakesACutConnectionForAnError) {
    ASSERT_TRUE(shake_hands());
    write(*server_, "half");
    EXPECT_EQ(read(*client_, 4), "half");
    thread_.run([&] { server_.reset(); });
    EXPECT_EQ(read(*client_, 1), "");
    EXPECT_EQ(last_.state, Io::error);
}

TEST_F(TlsTransportTest, FailsTheHandshakeOnBytesThatAreNotTls) {
    Pair pair = Pair::make();
    const auto tls = *ServerTls::make(
        ServerTlsFiles{.certificates = {{dir_.path() / "c.pem", dir_.path() / "c.key"}}});
    std::unique_ptr<Transport> server;
    thread_.run([&] { server = make_tls(thread_.reactor(), pair.near, tls->new_session()); });
    pair.far.send("GET / HTTP/1.1\r\n\r\n");
    Io end = Io::would_block;
    EXPECT_TRUE(thread_.until([&] {
        end = server->handshake().state;
        return end != Io::would_block;
    }));
    EXPECT_EQ(end, Io::error);
    thread_.run([&] { server.reset(); });
}

}  // namespace
}  // namespace sluice::net
