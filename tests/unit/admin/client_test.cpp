// SPDX-License-Identifier: Apache-2.0
#include "admin/client.hpp"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <thread>

namespace sluice::admin {
namespace {

using namespace std::chrono_literals;
namespace asio = boost::asio;
using asio::ip::tcp;

/// Accepts one connection, reads one head, writes what it was told.
class OneAnswer {
public:
    explicit OneAnswer(std::string answer, bool hold = false)
        : thread_{[this, answer = std::move(answer), hold] {
              tcp::socket socket = acceptor_.accept();
              asio::read_until(socket, asio::dynamic_buffer(request), "\r\n\r\n");
              boost::system::error_code ignored;
              asio::write(socket, asio::buffer(answer), ignored);
              char byte = 0;
              if (hold) socket.read_some(asio::buffer(&byte, 1), ignored);
          }} {}
    ~OneAnswer() { join(); }
    void join() {
        if (thread_.joinable()) thread_.join();
    }
    std::string url(const std::string& path = {}) const {
        return "http://127.0.0.1:" + std::to_string(acceptor_.local_endpoint().port()) + path;
    }
    std::string request{};

private:
    asio::io_context io_;
    tcp::acceptor acceptor_{io_, tcp::endpoint{asio::ip::address_v4::loopback(), 0}};
    std::thread thread_;
};

TEST(AdminUrl, ReadsHostPortAndPath) {
    const auto text = [](std::string_view url) {
        const auto u = parse_admin_url(url);
        return u ? u->authority() + u->path : std::string{u.error().code};
    };
    EXPECT_EQ(text("http://127.0.0.1:9901"), "127.0.0.1:9901");
    EXPECT_EQ(text("HTTP://localhost"), "localhost:80");
    EXPECT_EQ(text("http://[::1]:9901/"), "[::1]:9901");
    EXPECT_EQ(text("http://[::1]"), "[::1]:80");
    EXPECT_EQ(text("http://gw:1/admin/"), "gw:1/admin");
    for (const char* const bad :
         {"", "127.0.0.1:9901", "https://x", "http://", "http://:80", "http://x:", "http://x:0",
          "http://x:65536", "http://x:8x", "http://u@x", "http://x?y", "http://x#y", "http://[::1",
          "http://[]:1", "http://[::1]x", "http://x y", "http://x\r\nA: b"}) {
        EXPECT_EQ(text(bad), "bad_url") << bad;
    }
}

TEST(AdminClient, SendsOneRequestAndReadsItsAnswer) {
    OneAnswer server{"HTTP/1.1 503 No\r\nContent-Length: 4\r\n\r\nbusy"};
    const auto a = send("POST", server.url("/prefix/"), "/reload?x=1", {.token = "sesame"});
    server.join();
    ASSERT_TRUE(a) << a.error().detail;
    EXPECT_EQ(a->status, 503);
    EXPECT_EQ(a->body, "busy");
    EXPECT_EQ(server.request.substr(0, 36), "POST /prefix/reload?x=1 HTTP/1.1\r\nHo");
    EXPECT_NE(server.request.find("Authorization: Bearer sesame\r\n"), std::string::npos);
}

TEST(AdminClient, ReadsHeadWithoutABody) {
    OneAnswer server{"HTTP/1.1 200 OK\r\nContent-Length: 400\r\n\r\n", true};
    const auto a = send("HEAD", server.url(), "/healthz");
    ASSERT_TRUE(a) << a.error().detail;
    EXPECT_EQ(a->status, 200);
}

TEST(AdminClient, GivesUpInTime) {
    OneAnswer server{"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbu", true};
    const auto a = get(server.url(), "/healthz", {.timeout = 50ms});
    ASSERT_FALSE(a);
    EXPECT_EQ(a.error().code, "timeout");
}

TEST(AdminClient, SaysWhatKeptTheAnswerFromComing) {
    std::string nobody;
    {
        asio::io_context io;
        const tcp::acceptor gone{io, tcp::endpoint{asio::ip::address_v4::loopback(), 0}};
        nobody = "http://127.0.0.1:" + std::to_string(gone.local_endpoint().port());
    }
    const auto refused = get(nobody, "/healthz");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, "no_answer");
    EXPECT_NE(refused.error().detail.find("Connection refused"), std::string::npos);

    OneAnswer cut{"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbu"};
    EXPECT_FALSE(get(cut.url(), "/healthz")) << "half an answer is none";
    OneAnswer long_answer{"HTTP/1.1 200 OK\r\nContent-Length: 40\r\n\r\n"};
    EXPECT_FALSE(get(long_answer.url(), "/healthz", {.max_body = 10}));
    EXPECT_EQ(get("http://x", "/", {.token = "a\r\nb"}).error().code, "bad_token");
    EXPECT_EQ(get("http://bad name:1", "/").error().code, "bad_url");
}

TEST(PercentEncode, LeavesOnlyUnreservedCharacters) {
    EXPECT_EQ(percent_encode("aZ09-._~"), "aZ09-._~");
    EXPECT_EQ(percent_encode("a b&c=d/\xff\r\n"), "a%20b%26c%3Dd%2F%FF%0D%0A");
}

}  // namespace
}  // namespace sluice::admin
