// SPDX-License-Identifier: Apache-2.0
//
// OpenSSL on a channel. A small BIO of our own does the socket calls, so that the channel's
// readiness flags stay exact and no call is made twice.
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <algorithm>

#include "net/raw_io.hpp"

namespace sluice::net {
namespace {

Channel& channel_of(BIO* bio) { return *static_cast<Channel*>(BIO_get_data(bio)); }

int bio_read(BIO* bio, char* into, int size) {
    BIO_clear_retry_flags(bio);
    const IoResult r = raw_read(channel_of(bio), into, static_cast<std::size_t>(size));
    if (r.state == Io::done) return static_cast<int>(r.bytes);
    if (r.state == Io::would_block) BIO_set_retry_read(bio);
    return r.state == Io::eof ? 0 : -1;
}

int bio_write(BIO* bio, const char* from, int size) {
    BIO_clear_retry_flags(bio);
    const iovec part{const_cast<char*>(from), static_cast<std::size_t>(size)};
    const IoResult r = raw_write(channel_of(bio), {&part, 1});
    if (r.state == Io::done) return static_cast<int>(r.bytes);
    if (r.state == Io::would_block) BIO_set_retry_write(bio);
    return -1;
}

long bio_control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

BIO_METHOD* channel_method() {
    static BIO_METHOD* const method = [] {
        BIO_METHOD* m = BIO_meth_new(BIO_TYPE_SOURCE_SINK | BIO_get_new_index(), "channel");
        BIO_meth_set_read(m, bio_read);
        BIO_meth_set_write(m, bio_write);
        BIO_meth_set_ctrl(m, bio_control);
        return m;
    }();
    return method;
}

class TlsTransport final : public Transport {
public:
    TlsTransport(Reactor& reactor, int fd, SSL* ssl) : Transport{reactor, fd}, ssl_{ssl} {
        BIO* bio = BIO_new(channel_method());
        BIO_set_data(bio, &channel_);
        BIO_set_init(bio, 1);
        SSL_set_bio(ssl_, bio, bio);
    }
    ~TlsTransport() override { SSL_free(ssl_); }

    IoResult handshake() override {
        ERR_clear_error();
        const int n = SSL_do_handshake(ssl_);
        return n == 1 ? IoResult{} : failure(n);
    }

    IoResult read(char* into, std::size_t size) override {
        if (!channel_.readable && SSL_has_pending(ssl_) == 0) return {Io::would_block};
        ERR_clear_error();
        const int n = SSL_read(ssl_, into, static_cast<int>(std::min<std::size_t>(size, 1 << 30)));
        if (n > 0) return {Io::done, static_cast<std::size_t>(n)};
        return failure(n);
    }

    IoResult write(std::span<const iovec> parts) override {
        std::size_t total = 0;
        for (const iovec& part : parts) {
            std::size_t offset = 0;
            while (offset < part.iov_len) {
                ERR_clear_error();
                const auto left = std::min<std::size_t>(part.iov_len - offset, 1 << 30);
                const int n = SSL_write(ssl_, static_cast<const char*>(part.iov_base) + offset,
                                        static_cast<int>(left));
                if (n <= 0) {
                    const IoResult r = failure(n);
                    if (r.state == Io::would_block && total > 0) return {Io::done, total};
                    return r;
                }
                offset += static_cast<std::size_t>(n);
                total += static_cast<std::size_t>(n);
            }
        }
        return {Io::done, total};
    }

    void shutdown_write() override {
        ERR_clear_error();
        SSL_shutdown(ssl_);
        ERR_clear_error();
        ::shutdown(channel_.fd(), SHUT_WR);
    }
    bool is_secure() const override { return true; }
    TlsSession tls_session() const override {
        return {SSL_version(ssl_) == TLS1_3_VERSION, SSL_session_reused(ssl_) == 1};
    }
    bool is_quiet() const override { return Transport::is_quiet() && SSL_has_pending(ssl_) == 0; }

private:
    IoResult failure(int n) {
        const int why = SSL_get_error(ssl_, n);
        if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE) return {Io::would_block};
        ERR_clear_error();
        return {why == SSL_ERROR_ZERO_RETURN ? Io::eof : Io::error};
    }
    SSL* ssl_;
};

}  // namespace

std::unique_ptr<Transport> make_tls(Reactor& reactor, int fd, SSL* ssl) {
    return std::make_unique<TlsTransport>(reactor, fd, ssl);
}

}  // namespace sluice::net
