// SPDX-License-Identifier: Apache-2.0
#include "state/redis_stream.hpp"

#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>

namespace sluice::state {

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

class PlainStream final : public RedisStream {
public:
    explicit PlainStream(asio::io_context& io) : socket_{io} {}
    tcp::socket& socket() override { return socket_; }
    void handshake(std::function<void(boost::system::error_code)> done) override { done({}); }
    void read(asio::mutable_buffer into, Done done) override {
        socket_.async_read_some(into, std::move(done));
    }
    void write(asio::const_buffer from, Done done) override {
        asio::async_write(socket_, from, std::move(done));
    }

private:
    tcp::socket socket_;
};

class TlsStream final : public RedisStream {
public:
    TlsStream(asio::io_context& io, SSL* session) : stream_{tcp::socket{io}, session} {}
    tcp::socket& socket() override { return stream_.next_layer(); }
    void handshake(std::function<void(boost::system::error_code)> done) override {
        stream_.async_handshake(asio::ssl::stream_base::client, std::move(done));
    }
    void read(asio::mutable_buffer into, Done done) override {
        stream_.async_read_some(into, std::move(done));
    }
    void write(asio::const_buffer from, Done done) override {
        asio::async_write(stream_, from, std::move(done));
    }
    std::string refusal() const override {
        return net::refused_certificate(const_cast<TlsStream*>(this)->stream_.native_handle());
    }

private:
    asio::ssl::stream<tcp::socket> stream_;
};

}  // namespace

std::unique_ptr<RedisStream> make_redis_stream(asio::io_context& io, const net::ClientTls* tls,
                                               const std::string& host) {
    if (tls == nullptr) return std::make_unique<PlainStream>(io);
    SSL* session = tls->new_session(host);
    if (session == nullptr) return nullptr;
    return std::make_unique<TlsStream>(io, session);
}

}  // namespace sluice::state
