// SPDX-License-Identifier: Apache-2.0
#include "admin/client.hpp"

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <charconv>
#include <memory>

#include "net/asio_endpoints.hpp"
#include "net/resolver.hpp"

namespace sluice::admin {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;
using boost::system::error_code;

Error failure(std::string_view code, std::string detail) {
    return {Origin::upstream, code, std::move(detail), Retry::never};
}

Error bad_url(std::string_view url, std::string_view why) {
    return failure("bad_url", "admin URL " + std::string{url} + " " + std::string{why});
}

bool read_port(std::string_view text, std::uint16_t& port) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
    return error == std::errc{} && end == text.data() + text.size() && port != 0;
}

/// Tokens with blanks or control bytes would end the header field, or more.
bool is_token(std::string_view text) {
    return std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7f; });
}

/// host, host:port, [address], [address]:port.
bool read_authority(std::string_view text, AdminUrl& url) {
    std::string_view rest;
    if (text.starts_with('[')) {
        const auto end = text.find(']');
        if (end == text.npos) return false;
        url.host = text.substr(1, end - 1);
        rest = text.substr(end + 1);
    } else {
        const auto colon = text.find(':');
        url.host = text.substr(0, colon);
        if (colon != text.npos) rest = text.substr(colon);
    }
    if (url.host.empty()) return false;
    return rest.empty() || (rest.front() == ':' && read_port(rest.substr(1), url.port));
}

/// One exchange as a chain of callbacks on an io_context of its own, under one deadline.
class Exchange {
public:
    Exchange(http::request<http::empty_body> request, std::uint64_t max_body)
        : request_{std::move(request)} {
        parser_.body_limit(max_body);
        parser_.skip(request_.method() == http::verb::head);
    }

    error_code run(const std::vector<tcp::endpoint>& to, Duration timeout) {
        stream_.expires_after(timeout);
        stream_.async_connect(to, [this](error_code why, const tcp::endpoint&) {
            if (failed(why)) return;
            http::async_write(stream_, request_, [this](error_code broken, std::size_t) {
                if (failed(broken)) return;
                http::async_read(stream_, buffer_, parser_,
                                 [this](error_code end, std::size_t) { failed(end); });
            });
        });
        io_.run();
        return outcome_;
    }
    Answer answer() {
        auto response = parser_.release();
        return {static_cast<int>(response.result_int()), std::move(response.body())};
    }

private:
    bool failed(error_code why) {
        outcome_ = why;
        return why.failed();
    }

    asio::io_context io_{1};
    beast::tcp_stream stream_{io_};
    http::request<http::empty_body> request_;
    beast::flat_buffer buffer_{};
    http::response_parser<http::string_body> parser_{};
    error_code outcome_{};
};

}  // namespace

std::string AdminUrl::authority() const {
    const bool v6 = host.find(':') != host.npos;
    return (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

Result<AdminUrl> parse_admin_url(std::string_view url) {
    constexpr std::string_view kScheme = "http://";
    if (!beast::iequals(url.substr(0, kScheme.size()), kScheme)) {
        return bad_url(url, "must begin with http://");
    }
    const std::string_view rest = url.substr(kScheme.size());
    for (const char c : rest) {
        if (c <= ' ' || c >= 0x7f || c == '@' || c == '?' || c == '#' || c == '\\') {
            return bad_url(url, "may only hold host, port and path");
        }
    }
    AdminUrl out;
    const auto slash = rest.find('/');
    if (!read_authority(rest.substr(0, slash), out)) return bad_url(url, "has no host or port");
    if (slash != rest.npos) out.path = rest.substr(slash);
    while (out.path.ends_with('/'))
        out.path.pop_back();
    return out;
}

Result<Answer> send(const std::string& method, const std::string& admin_url,
                    const std::string& target, ClientOptions options) {
    const auto url = parse_admin_url(admin_url);
    if (!url) return url.error();
    if (!is_token(options.token)) return failure("bad_token", "the token holds blanks");
    const auto addresses = net::system_lookup(url->host, url->port);
    if (!addresses) {
        return failure("unresolvable",
                       "cannot resolve " + url->host + ": " + addresses.error().detail);
    }
    http::request<http::empty_body> request;
    request.method_string(method);
    request.target(url->path + target);
    request.version(11);
    request.set(http::field::host, url->authority());
    request.set(http::field::user_agent, "sluice/" SLUICE_VERSION);
    request.set(http::field::connection, "close");
    if (!options.token.empty()) request.set(http::field::authorization, "Bearer " + options.token);

    Exchange exchange{std::move(request), options.max_body};
    const error_code why = exchange.run(net::to_asio(*addresses), options.timeout);
    if (why == beast::error::timeout) {
        return failure("timeout", url->authority() + " did not answer in time");
    }
    if (why) return failure("no_answer", url->authority() + ": " + why.message());
    return exchange.answer();
}

Result<Answer> get(const std::string& admin_url, const std::string& target, ClientOptions options) {
    return send("GET", admin_url, target, std::move(options));
}

std::string percent_encode(std::string_view text) {
    static constexpr std::string_view kHex = "0123456789ABCDEF";
    std::string out;
    for (const char c : text) {
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                           (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~';
        const auto byte = static_cast<unsigned char>(c);
        if (plain) {
            out.push_back(c);
        } else {
            out += {'%', kHex[byte >> 4], kHex[byte & 15]};
        }
    }
    return out;
}

}  // namespace sluice::admin
