// SPDX-License-Identifier: Apache-2.0
#include "admin/session.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <atomic>
#include <boost/asio/post.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <ctime>

#include "admin/routes.hpp"

namespace sluice::admin {
namespace {

namespace beast = boost::beast;
namespace http = beast::http;
using boost::system::error_code;

constexpr std::size_t kLingerBytes = 256 * 1024;
constexpr std::size_t kAuditTarget = 200;

Shared::Digest digest_of(std::string_view text) {
    Shared::Digest out{};
    EVP_Digest(text.data(), text.size(), out.data(), nullptr, EVP_sha256(), nullptr);
    return out;
}

std::string http_date(std::time_t now) {
    std::tm parts{};
    ::gmtime_r(&now, &parts);
    char text[40] = "";
    std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &parts);
    return text;
}

/// One word of printable ASCII, so that no request can forge a line or a field of one.
std::string audit_word(std::string_view text) {
    static constexpr std::string_view kHex = "0123456789ABCDEF";
    std::string out;
    for (const char c : text.substr(0, kAuditTarget)) {
        if (c > ' ' && c < 0x7f && c != '"' && c != '\\') {
            out.push_back(c);
        } else {
            const auto byte = static_cast<unsigned char>(c);
            out += {'%', kHex[byte >> 4], kHex[byte & 15]};
        }
    }
    return out;
}

/// The answer to a request that could not be read; empty when nobody is there to read one.
std::optional<Reply> reply_for(error_code why) {
    if (why == http::error::header_limit || why == http::error::buffer_overflow) {
        return error_reply(431, "BadRequestException", "Request Header Fields Too Large");
    }
    if (why == http::error::body_limit) {
        return error_reply(413, "RequestEntityTooLargeException", "Request Too Long");
    }
    if (why == http::error::end_of_stream || why == http::error::partial_message) return {};
    static const auto& protocol = http::make_error_code(http::error::bad_method).category();
    if (why.category() != protocol) return {};  // reset, timed out, closed
    return error_reply(400, "BadRequestException", "Bad Request");
}

}  // namespace

void Shared::set_token(std::string_view text) {
    token = text.empty() ? std::nullopt : std::optional{digest_of(text)};
}

bool Shared::admits(std::string_view authorization) const {
    if (!token) return true;
    constexpr std::string_view kScheme = "bearer ";
    if (!beast::iequals(authorization.substr(0, kScheme.size()), kScheme)) return false;
    const Digest given = digest_of(authorization.substr(kScheme.size()));
    return CRYPTO_memcmp(given.data(), token->data(), given.size()) == 0;
}

/// One connection: read a request, answer, again. Every callback holds the session alive.
class Session : public std::enable_shared_from_this<Session> {
public:
    Session(std::shared_ptr<Shared> shared, boost::asio::ip::tcp::socket socket)
        : shared_{std::move(shared)}, stream_{std::move(socket)} {
        shared_->sessions.insert(this);
        error_code ignored;
        const auto peer = stream_.socket().remote_endpoint(ignored);
        if (!ignored) peer_ = peer.address().to_string() + ":" + std::to_string(peer.port());
    }
    ~Session() { shared_->sessions.erase(this); }
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

    void read() {
        parser_.emplace();
        parser_->header_limit(static_cast<std::uint32_t>(shared_->limits.header_bytes));
        parser_->body_limit(shared_->limits.body_bytes);
        stream_.expires_after(shared_->limits.timeout);
        http::async_read_header(stream_, buffer_, *parser_,
                                [self = shared_from_this()](error_code why, std::size_t) {
                                    why ? self->refuse(why) : self->on_header();
                                });
    }
    void close() {
        error_code ignored;
        stream_.socket().close(ignored);
    }

private:
    /// No endpoint looks at a body, so one that waits for "100 Continue" or comes from a stranger
    /// is not waited for: the final answer comes at once (RFC 9110 10.1.1).
    void on_header() {
        keep_alive_ = parser_->keep_alive();
        const bool reads_body =
            !parser_->is_done() && parser_->get().count(http::field::expect) == 0 && admitted();
        if (reads_body) {
            return http::async_read(stream_, buffer_, *parser_,
                                    [self = shared_from_this()](error_code why, std::size_t) {
                                        why ? self->refuse(why) : self->on_request();
                                    });
        }
        keep_alive_ = keep_alive_ && parser_->is_done();
        on_request();
    }

    bool admitted() const {
        const auto& head = parser_->get();
        const auto field = head.find(http::field::authorization);
        if (head.count(http::field::authorization) > 1) return !shared_->token;
        return shared_->admits(
            field == head.end() ? std::string_view{}
                                : std::string_view{field->value().data(), field->value().size()});
    }

    /// A page in a browser can make it POST here, and without a token nothing else would tell
    /// that from the operator's curl; but the browser says where the page came from.
    bool is_from_a_page() const {
        return !shared_->token && changes_something(method_) &&
               parser_->get().count(http::field::origin) > 0;
    }

    void on_request() {
        if (shared_->stopped) return close();
        const auto& head = parser_->get();
        method_ = std::string{head.method_string()};
        target_ = std::string{head.target()};
        const auto request = parse_request(method_, target_);
        if (!request) return write(error_reply(400, "BadRequestException", "Bad Request"));
        if (needs_token(*request) && !admitted()) {
            Reply reply = error_reply(401, "UnauthorizedException", "Unauthorized");
            reply.fields.emplace_back("WWW-Authenticate", "Bearer");
            return write(std::move(reply));
        }
        if (is_from_a_page()) {
            return write(error_reply(403, "ForbiddenException",
                                     "Set a token to change things from a browser"));
        }
        stream_.expires_never();  // a reload takes what it takes
        serve(shared_->hooks, *request, to_be_answered());
    }

    /// The answer may come from another thread, or while this one is still inside the hook.
    std::function<void(Reply)> to_be_answered() {
        auto once = std::make_shared<std::atomic_flag>();
        return [self = shared_from_this(), once](Reply reply) {
            if (once->test_and_set()) return;
            boost::asio::post(
                self->stream_.get_executor(),
                [self, reply = std::move(reply)]() mutable { self->write(std::move(reply)); });
        };
    }

    void refuse(error_code why) {
        auto reply = reply_for(why);
        if (!reply) return close();
        keep_alive_ = false;
        method_.clear();
        write(std::move(*reply));
    }

    void write(Reply reply) {
        if (shared_->stopped) return close();
        audit(reply.status);
        auto response = std::make_shared<http::response<http::string_body>>();
        response->result(reply.status);
        response->set(http::field::date, http_date(std::time(nullptr)));
        response->set(http::field::cache_control, "no-store");
        response->set("X-Content-Type-Options", "nosniff");
        if (!reply.body.empty()) response->set(http::field::content_type, reply.content_type);
        for (const auto& [name, value] : reply.fields)
            response->insert(name, value);
        response->version(11);
        response->keep_alive(keep_alive_);
        response->content_length(reply.body.size());
        if (method_ != "HEAD") response->body() = std::move(reply.body);
        stream_.expires_after(shared_->limits.timeout);
        http::async_write(stream_, *response,
                          [self = shared_from_this(), response](error_code why, std::size_t) {
                              self->on_written(why);
                          });
    }

    void on_written(error_code why) {
        if (why || shared_->stopped) return close();
        if (keep_alive_) return read();
        error_code ignored;
        stream_.socket().shutdown(boost::asio::ip::tcp::socket::shutdown_send, ignored);
        stream_.expires_after(std::min<Duration>(shared_->limits.timeout, std::chrono::seconds{1}));
        linger(0);
    }

    /// Reads and drops, so that unread bytes do not make the kernel reset the connection before
    /// the peer has the answer.
    void linger(std::size_t dropped) {
        auto into = std::make_shared<std::array<char, 4096>>();
        stream_.async_read_some(
            boost::asio::buffer(*into),
            [self = shared_from_this(), into, dropped](error_code why, std::size_t n) {
                if (why || dropped + n > kLingerBytes) return self->close();
                self->linger(dropped + n);
            });
    }

    void audit(unsigned status) {
        if (!shared_->hooks.audit || method_.empty() || !changes_something(method_)) return;
        shared_->hooks.audit("audit client=" + peer_ + " method=" + audit_word(method_) +
                             " target=" + audit_word(target_) +
                             " status=" + std::to_string(status));
    }

    const std::shared_ptr<Shared> shared_;
    beast::tcp_stream stream_;
    std::string peer_ = "-";
    beast::flat_buffer buffer_{64 * 1024};
    std::optional<http::request_parser<http::string_body>> parser_{};
    std::string method_{};
    std::string target_{};
    bool keep_alive_ = false;
};

void serve_connection(std::shared_ptr<Shared> shared, boost::asio::ip::tcp::socket socket) {
    std::make_shared<Session>(std::move(shared), std::move(socket))->read();
}

void close_connection(Session& session) { session.close(); }

}  // namespace sluice::admin
