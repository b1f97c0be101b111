// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <set>
#include <thread>

#include "support/proxied.hpp"

namespace test {
namespace {

using namespace std::string_literals;

constexpr const char* kNetworkError = R"({"message":"Network error communicating with endpoint"})";
constexpr const char* kTimedOut = R"({"message":"Endpoint request timed out"})";

constexpr const char* kImpatient = R"(
restApis:
  - id: api
    resources:
      /{proxy+}: { ANY: { integration: { type: HTTP_PROXY, uri: "http://origin/{proxy}", timeoutInMillis: 300 } } }
stages: [ { restApiId: api, stageName: s } ]
backends: [ { name: origin, targets: [ { url: "${ORIGIN}" } ], connectTimeoutMillis: 200 } ]
)";

struct Fault {
    const char* name;
    std::function<Answer()> answer;
    int standard, aws;
    const char* body;
    const char* reason;  ///< label of sluice_upstream_errors_total; null = any
};

void PrintTo(const Fault& f, std::ostream* out) { *out << f.name; }

class UpstreamFault : public testing::TestWithParam<Fault> {};

TEST_P(UpstreamFault, IsAnsweredPerPersonality) {
    const Fault& fault = GetParam();
    for (const bool aws : {false, true}) {
        Proxied p{[&](const Received&) { return fault.answer(); },
                  aws ? "compatibility: aws\n" : "", kImpatient};
        const auto begin = Clock::now();
        const Response r = p.gateway.post("/s/x", "body");
        EXPECT_EQ(r.status, aws ? fault.aws : fault.standard);
        EXPECT_EQ(r.body, fault.body);
        EXPECT_EQ(r.header("x-amzn-ErrorType"), "InternalServerErrorException");
        EXPECT_LT(Clock::now() - begin, 2s);
        EXPECT_EQ(p.origin.count(), 1) << "a POST is sent once";
        EXPECT_TRUE(eventually([&] { return p.origin.open_connections() == 0; })) << "not pooled";
        EXPECT_EQ(p.gateway.metrics().sum("sluice_upstream_errors_total", {{"backend", "origin"}}),
                  1);
        EXPECT_EQ(p.gateway.metrics().sum("sluice_5xx_errors_total"), 1);
    }
}

Answer raw(const char* bytes) { return Answer::raw(bytes); }

INSTANTIATE_TEST_SUITE_P(
    All, UpstreamFault,
    testing::Values(
        Fault{"Reset", [] { return Answer::nothing().reset(); }, 502, 504, kNetworkError, nullptr},
        Fault{"CloseWithoutAnswer", [] { return Answer::nothing().close(); }, 502, 504,
              kNetworkError, nullptr},
        Fault{"HalfHead", [] { return raw("HTTP/1.1 200 OK\r\nConte").close(); }, 502, 504,
              kNetworkError, nullptr},
        Fault{"HalfHeadThenSilence", [] { return raw("HTTP/1.1 200 OK\r\nConte").hang(); }, 504,
              504, kTimedOut, nullptr},
        Fault{"Silence", [] { return Answer::nothing().hang(); }, 504, 504, kTimedOut, nullptr},
        Fault{"Garbage", [] { return raw("SSH-2.0-OpenSSH_9.2\r\n\r\n").hang(); }, 502, 504,
              kNetworkError, nullptr},
        Fault{"Http09", [] { return raw("<html>hello</html>").close(); }, 502, 504, kNetworkError,
              nullptr},
        Fault{"TwoLengths",
              [] {
                  return raw("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab")
                      .hang();
              },
              502, 504, kNetworkError, nullptr},
        Fault{"BothFramings",
              [] {
                  return raw("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: "
                             "chunked\r\n\r\n0\r\n\r\n")
                      .hang();
              },
              502, 504, kNetworkError, nullptr},
        Fault{"UnknownCoding",
              [] { return raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nx").hang(); }, 502,
              504, kNetworkError, nullptr},
        Fault{"BadStatus", [] { return raw("HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n").hang(); },
              502, 504, kNetworkError, nullptr},
        Fault{"NulInHead", [] { return Answer::raw("HTTP/1.1 200 OK\r\nX: a\0b\r\n\r\n"s).hang(); },
              502, 504, kNetworkError, nullptr},
        Fault{"SwitchingProtocols",
              [] {
                  return raw("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: "
                             "Upgrade\r\n\r\n")
                      .hang();
              },
              502, 504, kNetworkError, nullptr},
        Fault{"InterimThenClose", [] { return raw("HTTP/1.1 103 Early Hints\r\n\r\n").close(); },
              502, 504, kNetworkError, nullptr}),
    [](const auto& p) { return std::string{p.param.name}; });

TEST(Upstream, RefusedConnectionIsANetworkError) {
    for (const bool aws : {false, true}) {
        Gateway gateway{std::string{kImpatient} + (aws ? "compatibility: aws\n" : ""),
                        {{"ORIGIN", "http://127.0.0.1:" + std::to_string(closed_port())}}};
        const Response r = gateway.get("/s/x");
        EXPECT_EQ(r.status, aws ? 504 : 502);
        EXPECT_EQ(r.body, kNetworkError);
        EXPECT_GE(
            gateway.metrics().sum("sluice_upstream_errors_total", {{"reason", "connect_refused"}}),
            1);
    }
}

TEST(Upstream, ConnectionThatIsNeverAcceptedTimesOut) {
    // A full backlog drops the SYN: nothing answers, as behind a silent firewall.
    const Fd full = listen_on(0, "127.0.0.1", 0);
    std::vector<Fd> fill;
    fill.push_back(connect_to(local_port(full)));
    Gateway gateway{kImpatient,
                    {{"ORIGIN", "http://127.0.0.1:" + std::to_string(local_port(full))}}};
    const auto begin = Clock::now();
    std::vector<Response> answers;
    for (int i = 0; i < 3; ++i)
        answers.push_back(gateway.get("/s/x"));
    EXPECT_EQ(answers.back().status, 504);
    EXPECT_EQ(answers.back().body, kTimedOut);
    EXPECT_LT(Clock::now() - begin, 3s);
}

TEST(Upstream, ShortBodyIsVisiblyIncomplete) {
    struct Short {
        const char* head;
        const char* rest;  // what comes when the client has the first part
    };
    for (const Short& c : {Short{"Content-Length: 10\r\n\r\nhalf", ""},
                           Short{"Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n", ""},
                           Short{"Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n", "zz\r\n"},
                           Short{"Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n", "0\r\n"}}) {
        auto gate = std::make_shared<Gate>();
        Proxied p{[&](const Received&) {
            Answer answer = Answer::raw(std::string{"HTTP/1.1 200 OK\r\n"} + c.head);
            return answer.after(gate).then(c.rest).close();
        }};
        Client client = p.gateway.client();
        client.send(client.text_of("GET", "/s/x"));
        const Response r = client.read("GET", [&](std::string_view) { gate->open(); });
        EXPECT_EQ(r.status, 200);
        EXPECT_FALSE(r.complete) << c.head << c.rest;
    }
}

TEST(Upstream, BodyThatBreaksBeforeAnythingWasSentIsAnError) {
    Proxied p{[](const Received&) {
        return Answer::raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhalf\r\n")
            .close();
    }};
    const Response r = p.gateway.get("/s/x");
    EXPECT_TRUE(r.status == 502 || !r.complete);
}

TEST(Upstream, CloseDelimitedBodyIsCompleteOnlyWithAFin) {
    Proxied p{[](const Received& r) {
        Answer a = Answer::raw("HTTP/1.1 200 OK\r\n\r\n").then_repeat(100'000).after(20ms);
        return r.target == "/fin" ? a.close() : a.reset();
    }};
    const Response whole = p.gateway.get("/s/fin");
    EXPECT_TRUE(whole.complete);
    EXPECT_EQ(whole.body.size(), 100'000U);
    EXPECT_FALSE(p.gateway.get("/s/rst").complete);
}

TEST(Upstream, SilenceInTheMiddleOfABodyIsCut) {
    Proxied p{[](const Received&) {
                  return Answer::raw("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf").hang();
              },
              "", kImpatient};
    const auto begin = Clock::now();
    EXPECT_FALSE(p.gateway.get("/s/x").complete);
    EXPECT_LT(Clock::now() - begin, 2s);
}

TEST(Upstream, InterimAnswersAreNotFinal) {
    Proxied p{[](const Received&) {
        return Answer::raw(
                   "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n")
            .then(Answer::text_of(200, "final"));
    }};
    EXPECT_EQ(p.gateway.get("/s/x").body, "final");
}

TEST(Upstream, EarlyAnswerToAnUploadArrivesAndTheConnectionIsNotReused) {
    Origin origin{echo, {.on_head = [](const Received&) { return Answer::of(403, "no").hang(); }}};
    Gateway gateway{kProxyEverything, {{"ORIGIN", origin.url()}}};
    Client client = gateway.client();
    client.send(client.text_of("POST", "/s/x", {{"Content-Length", "1000000"}}) +
                std::string(1000, 'x'));
    const Response r = client.read();
    EXPECT_EQ(r.status, 403);
    EXPECT_EQ(r.body, "no");
    EXPECT_TRUE(eventually([&] { return origin.open_connections() == 0; }));
}

TEST(Upstream, ExtraBytesBehindAnAnswerNeverReachAnybody) {
    Proxied p{[](const Received& r) {
        if (r.target != "/evil") return Answer::of(200, r.target);
        // In one write: bytes that come after the connection has been used again are that
        // request's answer, for all that anybody can tell.
        return Answer::raw(
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n/evil"
            "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\npoisoned");
    }};
    EXPECT_EQ(p.gateway.get("/s/evil").body, "/evil");
    for (int i = 0; i < 5; ++i)
        EXPECT_EQ(p.gateway.get("/s/good").body, "/good");
}

TEST(Upstream, BytesOnAnIdleConnectionAreDropped) {
    Proxied p{[](const Received& r) {
        if (r.target != "/first") return Answer::of(200, "second");
        return Answer::of(200, "first")
            .after(30ms)
            .then("HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n")
            .close();
    }};
    EXPECT_EQ(p.gateway.get("/s/first").body, "first");
    ASSERT_TRUE(eventually([&] { return p.origin.open_connections() == 0; }));
    EXPECT_EQ(p.gateway.get("/s/second").body, "second");
}

TEST(Upstream, BodylessStatusWithBodyBytesDoesNotPoison) {
    Proxied p{[](const Received& r) {
        if (r.target == "/204")
            return Answer::raw("HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 200 OK\r\n\r\n");
        return Answer::of(200, "own");
    }};
    Client client = p.gateway.client();
    EXPECT_EQ(client.get("/s/204").status, 204);
    EXPECT_EQ(client.get("/s/x").body, "own");
}

/// The second request on any connection meets a peer that has just closed.
Answer stale(const Received& r) {
    if (r.on_connection == 1) return Answer::of(200, "fresh");
    return Answer::nothing().close();
}

TEST(Upstream, GetOnAStaleConnectionIsRetriedOnce) {
    Proxied p{stale};
    for (int i = 0; i < 5; ++i)
        EXPECT_EQ(p.gateway.get("/s/x").body, "fresh");
    EXPECT_EQ(p.origin.connections(), 5);
    EXPECT_EQ(p.origin.count(), 9);
}

TEST(Upstream, PostIsNeverSentTwice) {
    Proxied p{stale};
    EXPECT_EQ(p.gateway.post("/s/x", "1").status, 200);
    const Response second = p.gateway.post("/s/x", "2");
    // Either it went out on a fresh connection, or it failed; it was not sent twice.
    int sent = 0;
    for (const Received& r : p.origin.requests())
        sent += r.body == "2";
    EXPECT_EQ(sent, 1);
    EXPECT_TRUE(second.status == 200 || second.status == 502) << second.status;
}

TEST(Upstream, GetIsRetriedAtMostOnce) {
    Proxied p{[](const Received&) { return Answer::nothing().close(); }};
    EXPECT_EQ(p.gateway.get("/s/x").status, 502);
    EXPECT_LE(p.origin.count(), 2);
}

constexpr const char* kThree = R"(
restApis:
  - id: api
    resources:
      /{proxy+}: { ANY: { integration: { type: HTTP_PROXY, uri: "http://many/{proxy}" } } }
stages: [ { restApiId: api, stageName: s } ]
backends: [ { name: many, targets: [ { url: "${A}" }, { url: "${B}" }, { url: "${C}" } ] } ]
)";

TEST(Upstream, TargetsTakeTurns) {
    Origin a, b, c;
    Gateway gateway{kThree, {{"A", a.url()}, {"B", b.url()}, {"C", c.url()}}};
    for (int i = 0; i < 30; ++i)
        EXPECT_EQ(gateway.get("/s/x").status, 200);
    for (const Origin* origin : {&a, &b, &c})
        EXPECT_EQ(origin->count(), 10);
}

TEST(Upstream, RefusingTargetIsSkipped) {
    Origin a, b;
    const std::string dead = "http://127.0.0.1:" + std::to_string(closed_port());
    Gateway gateway{kThree, {{"A", a.url()}, {"B", dead}, {"C", b.url()}}};
    for (int i = 0; i < 20; ++i) {
        EXPECT_EQ(gateway.get("/s/x").status, 200);
        EXPECT_EQ(gateway.post("/s/x", "b").status, 200)
            << "nothing was delivered, so it may move on";
    }
    EXPECT_EQ(a.count() + b.count(), 40);
}

TEST(Upstream, HostIsTheTargetsOrTheClientsOnRequest) {
    Proxied p{
        echo, "",
        std::string{kImpatient}.replace(std::string{kImpatient}.find(", connectTimeoutMillis"), 0,
                                        ", preserveHost: true")};
    p.gateway.get("/s/x", {{"Host", "shop.example:81"}});
    EXPECT_EQ(p.origin.last().header("Host"), "shop.example:81");
}

TEST(Upstream, NamesAreResolved) {
    Origin origin;
    Gateway gateway{R"(
restApis: [ { id: api, resources: { /x: { GET: { integration: { type: HTTP_PROXY, uri: "http://localhost:${PORT}/x" } } },
                                    /y: { GET: { integration: { type: HTTP_PROXY, uri: "http://does-not-exist.invalid/" } } } } } ]
stages: [ { restApiId: api, stageName: s } ]
)",
                    {{"PORT", std::to_string(origin.port())}}};
    // Names are looked up beside the traffic; the first answer may come after the first request.
    EXPECT_TRUE(eventually([&] { return gateway.get("/s/x").status == 200; }, 2s));
    EXPECT_GE(gateway.get("/s/y").status, 500);
    EXPECT_EQ(gateway.get("/s/x").status, 200);
}

TEST(Upstream, EveryClientGetsItsOwnAnswerUnderFaults) {
    Proxied p{[](const Received& r) {
                  const int n = std::stoi(r.target.substr(1));
                  if (n % 7 == 0) return Answer::nothing().reset();
                  if (n % 11 == 0)
                      return Answer::raw("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nx").close();
                  return Answer::of(200, r.target);
              },
              "",
              kProxyEverything,
              {.workers = 2}};
    std::atomic<int> wrong{0};
    {
        std::vector<std::jthread> clients;
        for (int t = 0; t < 16; ++t)
            clients.emplace_back([&, t] {
                Client client = p.gateway.client();
                for (int i = 0; i < 50; ++i) {
                    const int n = t * 1000 + i;
                    const Response r = client.get("/s/" + std::to_string(n));
                    if (r.status == 200 && r.complete && r.body != "/" + std::to_string(n)) ++wrong;
                }
            });
    }
    EXPECT_EQ(wrong, 0);
    EXPECT_EQ(p.gateway.metrics().sum("sluice_requests_total"), 800);
    EXPECT_EQ(p.gateway.metrics().sum("sluice_requests_in_flight"), 0);
}

}  // namespace
}  // namespace test
