// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "support/proxied.hpp"

namespace test {
namespace {

TEST(Connection, IsKeptOnBothSides) {
    Proxied p;
    Client client = p.gateway.client();
    for (int i = 0; i < 20; ++i)
        EXPECT_EQ(client.get("/s/x").status, 200);
    EXPECT_EQ(client.connections(), 1);
    EXPECT_EQ(p.origin.connections(), 1);
}

TEST(Connection, ReusedBackendConnectionServesManyClients) {
    Proxied p;
    for (int i = 0; i < 10; ++i)
        EXPECT_EQ(p.gateway.get("/s/x").status, 200);
    EXPECT_EQ(p.origin.connections(), 1);
}

TEST(Connection, CloseIsHonoured) {
    Proxied p;
    Client client = p.gateway.client();
    client.send(client.text_of("GET", "/s/x", {{"Connection", "close"}}));
    const Response r = client.read();
    EXPECT_EQ(r.header("Connection"), "close");
    EXPECT_TRUE(client.ended());
}

TEST(Connection, Http10ClosesUnlessAskedNotTo) {
    Proxied p;
    Client client = p.gateway.client();
    client.send("GET /s/x HTTP/1.0\r\nHost: a\r\n\r\n");
    const Response r = client.read();
    EXPECT_EQ(r.status, 200);
    EXPECT_FALSE(r.headers.has("Transfer-Encoding"));
    EXPECT_TRUE(client.ended());
}

TEST(Connection, Http10BodyOfUnknownLengthEndsWithTheConnection) {
    Proxied p{[](const Received&) {
        return Answer::raw(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n");
    }};
    Client client = p.gateway.client();
    client.send("GET /s/x HTTP/1.0\r\nHost: a\r\n\r\n");
    const Response r = client.read();
    EXPECT_FALSE(r.headers.has("Transfer-Encoding"));
    EXPECT_EQ(r.body, "abc");
    EXPECT_TRUE(r.complete);
}

TEST(Connection, PipelinedRequestsAreAnsweredInOrder) {
    // The first answer is the slowest, so an answer out of order would show.
    Proxied p{[](const Received& r) {
        Answer answer;
        if (r.target == "/0") answer.after(50ms);
        return answer.then(Answer::text_of(200, r.target));
    }};
    Client client = p.gateway.client();
    std::string all;
    for (int i = 0; i < 50; ++i)
        all += client.text_of("GET", "/s/" + std::to_string(i));
    client.send(all);
    for (int i = 0; i < 50; ++i)
        EXPECT_EQ(client.read().body, "/" + std::to_string(i));
    EXPECT_EQ(client.connections(), 1);
}

TEST(Connection, PipelinedPostBodiesStayApart) {
    Proxied p{[](const Received& r) { return Answer::of(200, r.body); }};
    Client client = p.gateway.client();
    client.send(client.text_of("POST", "/s/a", {}, "first") +
                client.text_of("POST", "/s/b", {}, "") +
                client.text_of("POST", "/s/c", {}, "third"));
    EXPECT_EQ(client.read().body, "first");
    EXPECT_EQ(client.read().body, "");
    EXPECT_EQ(client.read().body, "third");
}

TEST(Connection, HeadSentByteByByteIsRead) {
    Proxied p;
    Client client = p.gateway.client();
    for (const char c : client.text_of("POST", "/s/x", {}, "body"))
        client.send({&c, 1});
    EXPECT_EQ(client.read().json()["body"], "body");
}

TEST(Connection, ChunkedUploadIsReframed) {
    Proxied p;
    Client client = p.gateway.client();
    client.send(client.text_of("POST", "/s/x", {{"Transfer-Encoding", "chunked"}}) +
                "1;ext=1\r\na\r\n0002\r\nbc\r\n0\r\n\r\n");
    EXPECT_EQ(client.read().json()["body"], "abc");
    const Received seen = p.origin.last();
    EXPECT_NE(seen.headers.has("Content-Length"), seen.headers.has("Transfer-Encoding"));
    EXPECT_TRUE(seen.complete);
    EXPECT_EQ(client.get("/s/y").status, 200);
}

TEST(Connection, ChunkedAnswerIsPassedOn) {
    Proxied p{[](const Received&) {
        return Answer::raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            .then("3;x=y\r\nabc\r\n")
            .then("1\r\nd\r\n0\r\n\r\n");
    }};
    Client client = p.gateway.client();
    for (int i = 0; i < 3; ++i) {
        const Response r = client.get("/s/x");
        EXPECT_EQ(r.body, "abcd");
        EXPECT_TRUE(r.complete);
    }
    EXPECT_EQ(client.connections(), 1);
    EXPECT_EQ(p.origin.connections(), 1);
}

TEST(Connection, AnswerStreamsBeforeItIsWhole) {
    auto gate = std::make_shared<Gate>();
    Proxied p{[gate](const Received&) {
        return Answer::raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
            .after(gate)
            .then("0\r\n\r\n");
    }};
    Client client = p.gateway.client();
    client.send(client.text_of("GET", "/s/x"));
    std::string seen;
    const Response r = client.read("GET", [&](std::string_view part) {
        seen += part;
        gate->open();  // only now does the origin go on
    });
    EXPECT_EQ(seen, "abc");
    EXPECT_TRUE(r.complete);
}

TEST(Connection, UploadStreamsBeforeItIsWhole) {
    auto first_part = std::make_shared<Gate>();
    Origin origin{echo, {.on_head = [&](const Received&) -> std::optional<Answer> {
                      first_part->open();
                      return std::nullopt;
                  }}};
    Gateway gateway{kProxyEverything, {{"ORIGIN", origin.url()}}};
    Client client = gateway.client();
    client.send(client.text_of("POST", "/s/x", {{"Content-Length", "6"}}) + "abc");
    EXPECT_TRUE(first_part->wait()) << "the head waits for the whole body";
    client.send("def");
    EXPECT_EQ(client.read().json()["body"], "abcdef");
}

TEST(Connection, TrailersAreDropped) {
    Proxied p{[](const Received& r) {
        EXPECT_TRUE(r.trailers.empty());
        return Answer::raw(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX-Late: "
            "1\r\n\r\n");
    }};
    Client client = p.gateway.client();
    client.send(client.text_of("POST", "/s/x", {{"Transfer-Encoding", "chunked"}}) +
                "1\r\na\r\n0\r\nx-api-key: k\r\nContent-Length: 5\r\n\r\n");
    const Response r = client.read();
    EXPECT_EQ(r.body, "a");
    EXPECT_TRUE(r.complete);
    EXPECT_TRUE(r.trailers.empty());
    EXPECT_FALSE(r.headers.has("X-Late"));
    EXPECT_FALSE(p.origin.last().headers.has("x-api-key"));
    EXPECT_EQ(client.get("/s/y").status, 200);
}

TEST(Connection, ExpectContinueIsAnsweredByTheGateway) {
    Proxied p;
    Client client = p.gateway.client();
    client.send(
        client.text_of("POST", "/s/x", {{"Expect", "100-Continue"}, {"Content-Length", "4"}}));
    const std::optional<Head> interim = client.wire().read_head();
    ASSERT_TRUE(interim);
    EXPECT_EQ(interim->start_line, "HTTP/1.1 100 Continue");
    client.send("body");
    EXPECT_EQ(client.read().json()["body"], "body");
    EXPECT_FALSE(p.origin.last().headers.has("Expect"));
}

TEST(Connection, ExpectContinueOfARefusedRequestGetsTheRefusalOnly) {
    Proxied p{echo, "", R"(
restApis:
  - id: api
    resources:
      /x: { POST: { apiKeyRequired: true, integration: { type: HTTP_PROXY, uri: "${ORIGIN}/" } } }
stages: [ { restApiId: api, stageName: s } ]
)"};
    Client client = p.gateway.client();
    client.send(
        client.text_of("POST", "/s/x", {{"Expect", "100-continue"}, {"Content-Length", "4"}}));
    const Response r = client.read();
    EXPECT_EQ(r.status, 403);
    EXPECT_TRUE(r.interim.empty());
    EXPECT_EQ(p.origin.count(), 0);
}

TEST(Connection, OtherExpectationsFail) {
    Proxied p;
    Client client = p.gateway.client();
    client.send(client.text_of("POST", "/s/x", {{"Expect", "magic"}}, "body"));
    EXPECT_EQ(client.read().status, 417);
    EXPECT_TRUE(client.ended());
}

TEST(Connection, AbsoluteFormOverridesHost) {
    Proxied p{echo,
              "domainNames: [ { domainName: api.example.com, basePathMappings: "
              "[ { basePath: v1, restApiId: api, stage: s } ] } ]\n"};
    Client client = p.gateway.client();
    const Response r =
        client.request("GET", "http://api.example.com/v1/x?a=1", {{"Host", "other.example"}});
    EXPECT_EQ(r.status, 200) << r.body;
    EXPECT_EQ(p.origin.last().target, "/x?a=1");
    EXPECT_EQ(p.origin.last().head.find("other.example"), std::string::npos);
}

TEST(Connection, BodyOfARefusedRequestIsNeverARequest) {
    Proxied p;
    Client client = p.gateway.client();
    const std::string hidden = "GET /s/hidden HTTP/1.1\r\nHost: a\r\n\r\n";
    client.send(client.text_of("POST", "/no-such-stage", {}, hidden));
    EXPECT_EQ(client.read().status, 403);
    client.finish_writing();
    EXPECT_EQ(client.read_all(), "");
    EXPECT_EQ(p.origin.count(), 0);
}

TEST(Connection, ClientThatLeavesMidUploadLeavesNoWholeRequest) {
    Proxied p;
    Client client = p.gateway.client();
    client.send(client.text_of("POST", "/s/x", {{"Transfer-Encoding", "chunked"}}) +
                "4\r\nhalf\r\n");
    ASSERT_TRUE(eventually([&] { return p.origin.open_connections() == 1; }));
    client.reset();
    EXPECT_TRUE(eventually([&] { return p.origin.open_connections() == 0; }));
    for (const Received& r : p.origin.requests())
        EXPECT_FALSE(r.complete);
}

TEST(Connection, ClientThatLeavesCancelsTheBackendCall) {
    Proxied p{[](const Received&) { return Answer::nothing().hang(); }};
    Client client = p.gateway.client();
    client.send(client.text_of("GET", "/s/x"));
    ASSERT_TRUE(p.origin.wait_for(1));
    client.reset();
    EXPECT_TRUE(eventually([&] { return p.origin.open_connections() == 0; }, 2s));
}

struct Malformed {
    const char* name;
    const char* bytes;
    int status;
};

void PrintTo(const Malformed& m, std::ostream* out) { *out << m.name; }

class Refusal : public testing::TestWithParam<Malformed> {};

TEST_P(Refusal, IsSaidOnceAndTheConnectionCloses) {
    Proxied p;
    Client client = p.gateway.client();
    client.send(std::string{GetParam().bytes} + "GET /s/after HTTP/1.1\r\nHost: a\r\n\r\n");
    const Response r = client.read();
    EXPECT_EQ(r.status, GetParam().status);
    EXPECT_EQ(r.header("Content-Type"), "application/json");
    EXPECT_EQ(r.header("Connection"), "close");
    EXPECT_TRUE(r.headers.has("x-amzn-RequestId"));
    EXPECT_TRUE(r.json().contains("message"));
    client.finish_writing();
    EXPECT_EQ(client.read_all(), "");
    EXPECT_EQ(p.origin.count(), 0);
    EXPECT_EQ(p.gateway.get("/s/x").status, 200);
}

INSTANTIATE_TEST_SUITE_P(
    Http, Refusal,
    testing::Values(
        Malformed{"NoHost", "GET /s/x HTTP/1.1\r\n\r\n", 400},
        Malformed{"TwoHosts", "GET /s/x HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400},
        Malformed{"BareLf", "GET /s/x HTTP/1.1\nHost: a\n\n", 400},
        Malformed{"BlankBeforeColon", "GET /s/x HTTP/1.1\r\nHost: a\r\nX : 1\r\n\r\n", 400},
        Malformed{"Fold", "GET /s/x HTTP/1.1\r\nHost: a\r\nX: 1\r\n 2\r\n\r\n", 400},
        Malformed{"BothFramings",
                  "POST /s/x HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n"
                  "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                  400},
        Malformed{
            "TwoLengths",
            "POST /s/x HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
            400},
        Malformed{"SignedLength", "POST /s/x HTTP/1.1\r\nHost: a\r\nContent-Length: +3\r\n\r\nabc",
                  400},
        Malformed{"UnknownCoding",
                  "POST /s/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n", 501},
        Malformed{"Version", "GET /s/x HTTP/2.0\r\nHost: a\r\n\r\n", 505},
        Malformed{"Connect", "CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n", 405},
        Malformed{"Trace", "TRACE /s/x HTTP/1.1\r\nHost: a\r\n\r\n", 405},
        Malformed{"DotSegment", "GET /s/../x HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        Malformed{"EncodedDots", "GET /s/%2e%2E/x HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        Malformed{"TwiceEncodedDots", "GET /s/%252e%252e/x HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        Malformed{"EncodedNul", "GET /s/%00 HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        Malformed{"Backslash", "GET /s/a%5cb HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        Malformed{"Overlong", "GET /s/%c0%af HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        Malformed{"TlsHello", "\x16\x03\x01\x02", 400},
        Malformed{
            "CodingList",
            "POST /no HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked , chunked\r\n\r\n0\r\n\r\n",
            400}),
    [](const auto& p) { return std::string{p.param.name}; });

TEST(Limits, AreAnswered) {
    Proxied p{echo,
              "server: { limits: { headerBytes: 4096, targetBytes: 1000, headerCount: 20, "
              "bodyBytes: 1000 } }\n"};
    const auto answer = [&](const std::string& target, const Headers& headers,
                            const std::string& body) {
        Client client = p.gateway.client();
        client.try_send(client.text_of("POST", target, headers, body));
        const Response r = client.read();
        EXPECT_EQ(r.header("Connection"), "close");
        return r;
    };
    EXPECT_EQ(answer("/s/" + std::string(1000, 'a'), {}, "").status, 414);
    EXPECT_EQ(answer("/s/x", {{"X", std::string(5000, 'a')}}, "").status, 431);
    Headers many;
    for (int i = 0; i < 30; ++i)
        many.push_back({"X", "1"});
    EXPECT_EQ(answer("/s/x", many, "").status, 431);
    const Response long_body = answer("/s/x", {}, std::string(1001, 'a'));
    EXPECT_EQ(long_body.status, 413);
    EXPECT_EQ(long_body.body, R"({"message":"Request Too Long"})");
    EXPECT_EQ(p.origin.count(), 0);
    EXPECT_EQ(p.gateway.post("/s/x", std::string(1000, 'a')).status, 200);
}

TEST(Limits, ChunkedBodyIsCutAtTheLimit) {
    Proxied p{echo, "server: { limits: { bodyBytes: 10 } }\n"};
    Client client = p.gateway.client();
    client.send(client.text_of("POST", "/s/x", {{"Transfer-Encoding", "chunked"}}) +
                "8\r\naaaaaaaa\r\n8\r\naaaaaaaa\r\n0\r\n\r\n");
    EXPECT_EQ(client.read().status, 413);
    for (const Received& r : p.origin.requests())
        EXPECT_FALSE(r.complete);
}

TEST(Timeouts, SlowHeadIsAnswered408) {
    Proxied p{
        echo,
        "server: { timeouts: { headerSeconds: 1, bodyIdleSeconds: 1, keepAliveSeconds: 1 } }\n"};
    Client client = p.gateway.client();
    client.send("GET /s/x HTTP/1.1\r\nHo");
    EXPECT_EQ(client.read().status, 408);
    EXPECT_TRUE(client.ended());

    Client stalled = p.gateway.client();
    stalled.send(stalled.text_of("POST", "/s/x", {{"Content-Length", "5"}}) + "ab");
    EXPECT_EQ(stalled.read().status, 408);

    Client idle = p.gateway.client();
    EXPECT_EQ(idle.get("/s/x").status, 200);
    EXPECT_TRUE(idle.ended()) << "an idle connection is closed without a word";
}

}  // namespace
}  // namespace test
