// SPDX-License-Identifier: Apache-2.0
#include "telemetry/otlp_client.hpp"

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>
#include <charconv>
#include <future>

#include "config/otlp_url.hpp"
#include "net/asio_endpoints.hpp"
#include "net/resolver.hpp"
#include "telemetry/quiet_thread.hpp"

namespace sluice::telemetry {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;
using boost::system::error_code;
using std::chrono::milliseconds;

constexpr milliseconds kPoll{50};
constexpr std::uint64_t kMostAnswer = 64 * 1024;
constexpr std::chrono::seconds kLongestRetryAfter{3600};

/// Waiting that ends when it is no longer wanted.
struct Patience {
    TimePoint deadline;
    const std::function<bool()>& go_on;
    bool is_over() const { return std::chrono::steady_clock::now() >= deadline || !go_on(); }
};

/// A name server that does not answer holds a detached thread, not this one.
Result<net::Endpoints> look_up(const config::OtlpUrl& url, const Patience& patience) {
    if (const auto literal = net::parse_literal(url.host, url.port)) {
        return net::Endpoints{*literal};
    }
    std::promise<Result<net::Endpoints>> promise;
    auto answer = promise.get_future();
    quiet_thread([promise = std::move(promise), host = url.host, port = url.port]() mutable {
        promise.set_value(net::system_lookup(host, port));
    }).detach();
    while (answer.wait_for(kPoll) != std::future_status::ready) {
        if (!patience.is_over()) continue;
        return Error{.origin = Origin::upstream, .code = "resolve", .detail = "no answer in time"};
    }
    return answer.get();
}

/// Connect, handshake, write, read: a chain of callbacks on an io_context of its own.
class Post {
public:
    Post(const config::OtlpUrl& url, const config::Tracing& settings, const std::string& message)
        : url_{url}, request_{http::verb::post, url.target, 11, message} {
        request_.set(http::field::host, url.authority);
        request_.set(http::field::user_agent, "sluice/" SLUICE_VERSION);
        request_.set(http::field::content_type, "application/x-protobuf");
        request_.set(http::field::connection, "close");
        for (const auto& [name, value] : settings.headers)
            request_.set(name, value);
        request_.prepare_payload();
        parser_.body_limit(kMostAnswer);
        if (url.secure) make_secure(settings);
    }

    OtlpAnswer run(const net::Endpoints& to, const Patience& patience) {
        if (!answer_.error.empty()) return answer_;
        tcp_layer().async_connect(net::to_asio(to), [this](error_code why, const tcp::endpoint&) {
            if (failed("connect", why)) return;
            if (secure_) {
                secure_->async_handshake(asio::ssl::stream_base::client, [this](error_code broken) {
                    if (!failed("TLS", broken)) exchange(*secure_);
                });
            } else {
                exchange(plain_);
            }
        });
        while (!done_) {
            io_.run_one_for(kPoll);
            if (io_.stopped()) io_.restart();
            if (done_ || !patience.is_over()) continue;
            answer_.error = "no answer in time";
            tcp_layer().close();
            io_.run();  // the callbacks of what was cancelled
            break;
        }
        return std::move(answer_);
    }

private:
    using Secure = beast::ssl_stream<beast::tcp_stream>;

    beast::tcp_stream& tcp_layer() { return secure_ ? secure_->next_layer() : plain_; }

    void make_secure(const config::Tracing& settings) {
        error_code why;
        if (settings.certificate_file.empty())
            tls_.set_default_verify_paths(why);
        else
            tls_.load_verify_file(settings.certificate_file.string(), why);
        tls_.set_verify_mode(asio::ssl::verify_peer);
        secure_.emplace(io_, tls_);
        secure_->set_verify_callback(asio::ssl::host_name_verification{url_.host});
        const bool literal = net::parse_literal(url_.host, 1).has_value();
        if (!literal) ::SSL_set_tlsext_host_name(secure_->native_handle(), url_.host.c_str());
        if (why) answer_.error = "TLS: " + why.message();
    }

    template <class Stream>
    void exchange(Stream& stream) {
        http::async_write(stream, request_, [this, &stream](error_code why, std::size_t) {
            if (failed("write", why)) return;
            http::async_read(stream, buffer_, parser_, [this](error_code end, std::size_t) {
                if (failed("read", end)) return;
                auto response = parser_.release();
                answer_.status = static_cast<int>(response.result_int());
                answer_.retry_after = retry_after(response[http::field::retry_after]);
                answer_.body = std::move(response.body());
                done_ = true;
            });
        });
    }

    bool failed(std::string_view step, error_code why) {
        if (!why) return false;
        if (answer_.error.empty()) answer_.error = std::string{step} + ": " + why.message();
        done_ = true;
        return true;
    }

    static std::optional<std::chrono::seconds> retry_after(beast::string_view text) {
        unsigned seconds = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
        if (error != std::errc{} || end != text.data() + text.size()) return {};
        return std::min(std::chrono::seconds{seconds}, kLongestRetryAfter);
    }

    const config::OtlpUrl& url_;
    asio::io_context io_{1};
    asio::ssl::context tls_{asio::ssl::context::tls_client};
    beast::tcp_stream plain_{io_};
    std::optional<Secure> secure_{};
    http::request<http::string_body> request_;
    beast::flat_buffer buffer_{};
    http::response_parser<http::string_body> parser_{};
    OtlpAnswer answer_{};
    bool done_ = false;
};

}  // namespace

OtlpAnswer post_otlp(const config::Tracing& settings, const std::string& message,
                     TimePoint deadline, const std::function<bool()>& go_on) {
    const auto url = config::parse_otlp_url(settings.endpoint);
    if (!url) return {.error = "not a URL"};
    const Patience patience{deadline, go_on};
    const auto endpoints = look_up(*url, patience);
    if (!endpoints) return {.error = "resolve: " + endpoints.error().detail};
    if (endpoints->empty()) return {.error = "resolve: no addresses"};
    return Post{*url, settings, message}.run(*endpoints, patience);
}

}  // namespace sluice::telemetry
