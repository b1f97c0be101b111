// SPDX-License-Identifier: Apache-2.0
#include "support/client.hpp"

#include <openssl/err.h>
#include <openssl/x509_vfy.h>

#include <stdexcept>

namespace test {

namespace {

SSL_CTX* client_context(const ClientTls& tls) {
    SSL_CTX* context = SSL_CTX_new(TLS_client_method());
    if (tls.max_version != 0) SSL_CTX_set_max_proto_version(context, tls.max_version);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT);
    if (!tls.ca_file.empty()) {
        SSL_CTX_load_verify_locations(context, tls.ca_file.c_str(), nullptr);
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
    }
    return context;
}

int status_of(const std::string& line) {
    // "HTTP/1.1 200 OK"; the reason may be empty, its blank may not.
    if (line.size() < 13 || !line.starts_with("HTTP/1.") || line[8] != ' ' || line[12] != ' ')
        throw std::runtime_error("not a status line: " + line);
    return std::stoi(line.substr(9, 3));
}

bool says_close(const Headers& headers) {
    for (const std::string& value : headers.all("Connection"))
        if (same_name(value, "close")) return true;
    return false;
}

}  // namespace

Client::Client(std::uint16_t port, ClientOptions options)
    : port_{port}, options_{std::move(options)} {
    if (options_.host.empty()) options_.host = "127.0.0.1:" + std::to_string(port_);
    if (options_.tls) context_ = client_context(*options_.tls);
}

Client::~Client() {
    wire_.reset();
    SSL_CTX_free(context_);
}

void Client::connect() {
    Fd fd = connect_to(port_, "127.0.0.1", options_.source);
    SSL* ssl = nullptr;
    if (options_.tls) {
        ssl = SSL_new(context_);
        const std::string& name = options_.tls->server_name;
        if (!name.empty()) {
            SSL_set_tlsext_host_name(ssl, name.c_str());
            SSL_set1_host(ssl, name.c_str());
        }
        if (options_.tls->session != nullptr) SSL_set_session(ssl, options_.tls->session);
        try {
            handshake(fd, ssl, false);
        } catch (...) {
            SSL_free(ssl);
            throw;
        }
    }
    wire_.emplace(std::move(fd), ssl);
    wire_->set_timeout(options_.timeout);
    ++connections_;
}

Wire& Client::wire() {
    if (!wire_) connect();
    return *wire_;
}

std::string Client::text_of(const std::string& method, const std::string& target,
                            const Headers& headers, const std::string& body) const {
    std::string text = method + " " + target + " HTTP/1.1\r\n";
    if (!headers.has("Host")) text += "Host: " + options_.host + "\r\n";
    for (const Header& h : headers)
        text += h.name + ": " + h.value + "\r\n";
    const bool framed = headers.has("Content-Length") || headers.has("Transfer-Encoding");
    if (!framed && (!body.empty() || method == "POST" || method == "PUT"))
        text += "Content-Length: " + std::to_string(body.size()) + "\r\n";
    return text + "\r\n" + body;
}

void Client::send(std::string_view bytes) {
    if (!wire().send(bytes)) throw std::runtime_error("the server does not take the request");
}

bool Client::try_send(std::string_view bytes) { return wire().send(bytes); }

Response Client::read(std::string_view method, const Sink& sink) {
    Response response;
    std::optional<Head> head;
    for (;;) {
        head = wire().read_head();
        if (!head) {
            const bool late = wire_->end() == End::timeout;
            const std::string rest = wire_->pending();
            close();
            throw std::runtime_error((late ? "no answer in time" : "closed without an answer") +
                                     (rest.empty() ? "" : ", half a head: " + rest));
        }
        response.status = status_of(head->start_line);
        if (response.status >= 200) break;
        response.interim.push_back(response.status);
    }
    response.version = head->start_line.substr(0, 8);
    response.headers = std::move(head->headers);
    response.raw_head = std::move(head->raw);
    const Sink keep = sink ? sink : [&](std::string_view part) { response.body += part; };

    Body body{.complete = true};
    const bool none = method == "HEAD" || response.status == 204 || response.status == 304;
    const std::vector<std::string> lengths = response.headers.all("Content-Length");
    if (lengths.size() > 1) throw std::runtime_error("two Content-Length fields");
    bool to_end = false;
    if (none) {
    } else if (response.headers.has("Transfer-Encoding")) {
        if (!lengths.empty()) throw std::runtime_error("both kinds of framing");
        body = wire().read_chunked(keep);
    } else if (!lengths.empty()) {
        body = wire().read_length(std::stoull(lengths.front()), keep);
    } else {
        body = wire().read_to_end(keep);
        to_end = true;
    }
    response.complete = body.complete;
    response.trailers = std::move(body.trailers);
    if (to_end || !body.complete) close();
    return response;
}

Response Client::request(const std::string& method, const std::string& target,
                         const Headers& headers, const std::string& body) {
    send(text_of(method, target, headers, body));
    Response response = read(method);
    if (says_close(response.headers)) close();
    return response;
}

Response Client::get(const std::string& target, const Headers& headers) {
    return request("GET", target, headers);
}

Response Client::head(const std::string& target, const Headers& headers) {
    return request("HEAD", target, headers);
}

Response Client::post(const std::string& target, const std::string& body, const Headers& headers) {
    return request("POST", target, headers, body);
}

std::string Client::read_all() {
    std::string all;
    wire().read_to_end([&](std::string_view part) { all += part; });
    return all;
}

bool Client::ended() {
    const std::string rest = read_all();
    return rest.empty() && wire_->end() != End::timeout;
}

void Client::finish_writing() { wire().finish_writing(); }
void Client::close() { wire_.reset(); }

void Client::reset() {
    if (wire_) wire_->socket().reset();
    wire_.reset();
}

}  // namespace test
