// SPDX-License-Identifier: Apache-2.0
#include "admin/server.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/write.hpp>

#include "admin/session.hpp"

namespace sluice::admin {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

constexpr auto kPauseWithoutDescriptors = std::chrono::milliseconds{100};

Error failure(std::string detail) {
    return {Origin::internal, "admin_listener", std::move(detail), Retry::never};
}

/// Best effort, without waiting: the socket's buffer takes this much.
void turn_away(tcp::socket& socket) {
    static constexpr std::string_view kAnswer =
        "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\n"
        "Content-Length: 34\r\nConnection: close\r\n\r\n{\"message\":\"Too many connections\"}";
    error_code ignored;
    socket.non_blocking(true, ignored);
    socket.write_some(asio::buffer(kAnswer), ignored);
    socket.shutdown(tcp::socket::shutdown_send, ignored);
}

void accept(const std::shared_ptr<Shared>& shared) {
    shared->acceptor.async_accept([shared](error_code why, tcp::socket socket) {
        if (shared->stopped || why == asio::error::operation_aborted) return;
        if (why) {
            shared->pause.expires_after(kPauseWithoutDescriptors);
            shared->pause.async_wait([shared](error_code stopped) {
                if (!stopped && !shared->stopped) accept(shared);
            });
            return;
        }
        if (shared->sessions.size() >= shared->limits.connections) {
            turn_away(socket);
        } else {
            serve_connection(shared, std::move(socket));
        }
        accept(shared);
    });
}

error_code listen(tcp::acceptor& acceptor, const tcp::endpoint& at) {
    error_code why;
    if (acceptor.open(at.protocol(), why); why) return why;
    if (acceptor.set_option(tcp::acceptor::reuse_address(true), why); why) return why;
    if (acceptor.bind(at, why); why) return why;
    acceptor.listen(asio::socket_base::max_listen_connections, why);
    return why;
}

}  // namespace

struct Server::Core : Shared {
    using Shared::Shared;
    bool is_loopback = true;
};

Result<std::unique_ptr<Server>> Server::start(asio::io_context& io, const config::Admin& settings,
                                              Hooks hooks, ServerLimits limits) {
    error_code why;
    const auto address = asio::ip::make_address(
        settings.address == "localhost" ? "127.0.0.1" : settings.address, why);
    if (why) return failure("admin address " + settings.address + " is not an IP address");
    if (!address.is_loopback() && settings.token.empty()) {
        return failure("admin address " + settings.address +
                       " is reachable from outside and needs a token");
    }
    auto core = std::make_shared<Core>(io, std::move(hooks), limits);
    core->is_loopback = address.is_loopback();
    core->set_token(settings.token);
    why = listen(core->acceptor, tcp::endpoint{address, settings.port});
    if (why) {
        return failure("cannot listen on " + settings.address + ":" +
                       std::to_string(settings.port) + ": " + why.message());
    }
    accept(core);
    return std::unique_ptr<Server>{new Server{std::move(core)}};
}

Server::~Server() { stop(); }

std::uint16_t Server::port() const {
    error_code ignored;
    return core_->acceptor.local_endpoint(ignored).port();
}

bool Server::set_token(const std::string& token) {
    if (token.empty() && !core_->is_loopback) return false;
    core_->set_token(token);
    return true;
}

void Server::stop() {
    core_->stopped = true;
    error_code ignored;
    core_->acceptor.close(ignored);
    core_->pause.cancel();
    // Closing runs no callback from within, so the set stays as it is meanwhile.
    for (Session* const session : core_->sessions)
        close_connection(*session);
}

}  // namespace sluice::admin
