// SPDX-License-Identifier: Apache-2.0
//
// The backend of the quickstart: a pet shop of three pets that knows nothing about the gateway.
//   demo_backend [--port 9001] [--verbose]
// GET /pets[?type=dog]  GET /pets/{id}  POST /pets  GET /time  GET /slow  GET /headers
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;
using nlohmann::json;
using namespace std::chrono_literals;
using Request = http::request<http::string_body>;
using Response = http::response<http::string_body>;

constexpr auto kSlowAnswer = 2s;

struct Options {
    std::uint16_t port = 9001;
    bool verbose = false;
};

const json& pets() {
    static const json all = json::array({{{"id", 1}, {"type", "dog"}, {"name", "Rex"}},
                                         {{"id", 2}, {"type", "cat"}, {"name", "Tom"}},
                                         {{"id", 3}, {"type", "dog"}, {"name", "Laika"}}});
    return all;
}

/// Value of `name=` in a query without escapes, which is all this shop understands.
std::string_view query_value(std::string_view query, std::string_view name) {
    while (!query.empty()) {
        const std::string_view pair = query.substr(0, query.find('&'));
        if (pair.starts_with(name) && pair.substr(name.size()).starts_with('='))
            return pair.substr(name.size() + 1);
        query.remove_prefix(std::min(query.size(), pair.size() + 1));
    }
    return {};
}

Response answer(const Request& request, http::status status, const json& body) {
    Response response{status, request.version()};
    response.set(http::field::content_type, "application/json");
    response.body() = body.dump() + "\n";
    return response;
}

Response not_found(const Request& request) {
    return answer(request, http::status::not_found, {{"error", "no such thing here"}});
}

Response list_pets(const Request& request, std::string_view type) {
    json found = json::array();
    for (const json& pet : pets())
        if (type.empty() || pet["type"] == type) found.push_back(pet);
    return answer(request, http::status::ok, found);
}

Response one_pet(const Request& request, std::string_view id) {
    for (const json& pet : pets())
        if (std::to_string(pet["id"].get<int>()) == id)
            return answer(request, http::status::ok, pet);
    return not_found(request);
}

Response new_pet(const Request& request) {
    const json pet = json::parse(request.body(), nullptr, false);
    if (pet.is_discarded())
        return answer(request, http::status::bad_request, {{"error", "that is not JSON"}});
    return answer(request, http::status::created, pet);
}

Response show_time(const Request& request) {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return answer(
        request, http::status::ok,
        {{"epochMicros", std::chrono::duration_cast<std::chrono::microseconds>(now).count()}});
}

Response show_headers(const Request& request) {
    json headers = json::object();
    for (const auto& field : request)
        headers[std::string{field.name_string()}] = field.value();
    return answer(request, http::status::ok, headers);
}

Response respond(const Request& request) {
    const std::string_view target{request.target().data(), request.target().size()};
    const std::string_view path = target.substr(0, target.find('?'));
    const std::string_view query =
        path.size() == target.size() ? std::string_view{} : target.substr(path.size() + 1);
    const bool get = request.method() == http::verb::get;

    if (path == "/pets" && get) return list_pets(request, query_value(query, "type"));
    if (path == "/pets" && request.method() == http::verb::post) return new_pet(request);
    if (path.starts_with("/pets/") && get) return one_pet(request, path.substr(6));
    if (path == "/time" && get) return show_time(request);
    if (path == "/slow" && get) return answer(request, http::status::ok, {{"slow", true}});
    if (path == "/headers") return show_headers(request);
    return not_found(request);
}

asio::awaitable<void> serve(tcp::socket socket, bool verbose) {
    beast::tcp_stream stream{std::move(socket)};
    beast::flat_buffer buffer;
    boost::system::error_code error;
    for (;;) {
        Request request;
        co_await http::async_read(stream, buffer, request,
                                  asio::redirect_error(asio::use_awaitable, error));
        if (error) break;
        if (verbose) {
            std::printf("%s %s\n", std::string{request.method_string()}.c_str(),
                        std::string{request.target()}.c_str());
            std::fflush(stdout);
        }
        if (request.target().starts_with("/slow")) {
            asio::steady_timer timer{stream.get_executor(), kSlowAnswer};
            co_await timer.async_wait(asio::use_awaitable);
        }
        Response response = respond(request);
        response.keep_alive(request.keep_alive());
        response.prepare_payload();
        co_await http::async_write(stream, response,
                                   asio::redirect_error(asio::use_awaitable, error));
        if (error || response.need_eof()) break;
    }
    stream.socket().shutdown(tcp::socket::shutdown_both, error);
}

asio::awaitable<void> accept_clients(tcp::acceptor acceptor, bool verbose) {
    for (;;) {
        tcp::socket socket = co_await acceptor.async_accept(asio::use_awaitable);
        co_spawn(acceptor.get_executor(), serve(std::move(socket), verbose), asio::detached);
    }
}

std::optional<Options> read_options(int count, char** words) {
    Options options;
    for (int i = 1; i < count; ++i) {
        const std::string_view word = words[i];
        if (word == "--verbose") {
            options.verbose = true;
        } else if (word == "--port" && i + 1 < count) {
            const std::string_view text = words[++i];
            const auto end = text.data() + text.size();
            if (std::from_chars(text.data(), end, options.port).ptr != end) return std::nullopt;
        } else {
            return std::nullopt;
        }
    }
    return options;
}

int run(const Options& options) {
    asio::io_context io{1};
    tcp::acceptor acceptor{io, {asio::ip::make_address("127.0.0.1"), options.port}};
    std::printf("demo backend on http://127.0.0.1:%u\n", acceptor.local_endpoint().port());
    std::fflush(stdout);
    asio::signal_set stop{io, SIGINT, SIGTERM};
    stop.async_wait([&io](const boost::system::error_code&, int) { io.stop(); });
    co_spawn(io, accept_clients(std::move(acceptor), options.verbose), asio::detached);
    io.run();
    return 0;
}

}  // namespace

int main(int count, char** words) {
    const std::optional<Options> options = read_options(count, words);
    if (!options) {
        std::fputs("usage: demo_backend [--port N] [--verbose]\n", stderr);
        return 2;
    }
    try {
        return run(*options);
    } catch (const std::exception& e) {
        std::fprintf(stderr, "demo_backend: %s\n", e.what());
        return 1;
    }
}
