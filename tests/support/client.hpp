// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "support/wire.hpp"

namespace test {

struct Response {
    int status = 0;
    std::string version{};  ///< "HTTP/1.1"
    Headers headers{};
    std::string raw_head{};
    std::string body{};
    bool complete = false;       ///< the body was framed to its end
    std::vector<int> interim{};  ///< 1xx that came before
    Headers trailers{};

    std::string header(std::string_view name) const { return headers.get(name).value_or(""); }
    nlohmann::json json() const { return nlohmann::json::parse(body); }
};

struct ClientTls {
    std::string server_name{};  ///< SNI; also verified when `ca_file` is set
    std::string ca_file{};
    int max_version = 0;             ///< TLS1_2_VERSION ...; 0 = any
    SSL_SESSION* session = nullptr;  ///< to resume; not owned
};

struct ClientOptions {
    std::string source{};  ///< own address: "127.0.0.2"
    std::string host{};    ///< Host field; empty = address and port
    std::optional<ClientTls> tls{};
    std::chrono::milliseconds timeout = kPatience;
};

/// A small blocking HTTP/1.1 client on one connection; connects when first used and again
/// after the server closed. Throws std::runtime_error when no answer comes.
class Client {
public:
    explicit Client(std::uint16_t port, ClientOptions options = {});
    ~Client();

    Response get(const std::string& target, const Headers& headers = {});
    Response head(const std::string& target, const Headers& headers = {});
    Response post(const std::string& target, const std::string& body, const Headers& headers = {});
    Response request(const std::string& method, const std::string& target,
                     const Headers& headers = {}, const std::string& body = {});

    /// The bytes `request` would send (Host and, with a body, Content-Length added if absent).
    std::string text_of(const std::string& method, const std::string& target,
                        const Headers& headers = {}, const std::string& body = {}) const;
    void send(std::string_view bytes);  ///< throws when the peer is gone
    bool try_send(std::string_view bytes);
    /// The next response; the method says whether a body can follow. With a sink the body goes
    /// there instead of into the Response.
    Response read(std::string_view method = "GET", const Sink& sink = {});
    /// Every byte until the connection ends.
    std::string read_all();
    /// True when the server ends the connection, without sending more, in time.
    bool ended();
    /// FIN to the server; it may still answer.
    void finish_writing();
    void close();
    void reset();
    void connect();

    Wire& wire();
    bool connected() const { return wire_.has_value(); }
    /// Connections made so far.
    int connections() const { return connections_; }

private:
    std::uint16_t port_;
    ClientOptions options_;
    SSL_CTX* context_ = nullptr;
    std::optional<Wire> wire_{};
    int connections_ = 0;
};

}  // namespace test
