// SPDX-License-Identifier: Apache-2.0
//
// The measuring instruments measured: what the other tests conclude rests on these.
#include <gtest/gtest.h>

#include "support/certificate.hpp"
#include "support/client.hpp"
#include "support/metrics.hpp"
#include "support/nginx.hpp"
#include "support/origin.hpp"

namespace test {
namespace {

TEST(Harness, ClientAndOriginSpeakOverAKeptConnection) {
    Origin origin{[](const Received& r) { return Answer::echo(r); }};
    Client client{origin.port()};
    client.get("/a");
    const auto seen = client.post("/p?x=1", "text", {{"A", "b"}}).json();
    EXPECT_EQ(seen["method"], "POST");
    EXPECT_EQ(seen["target"], "/p?x=1");
    EXPECT_EQ(seen["body"], "text");
    EXPECT_EQ(client.connections(), 1);
    EXPECT_EQ(origin.connections(), 1);
    EXPECT_EQ(origin.count(), 2);
}

TEST(Harness, ShortBodyIsIncomplete) {
    Origin origin{[](const Received&) {
        return Answer::raw("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab").close();
    }};
    const Response response = Client{origin.port()}.get("/");
    EXPECT_FALSE(response.complete);
    EXPECT_EQ(response.body, "ab");
}

TEST(Harness, ChunkedBodyWithoutItsLastChunkIsIncomplete) {
    Origin origin{[](const Received&) {
        return Answer::raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n")
            .close();
    }};
    EXPECT_FALSE(Client{origin.port()}.get("/").complete);
}

TEST(Harness, CloseDelimitedBodyIsCompleteOnlyWithAFin) {
    Origin origin{[](const Received& r) {
        Answer a = Answer::raw("HTTP/1.1 200 OK\r\n\r\nab");
        return r.target == "/fin" ? a.close() : a.reset();
    }};
    EXPECT_TRUE(Client{origin.port()}.get("/fin").complete);
    Client client{origin.port()};
    EXPECT_FALSE(client.get("/reset").complete);
}

TEST(Harness, HalfAHeadIsNoAnswer) {
    Origin origin{[](const Received&) { return Answer::raw("HTTP/1.1 200 OK\r\nCont").close(); }};
    EXPECT_THROW(Client{origin.port()}.get("/"), std::runtime_error);
}

TEST(Harness, TlsIsVerifiedByName) {
    const Authority authority;
    const TempDir dir;
    const auto ca = dir.path() / "ca.pem";
    authority.write(ca);
    authority.issue({"a.example"}, dir.path() / "a.pem", dir.path() / "a.key");
    const SslContext context = server_context(dir.path() / "a.pem", dir.path() / "a.key");
    Origin origin{[](const Received& r) { return Answer::echo(r); }, {.tls = context.get()}};
    const ClientOptions right{.tls = ClientTls{.server_name = "a.example", .ca_file = ca}};
    EXPECT_EQ(Client(origin.port(), right).get("/").status, 200);
    const ClientOptions wrong{.tls = ClientTls{.server_name = "b.example", .ca_file = ca}};
    EXPECT_THROW(Client(origin.port(), wrong).get("/"), std::runtime_error);
}

TEST(Harness, MetricsAreSummedByLabel) {
    const Metrics metrics{"# HELP a b\na{x=\"1\",y=\"q\\\"\"} 2\na{x=\"2\",y=\"\"} 3.5\nb 7\n"};
    EXPECT_EQ(metrics.sum("a"), 5.5);
    EXPECT_EQ(metrics.sum("a", {{"x", "1"}}), 2);
    EXPECT_EQ(metrics.sum("a", {{"y", "q\""}}), 2);
    EXPECT_EQ(metrics.sum("b"), 7);
    EXPECT_FALSE(metrics.has("c"));
}

TEST(Harness, NginxAnswers) {
    Nginx nginx{"location / { return 200 hello; }"};
    EXPECT_EQ(Client{nginx.port()}.get("/").body, "hello");
}

}  // namespace
}  // namespace test
