// SPDX-License-Identifier: Apache-2.0
#include "admin/server.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <future>
#include <mutex>
#include <thread>

#include "admin/client.hpp"

namespace sluice::admin {
namespace {

using namespace std::chrono_literals;

/// A plain socket towards the server.
class Wire {
public:
    explicit Wire(std::uint16_t port) : fd_{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)} {
        sockaddr_in to{};
        to.sin_family = AF_INET;
        to.sin_port = htons(port);
        to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        const timeval patience{10, 0};
        ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        connected_ = ::connect(fd_, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0;
    }
    ~Wire() { ::close(fd_); }
    Wire(const Wire&) = delete;
    Wire& operator=(const Wire&) = delete;

    bool connected() const { return connected_; }
    void write(const std::string& bytes) { ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL); }
    /// Everything up to the end of the connection, or nothing more when `until` was seen.
    std::string read(const std::string& until = {}) {
        std::string out;
        char bytes[4096];
        while (until.empty() || out.find(until) == out.npos) {
            const auto n = ::recv(fd_, bytes, sizeof bytes, 0);
            if (n <= 0) break;
            out.append(bytes, static_cast<std::size_t>(n));
        }
        return out;
    }
    void half_close() { ::shutdown(fd_, SHUT_WR); }

private:
    int fd_;
    bool connected_ = false;
};

class ServerTest : public ::testing::Test {
protected:
    ~ServerTest() override { stop(); }

    void start(config::Admin admin = {}, ServerLimits limits = {}) {
        admin.port = 0;
        hooks_.audit = [this](const std::string& line) {
            const std::lock_guard lock{mutex_};
            audit_.push_back(line);
        };
        auto server = Server::start(io_, admin, hooks_, limits);
        ASSERT_TRUE(server) << server.error().detail;
        server_ = std::move(*server);
        port_ = server_->port();
        url_ = "http://127.0.0.1:" + std::to_string(port_);
        thread_ = std::thread{[this] { io_.run(); }};
    }
    void stop() {
        if (!thread_.joinable()) return;
        boost::asio::post(io_, [this] {
            server_.reset();
            work_.reset();
        });
        thread_.join();
    }
    /// Runs something on the server's thread.
    template <class F>
    void on_server(F work) {
        std::promise<void> done;
        boost::asio::post(io_, [&] {
            work();
            done.set_value();
        });
        done.get_future().wait();
    }
    int status(const std::string& method, const std::string& target,
               const std::string& token = {}) {
        const auto a = send(method, url_, target, {.token = token});
        return a ? a->status : -1;
    }
    std::string raw(const std::string& bytes) {
        Wire wire{port_};
        wire.write(bytes);
        return wire.read();
    }
    std::vector<std::string> audit() {
        const std::lock_guard lock{mutex_};
        return audit_;
    }

    Hooks hooks_{.metrics = [] { return "up 1\n"; },
                 .reload = [](auto done) { done({.ok = true}); },
                 .flush_cache = [](std::string_view api, std::string_view) { return api == "a"; }};
    boost::asio::io_context io_{1};
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{
        io_.get_executor()};
    std::unique_ptr<Server> server_;
    std::uint16_t port_ = 0;
    std::string url_;
    std::thread thread_;
    std::mutex mutex_;
    std::vector<std::string> audit_;
};

TEST_F(ServerTest, AnswersOverAConnectionThatStaysOpen) {
    start();
    Wire wire{port_};
    wire.write("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
    const auto first = wire.read("up 1\n");
    EXPECT_EQ(first.substr(0, 17), "HTTP/1.1 200 OK\r\n");
    EXPECT_NE(first.find("Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"),
              std::string::npos);
    EXPECT_NE(first.find("Content-Length: 5\r\n"), std::string::npos);
    EXPECT_NE(first.find("Date: "), std::string::npos);
    wire.write("GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    const auto second = wire.read();
    EXPECT_NE(second.find("\r\n\r\n{\"status\":\"ok\"}"), std::string::npos);
    EXPECT_NE(second.find("Connection: close\r\n"), std::string::npos);
}

TEST_F(ServerTest, AnswersPipelinedRequestsInOrder) {
    start();
    const auto out =
        raw("POST /reload HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}"
            "GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    const auto reload = out.find("reloaded");
    const auto metrics = out.find("up 1");
    ASSERT_NE(reload, std::string::npos);
    ASSERT_NE(metrics, std::string::npos);
    EXPECT_LT(reload, metrics);
}

TEST_F(ServerTest, HeadHasTheHeaderOfGetAndNoBody) {
    start();
    const auto out = raw("HEAD /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    EXPECT_NE(out.find("Content-Length: 5\r\n"), std::string::npos);
    EXPECT_TRUE(out.ends_with("\r\n\r\n"));
}

TEST_F(ServerTest, AcceptedAnswersHaveNoBody) {
    start();
    const auto out = raw(
        "DELETE /restapis/a/stages/b/cache/data HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    EXPECT_EQ(out.substr(0, 12), "HTTP/1.1 202");
    EXPECT_NE(out.find("Content-Length: 0\r\n"), std::string::npos);
    EXPECT_TRUE(out.ends_with("\r\n\r\n"));
    EXPECT_EQ(status("DELETE", "/restapis/b/stages/b/cache/data"), 404);
}

TEST_F(ServerTest, AsksForTheTokenEverywhereButHealth) {
    start({.token = "sesame"});
    EXPECT_EQ(status("GET", "/healthz"), 200);
    EXPECT_EQ(status("GET", "/readyz"), 200);
    EXPECT_EQ(status("GET", "/metrics"), 401);
    EXPECT_EQ(status("GET", "/nothing"), 401) << "strangers learn nothing of the paths";
    EXPECT_EQ(status("POST", "/reload"), 401);
    EXPECT_EQ(status("GET", "/metrics", "sesam"), 401);
    EXPECT_EQ(status("GET", "/metrics", "sesame2"), 401);
    EXPECT_EQ(status("GET", "/metrics", "SESAME"), 401);
    EXPECT_EQ(status("GET", "/metrics", "sesame"), 200);
    EXPECT_EQ(status("POST", "/reload", "sesame"), 200);
    const auto with = [&](const std::string& fields) {
        return raw("GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + fields + "\r\n")
            .substr(9, 3);
    };
    EXPECT_EQ(with("authorization: bearer sesame\r\n"), "200");
    EXPECT_EQ(with("Authorization: Basic sesame\r\n"), "401");
    EXPECT_EQ(with("Authorization: sesame\r\n"), "401");
    EXPECT_EQ(with("Authorization: Bearer\r\n"), "401");
    EXPECT_EQ(with("Authorization: Bearer sesame\r\nAuthorization: Bearer sesame\r\n"), "401");
    const auto refused = raw("GET /config HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    EXPECT_NE(refused.find("WWW-Authenticate: Bearer\r\n"), std::string::npos);
    EXPECT_NE(refused.find("{\"message\":\"Unauthorized\"}"), std::string::npos);
}

TEST_F(ServerTest, TakesANewToken) {
    start({.token = "old"});
    on_server([&] { EXPECT_TRUE(server_->set_token("new")); });
    EXPECT_EQ(status("GET", "/metrics", "old"), 401);
    EXPECT_EQ(status("GET", "/metrics", "new"), 200);
}

TEST_F(ServerTest, APageInABrowserChangesNothing) {
    start();
    const std::string origin =
        " HTTP/1.1\r\nHost: x\r\nOrigin: http://evil.example\r\n"
        "Connection: close\r\nContent-Length: 0\r\n\r\n";
    EXPECT_EQ(raw("POST /reload" + origin).substr(9, 3), "403");
    EXPECT_EQ(raw("GET /metrics" + origin).substr(9, 3), "200");
}

TEST_F(ServerTest, WritesAnAuditLinePerChange) {
    start({.token = "sesame"});
    status("GET", "/metrics", "sesame");
    status("POST", "/reload", "sesame");
    status("DELETE", "/restapis/x%0Astatus=200/stages/b/cache/data");
    raw("POST /\x7f\"\\x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    const auto lines = audit();
    ASSERT_GE(lines.size(), 2U);
    EXPECT_EQ(lines[0].substr(0, 23), "audit client=127.0.0.1:");
    EXPECT_NE(lines[0].find(" method=POST target=/reload status=200"), std::string::npos);
    EXPECT_NE(lines[1].find(" method=DELETE target=/restapis/x%0Astatus=200/stages/b/cache/data "
                            "status=401"),
              std::string::npos);
    for (const auto& line : lines) {
        for (const char c : line)
            EXPECT_TRUE(c >= ' ' && c < 0x7f && c != '"') << line;
    }
}

TEST_F(ServerTest, RefusesWhatItCannotRead) {
    start();
    for (const char* const bytes :
         {"GARBAGE\r\n\r\n", "GET /metrics HTTP/1.1\r\nno colon\r\n\r\n",
          "GET http://x/metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
          "GET /%zz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
          "POST /reload HTTP/1.1\r\nContent-Length: x\r\n\r\n"}) {
        const auto out = raw(bytes);
        EXPECT_EQ(out.substr(0, 12), "HTTP/1.1 400") << bytes;
        EXPECT_NE(out.find("{\"message\":\"Bad Request\"}"), std::string::npos);
        EXPECT_NE(out.find("Connection: close\r\n"), std::string::npos);
    }
    EXPECT_EQ(status("GET", "/healthz"), 200) << "and lives on";
}

TEST_F(ServerTest, LimitsHeadersAndBodies) {
    start();
    const std::string head = "POST /reload HTTP/1.1\r\nHost: x\r\n";
    const auto big_header = raw(head + "A: " + std::string(17 * 1024, 'a') + "\r\n\r\n");
    EXPECT_EQ(big_header.substr(9, 3), "431");
    EXPECT_EQ(raw(head + "Content-Length: 1048577\r\n\r\n").substr(9, 3), "413");
    const std::string limit(1024 * 1024, 'b');
    EXPECT_EQ(
        raw(head + "Connection: close\r\nContent-Length: 1048576\r\n\r\n" + limit).substr(9, 3),
        "200");
    // As chunks, where the length is known only when it is too late.
    const std::string chunk = "10000\r\n" + std::string(0x10000, 'c') + "\r\n";
    std::string chunked = head + "Transfer-Encoding: chunked\r\n\r\n";
    for (int i = 0; i < 17; ++i)
        chunked += chunk;
    EXPECT_EQ(raw(chunked + "0\r\n\r\n").substr(9, 3), "413");
}

TEST_F(ServerTest, DoesNotWaitForTheBodyOfAStranger) {
    start({.token = "sesame"});
    const auto out = raw("POST /reload HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n");
    EXPECT_EQ(out.substr(9, 3), "401");
    EXPECT_NE(out.find("Connection: close\r\n"), std::string::npos);
}

TEST_F(ServerTest, AnswersAtOnceWhoeverExpectsToContinue) {
    start();
    const auto out = raw(
        "POST /reload HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n");
    EXPECT_EQ(out.substr(9, 3), "200");
}

TEST_F(ServerTest, ClosesConnectionsThatSayNothing) {
    start({}, {.timeout = 50ms});
    Wire idle{port_};
    Wire half{port_};
    half.write("GET /met");
    EXPECT_EQ(idle.read(), "");
    EXPECT_EQ(half.read(), "");
    Wire kept{port_};
    kept.write("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_TRUE(kept.read().ends_with("{\"status\":\"ok\"}")) << "one answer, then the end";
}

TEST_F(ServerTest, TurnsAwayMoreConnectionsThanItHolds) {
    start({}, {.connections = 2});
    std::optional<Wire> first{port_};
    Wire second{port_};
    for (Wire* const wire : {&*first, &second}) {
        wire->write("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
        EXPECT_EQ(wire->read("}").substr(9, 3), "200");
    }
    Wire third{port_};
    const auto out = third.read();
    EXPECT_EQ(out.substr(9, 3), "503");
    EXPECT_TRUE(out.ends_with("{\"message\":\"Too many connections\"}"));
    first.reset();
    int again = 503;
    for (int i = 0; i < 1000 && again != 200; ++i)
        again = status("GET", "/healthz");
    EXPECT_EQ(again, 200) << "room again";
}

TEST_F(ServerTest, AReloadMayFinishOnAnotherThread) {
    std::thread other;
    hooks_.reload = [&](auto done) {
        other = std::thread{[done = std::move(done)] {
            done({.ok = false, .problems = {{.message = "no"}}});
            done({.ok = true});  // once is what counts
        }};
    };
    start();
    const auto a = send("POST", url_, "/reload");
    other.join();
    ASSERT_TRUE(a);
    EXPECT_EQ(a->status, 422);
    EXPECT_NE(a->body.find("\"message\":\"no\""), std::string::npos);
    EXPECT_EQ(status("GET", "/healthz"), 200);
}

TEST_F(ServerTest, NoHookIsCalledAfterItStopped) {
    std::function<void(ReloadResult)> finish;
    std::promise<void> reloading;
    hooks_.reload = [&](auto done) {
        finish = std::move(done);
        reloading.set_value();
    };
    start();
    Wire wire{port_};
    wire.write("POST /reload HTTP/1.1\r\nHost: x\r\n\r\nGET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
    reloading.get_future().wait();
    on_server([&] { server_->stop(); });
    EXPECT_EQ(wire.read(), "");
    on_server([&] {
        finish({.ok = true});
        finish = nullptr;
    });
    EXPECT_FALSE(Wire{port_}.connected());
    stop();
    EXPECT_TRUE(audit().empty());
}

TEST_F(ServerTest, StopsFromWithinAHook) {
    hooks_.reload = [this](auto done) {
        server_->stop();
        done({.ok = true});
    };
    start();
    EXPECT_EQ(raw("POST /reload HTTP/1.1\r\nHost: x\r\n\r\n"), "");
}

TEST(ServerStart, RefusesToBeOpenToTheWorld) {
    boost::asio::io_context io;
    const auto start = [&](config::Admin admin) -> std::string {
        admin.port = 0;
        const auto server = Server::start(io, admin, {});
        return server ? "ok" : server.error().detail;
    };
    EXPECT_EQ(start({.address = "0.0.0.0"}),
              "admin address 0.0.0.0 is reachable from outside and needs a token");
    EXPECT_EQ(start({.address = "0.0.0.0", .token = "t"}), "ok");
    EXPECT_EQ(start({.address = "127.0.0.2"}), "ok");
    EXPECT_EQ(start({.address = "localhost"}), "ok");
    EXPECT_EQ(start({.address = "nowhere"}), "admin address nowhere is not an IP address");
}

TEST(ServerStart, SaysThatThePortIsTaken) {
    boost::asio::io_context io;
    const auto first = Server::start(io, {.port = 0}, {});
    ASSERT_TRUE(first);
    const auto port = (*first)->port();
    EXPECT_NE(port, 0);
    const auto second = Server::start(io, {.port = port}, {});
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().detail,
              "cannot listen on 127.0.0.1:" + std::to_string(port) + ": Address already in use");
}

TEST(ServerStart, ATokenMayOnlyGoOnLoopback) {
    boost::asio::io_context io;
    const auto open = Server::start(io, {.address = "0.0.0.0", .port = 0, .token = "t"}, {});
    ASSERT_TRUE(open);
    EXPECT_FALSE((*open)->set_token(""));
    EXPECT_TRUE((*open)->set_token("u"));
    const auto local = Server::start(io, {.port = 0, .token = "t"}, {});
    EXPECT_TRUE((*local)->set_token(""));
}

}  // namespace
}  // namespace sluice::admin
