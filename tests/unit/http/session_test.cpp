// SPDX-License-Identifier: Apache-2.0
#include "http/session.hpp"

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

#include "unit/http/test_server.hpp"

namespace sluice::http {
namespace {

using std::chrono::seconds;
using ::test::Peer;

std::string get(const std::string& target, const std::string& fields = {}) {
    return "GET " + target + " HTTP/1.1\r\nHost: h\r\n" + fields + "\r\n";
}
std::string post(const std::string& length, const std::string& body) {
    return "POST /p HTTP/1.1\r\nHost: h\r\n" + length + "\r\n\r\n" + body;
}

class SessionTest : public testing::Test {
protected:
    std::uint64_t count(const telemetry::Counter& c) {
        return server_.thread.run([&] { return c.value(); });
    }
    telemetry::WorkerCells& cells() { return server_.handler.counted; }
    config::Timeouts& timeouts() { return server_.handler.session.timeouts; }
    TestServer server_;
};

TEST_F(SessionTest, AnswersOneRequestAfterTheOtherOnAKeptConnection) {
    Peer client = server_.connect();
    for (const auto* target : {"/a", "/b", "/c"}) {
        client.send(get(target));
        EXPECT_EQ(client.read_message(), answered(200, std::string{"GET "} + target));
    }
    EXPECT_EQ(count(cells().connections), 1U);
    client.close();
    EXPECT_TRUE(server_.ends());
    EXPECT_EQ(count(cells().connections), 0U);
}

TEST_F(SessionTest, AnswersPipelinedRequestsInOrder) {
    Peer client = server_.connect(get("/1") + post("Content-Length: 2", "xy") + get("/3"));
    client.finish_writing();
    EXPECT_EQ(client.read_all(),
              answered(200, "GET /1") + answered(200, "POST /p xy") + answered(200, "GET /3"));
}

TEST_F(SessionTest, ReadsAHeadThatComesByteByByte) {
    Peer client = server_.connect();
    for (const char c : get("/slow"))
        client.send({&c, 1});
    EXPECT_EQ(client.read_message(), answered(200, "GET /slow"));
}

TEST_F(SessionTest, ReadsAChunkedBodyAndTheRequestBehindIt) {
    Peer client = server_.connect(
        post("Transfer-Encoding: chunked", "2\r\nab\r\n1\r\nc\r\n0\r\n\r\n") + get("/next"));
    EXPECT_EQ(client.read_message(), answered(200, "POST /p abc"));
    EXPECT_EQ(client.read_message(), answered(200, "GET /next"));
}

TEST_F(SessionTest, InvitesTheBodyOfAClientThatWaits) {
    Peer client = server_.connect(post("Expect: 100-continue\r\nContent-Length: 3", ""));
    EXPECT_EQ(client.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
    client.send("abc");
    EXPECT_EQ(client.read_message(), answered(200, "POST /p abc"));
    client.send(get("/"));
    EXPECT_EQ(client.read_message(), answered(200, "GET /"));
}

TEST_F(SessionTest, ClosesWhenAnInvitedBodyWasNeverAskedFor) {
    server_.handler.script = [](Request&, Stream& s) -> Task<void> {
        answer(s, 403, "no");
        co_return;
    };
    Peer client = server_.connect(post("Expect: 100-continue\r\nContent-Length: 3", ""));
    EXPECT_EQ(client.read_all(), answered(403, "no"));
    EXPECT_EQ(client.end(), Peer::End::fin);
}

TEST_F(SessionTest, ClosesWhenTheClientSaysSo) {
    Peer client = server_.connect(get("/", "Connection: close\r\n") + get("/ignored"));
    EXPECT_EQ(client.read_all(), answered(200, "GET /", false));
    EXPECT_EQ(client.end(), Peer::End::fin);
}

TEST_F(SessionTest, ClosesAfterAnHttp10RequestUnlessItIsToBeKept) {
    Peer once = server_.connect("GET / HTTP/1.0\r\n\r\n");
    EXPECT_EQ(once.read_all(), answered(200, "GET /", false));
    Peer kept = server_.connect("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    EXPECT_EQ(kept.read_message(), answered(200, "GET /"));
    kept.send(get("/2"));
    EXPECT_EQ(kept.read_message(), answered(200, "GET /2"));
}

TEST_F(SessionTest, AnswersAHeadThatDoesNotArriveInTimeWith408) {
    timeouts().header = seconds{0};
    Peer client = server_.connect("GET / HTTP/1.1\r\nHo");
    EXPECT_EQ(client.read_all(), answered(408, "head_timeout", false));
    EXPECT_EQ(client.end(), Peer::End::fin);
}

TEST_F(SessionTest, ClosesAConnectionThatNeverSpeaks) {
    timeouts().header = seconds{0};
    Peer client = server_.connect();
    EXPECT_EQ(client.read_all(), "");
    EXPECT_EQ(client.end(), Peer::End::fin);
}

TEST_F(SessionTest, ClosesAKeptConnectionThatStaysIdle) {
    timeouts().keep_alive = seconds{0};
    Peer client = server_.connect(get("/"));
    EXPECT_EQ(client.read_all(), answered(200, "GET /"));
    EXPECT_EQ(client.end(), Peer::End::fin);
    EXPECT_TRUE(server_.ends());
}

TEST_F(SessionTest, RefusesWhatIsNotARequestAndLetsTheRefusalBeRead) {
    Peer client = server_.connect();
    // More than the refusal needs to be decided: closing at once would reset the connection.
    client.send("NOT HTTP\r\n\r\n" + std::string(200'000, 'x'));
    EXPECT_EQ(client.read_all(), answered(400, "no_version", false));
    EXPECT_EQ(client.end(), Peer::End::fin);
    EXPECT_EQ(server_.handler.requests, 0);
}

TEST_F(SessionTest, RefusesAHeadBeyondItsLimit) {
    server_.handler.session.head.head_bytes = 1000;
    Peer client = server_.connect(get("/", "A: " + std::string(2000, 'a') + "\r\n"));
    EXPECT_EQ(client.read_all(), answered(431, "head_too_large", false));
}

TEST_F(SessionTest, RefusesBytesWithoutALineEndBeyondTheLimit) {
    server_.handler.session.head = {.head_bytes = 1000, .target_bytes = 500, .fields = 10};
    Peer client = server_.connect("GET /" + std::string(5000, 'a'));
    EXPECT_EQ(client.read_all(), answered(414, "target_too_long", false));
}

TEST_F(SessionTest, AnswersARequestBeforeItRefusesTheNext) {
    Peer client = server_.connect(get("/good") + "\x01\r\n\r\n");
    EXPECT_EQ(client.read_message(), answered(200, "GET /good"));
    EXPECT_EQ(client.read_all(), answered(400, "bad_method", false));
}

TEST_F(SessionTest, DropsABodyNobodyReadAndGoesOn) {
    server_.handler.script = [](Request& request, Stream& s) -> Task<void> {
        answer(s, 200, std::string{request.head.target});
        co_return;
    };
    Peer client = server_.connect(post("Content-Length: 50000", std::string(30'000, 'x')));
    EXPECT_EQ(client.read_message(), answered(200, "/p"));
    client.send(std::string(20'000, 'x') + get("/next"));
    EXPECT_EQ(client.read_message(), answered(200, "/next"));
}

TEST_F(SessionTest, ClosesRatherThanDropALargeBody) {
    server_.handler.script = [](Request&, Stream& s) -> Task<void> {
        answer(s, 200, "early");
        co_return;
    };
    Peer client = server_.connect();
    client.send(post("Content-Length: 9000000", std::string(200'000, 'x')));
    EXPECT_EQ(client.read_all(), answered(200, "early"));
    EXPECT_EQ(client.end(), Peer::End::fin);
}

TEST_F(SessionTest, EndsWhenTheClientGoesAwayInTheMiddleOfARequest) {
    Peer client = server_.connect(post("Content-Length: 100", "half"));
    ASSERT_TRUE(server_.thread.until([&] { return cells().requests_in_flight.value() == 1; }));
    client.reset();
    EXPECT_TRUE(server_.ends());
    EXPECT_EQ(count(cells().requests_in_flight), 0U);
}

TEST_F(SessionTest, EndsWhenTheClientGoesAwayInTheMiddleOfAHead) {
    Peer client = server_.connect("GET / HT");
    client.close();
    EXPECT_TRUE(server_.ends());
}

TEST_F(SessionTest, ResetsAClientThatDoesNotReadItsAnswer) {
    timeouts().write_idle = seconds{0};
    server_.handler.script = [](Request&, Stream& s) -> Task<void> {
        answer(s, 200, std::string(64 << 20, 'x'));
        co_return;
    };
    Peer client = server_.connect(get("/"));
    ASSERT_TRUE(server_.ends());
    EXPECT_LT(client.read_all().size(), std::size_t{64} << 20);
    EXPECT_EQ(client.end(), Peer::End::reset);
}

TEST_F(SessionTest, WaitsForAClientThatReadsSlowly) {
    server_.handler.script = [](Request&, Stream& s) -> Task<void> {
        answer(s, 200, std::string(16 << 20, 'x'));
        co_return;
    };
    Peer client = server_.connect(get("/"));
    EXPECT_EQ(client.read_message(), answered(200, std::string(16 << 20, 'x')));
}

TEST_F(SessionTest, ResetsTheConnectionWhenTheHandlerAborts) {
    server_.handler.script = [](Request&, Stream& s) -> Task<void> {
        s.start_response(200, Framing::length);
        s.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n", "half", false);
        s.abort();
        co_return;
    };
    Peer client = server_.connect(get("/"));
    client.read_all();
    EXPECT_EQ(client.end(), Peer::End::reset);
}

TEST_F(SessionTest, SurvivesAHandlerThatThrows) {
    server_.handler.script = [](Request&, Stream&) -> Task<void> {
        throw std::runtime_error("broken invariant");
        co_return;
    };
    Peer client = server_.connect(get("/"));
    EXPECT_EQ(client.read_all(), "");
    EXPECT_TRUE(server_.ends());
    EXPECT_EQ(count(cells().requests_in_flight), 0U);
    server_.handler.script = echo;
    Peer next = server_.connect(get("/"));
    EXPECT_EQ(next.read_message(), answered(200, "GET /"));
}

TEST_F(SessionTest, EndsIdleConnectionsAtOnceWhenDrained) {
    Peer idle = server_.connect();
    idle.send(get("/"));
    EXPECT_EQ(idle.read_message(), answered(200, "GET /"));
    server_.thread.run([&] { server_.sessions.drain(); });
    EXPECT_EQ(idle.read_all(), "");
    EXPECT_EQ(idle.end(), Peer::End::fin);
}

TEST_F(SessionTest, FinishesTheRequestUnderWayWhenDrained) {
    Peer busy = server_.connect(post("Content-Length: 3", "a"));
    ASSERT_TRUE(server_.thread.until([&] { return cells().requests_in_flight.value() == 1; }));
    server_.thread.run([&] { server_.sessions.drain(); });
    busy.send("bc");
    EXPECT_TRUE(busy.read_message().ends_with("POST /p abc"));
    EXPECT_EQ(busy.read_all(), "");
    EXPECT_EQ(busy.end(), Peer::End::fin);
}

TEST_F(SessionTest, TellsTheClientToCloseWhenARequestComesWhileDraining) {
    Peer early = server_.connect("GET / HTTP/1.1\r\n");
    ASSERT_TRUE(server_.thread.until([&] { return server_.sessions.size() == 1; }));
    server_.thread.run([&] { server_.sessions.drain(); });
    early.send("Host: h\r\n\r\n");
    const std::string answer = early.read_all();
    EXPECT_EQ(answer, answered(200, "GET /", false));
    EXPECT_TRUE(server_.ends());
}

TEST_F(SessionTest, EndsEverySessionWhenCancelled) {
    Peer idle = server_.connect();
    Peer half = server_.connect("GET /");
    Peer busy = server_.connect(post("Content-Length: 3", "a"));
    ASSERT_TRUE(server_.thread.until([&] { return cells().requests_in_flight.value() == 1; }));
    server_.thread.run([&] { server_.sessions.cancel_all(); });
    EXPECT_TRUE(server_.ends());
    for (Peer* client : {&idle, &half, &busy})
        EXPECT_EQ(client->read_all(), "");
}

TEST_F(SessionTest, GivesUpAnIdleConnectionOnRequest) {
    EXPECT_FALSE(server_.thread.run([&] { return server_.sessions.close_one_idle(); }));
    Peer busy = server_.connect(post("Content-Length: 3", "a"));
    ASSERT_TRUE(server_.thread.until([&] { return cells().requests_in_flight.value() == 1; }));
    EXPECT_FALSE(server_.thread.run([&] { return server_.sessions.close_one_idle(); }));
    Peer idle = server_.connect();
    ASSERT_TRUE(server_.thread.until([&] { return server_.sessions.size() == 2; }));
    // Not at once: a connection must have been idle for a moment.
    EXPECT_TRUE(server_.thread.until([&] { return server_.sessions.close_one_idle(); }));
    EXPECT_EQ(idle.read_all(), "");
    busy.send("bc");
    EXPECT_EQ(busy.read_message(), answered(200, "POST /p abc"));
}

TEST_F(SessionTest, CountsTheBytesOfHeadsAndBodies) {
    const std::string request = post("Content-Length: 3", "abc");
    Peer client = server_.connect(request);
    const std::string response = client.read_message();
    client.close();
    ASSERT_TRUE(server_.ends());
    EXPECT_EQ(count(cells().sent_bytes), response.size());
    EXPECT_EQ(count(cells().received_bytes), request.size());
}

}  // namespace
}  // namespace sluice::http
