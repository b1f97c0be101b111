// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <regex>

#include "support/proxied.hpp"

namespace test {
namespace {

const std::regex kUuid{"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"};

TEST(Proxying, GetReachesTheBackendAndItsAnswerComesBack) {
    Proxied p{[](const Received&) { return Answer::of(201, "made", {{"X-Kind", "pet"}}); }};
    const Response r = p.gateway.get("/s/pets/1");
    EXPECT_EQ(r.status, 201);
    EXPECT_EQ(r.body, "made");
    EXPECT_EQ(r.header("X-Kind"), "pet");
    EXPECT_EQ(p.origin.last().method, "GET");
    EXPECT_EQ(p.origin.last().target, "/pets/1");
    EXPECT_EQ(p.origin.last().header("Host"), "127.0.0.1:" + std::to_string(p.origin.port()));
}

TEST(Proxying, PostBodyArrivesUnchanged) {
    Proxied p{[](const Received&) { return Answer::of(200, "ok"); }};
    std::string body = "{\"a\":\"";
    for (int i = 0; i < 256; ++i)
        body += static_cast<char>(i);
    p.gateway.post("/s/pets", body, {{"Content-Type", "application/octet-stream"}});
    EXPECT_EQ(p.origin.last().body, body);
    EXPECT_EQ(p.origin.last().header("Content-Length"), std::to_string(body.size()));
    EXPECT_EQ(p.origin.last().header("Content-Type"), "application/octet-stream");
}

TEST(Proxying, EveryMethodPasses) {
    Proxied p{[](const Received& r) { return Answer::of(200, r.method); }};
    Client client = p.gateway.client();
    for (const char* method : {"GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"})
        EXPECT_EQ(client.request(method, "/s/x").body, method);
}

TEST(Proxying, HeadKeepsTheLengthAndHasNoBody) {
    Proxied p{[](const Received& r) {
        EXPECT_EQ(r.method, "HEAD");
        return Answer::raw("HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n\r\n");
    }};
    Client client = p.gateway.client();
    const Response r = client.head("/s/x");
    EXPECT_EQ(r.header("Content-Length"), "1234");
    // The connection is still in step: a next request gets its own answer.
    EXPECT_EQ(client.head("/s/y").status, 200);
    EXPECT_EQ(client.connections(), 1);
}

TEST(Proxying, QueryBytesAreNotTouched) {
    Proxied p;
    const std::string query =
        "?b=2&a=%31&a=1&&=x&plus=a+b&pct=%2F%e2%82%ac&semi=1;2&raw=/:@!$'()*,~";
    p.gateway.get("/s/x" + query);
    EXPECT_EQ(p.origin.last().target, "/x" + query);
}

TEST(Proxying, EmptyQueryKeepsItsMark) {
    Proxied p;
    p.gateway.get("/s/x?");
    EXPECT_EQ(p.origin.last().target, "/x?");
}

TEST(Proxying, BackendErrorsPassAsTheyAre) {
    Proxied p{[](const Received& r) {
        return Answer::of(std::stoi(r.target.substr(1)), "own words", {{"Retry-After", "7"}});
    }};
    Client client = p.gateway.client();
    for (const int status : {301, 400, 401, 404, 418, 429, 500, 502, 503}) {
        const Response r = client.get("/s/" + std::to_string(status));
        EXPECT_EQ(r.status, status);
        EXPECT_EQ(r.body, "own words");
        EXPECT_EQ(r.header("Retry-After"), "7");
        EXPECT_FALSE(r.headers.has("x-amzn-ErrorType"));
    }
}

TEST(Proxying, NoContentAndNotModifiedHaveNoBody) {
    Proxied p{[](const Received& r) { return Answer::of(std::stoi(r.target.substr(1))); }};
    Client client = p.gateway.client();
    for (const char* status : {"204", "304", "204"}) {
        const Response r = client.get(std::string{"/s/"} + status);
        EXPECT_EQ(r.status, std::stoi(status));
        EXPECT_FALSE(r.headers.has("Transfer-Encoding"));
    }
    EXPECT_EQ(client.connections(), 1);
}

TEST(Proxying, ForwardingFieldsAreTheGatewaysOwn) {
    Proxied p;
    Client client = p.gateway.client({.source = "127.0.0.7"});
    client.get("/s/x", {{"X-Forwarded-For", "6.6.6.6"},
                        {"X-Forwarded-Proto", "https"},
                        {"X-Forwarded-Port", "1"},
                        {"X-Forwarded-Host", "evil.example"},
                        {"Forwarded", "for=6.6.6.6"},
                        {"X-Real-IP", "6.6.6.6"},
                        {"True-Client-IP", "6.6.6.6"},
                        {"X-Original-URL", "/admin"}});
    const Received seen = p.origin.last();
    EXPECT_EQ(seen.headers.all("X-Forwarded-For"), std::vector<std::string>{"127.0.0.7"});
    EXPECT_EQ(seen.headers.all("X-Forwarded-Proto"), std::vector<std::string>{"http"});
    EXPECT_EQ(seen.header("X-Forwarded-Port"), std::to_string(p.gateway.port()));
    EXPECT_EQ(seen.head.find("6.6.6.6"), std::string::npos) << seen.head;
    EXPECT_EQ(seen.head.find("evil"), std::string::npos) << seen.head;
    EXPECT_FALSE(seen.headers.has("X-Original-URL"));
    EXPECT_EQ(seen.header("X-Amzn-Apigateway-Api-Id"), "api");
    EXPECT_TRUE(seen.header("X-Amzn-Trace-Id").starts_with("Root=1-"));
    EXPECT_TRUE(std::regex_match(seen.header("x-amzn-RequestId"), kUuid));
}

TEST(Proxying, RequestIdIsFreshOrTheClientsIfItIsOne) {
    Proxied p;
    const Response first = p.gateway.get("/s/x");
    const Response second = p.gateway.get("/s/x");
    EXPECT_TRUE(std::regex_match(first.header("x-amzn-RequestId"), kUuid));
    EXPECT_NE(first.header("x-amzn-RequestId"), second.header("x-amzn-RequestId"));
    EXPECT_EQ(p.origin.last().header("x-amzn-RequestId"), second.header("x-amzn-RequestId"));
    EXPECT_TRUE(first.headers.has("x-amz-apigw-id"));

    const std::string mine = "01234567-89ab-4def-8123-456789abcdef";
    EXPECT_EQ(p.gateway.get("/s/x", {{"x-amzn-RequestId", mine}}).header("x-amzn-RequestId"), mine);
    const Response replaced = p.gateway.get("/s/x", {{"x-amzn-RequestId", "not-a-uuid"}});
    EXPECT_TRUE(std::regex_match(replaced.header("x-amzn-RequestId"), kUuid));
}

TEST(Proxying, HopByHopAndNominatedFieldsStop) {
    Proxied p{[](const Received&) {
        return Answer::of(200, "ok",
                          {{"Connection", "X-Drop, keep-alive"},
                           {"X-Drop", "1"},
                           {"Keep-Alive", "timeout=5"},
                           {"X-Keep", "1"}});
    }};
    const Response r = p.gateway.get("/s/x", {{"Connection", "X-Secret, keep-alive"},
                                              {"X-Secret", "1"},
                                              {"Keep-Alive", "300"},
                                              {"TE", "gzip"},
                                              {"Proxy-Authorization", "Basic x"},
                                              {"Proxy-Connection", "keep-alive"},
                                              {"Proxy", "http://evil"},
                                              {"Upgrade", "h2c"},
                                              {"X-Stay", "1"}});
    const Received seen = p.origin.last();
    for (const char* gone : {"X-Secret", "Keep-Alive", "TE", "Proxy-Authorization",
                             "Proxy-Connection", "Proxy", "Upgrade"})
        EXPECT_FALSE(seen.headers.has(gone)) << gone;
    EXPECT_EQ(seen.header("X-Stay"), "1");
    EXPECT_FALSE(r.headers.has("X-Drop"));
    EXPECT_FALSE(r.headers.has("Keep-Alive"));
    EXPECT_EQ(r.header("X-Keep"), "1");
}

// Every response field of aws-semantics 7.5 that the two personalities treat differently.
Answer telling_answer(const Received&) {
    return Answer::of(200, "ok",
                      {{"Date", "Mon, 01 Jan 2024 00:00:00 GMT"},
                       {"Server", "gunicorn"},
                       {"WWW-Authenticate", "Basic"},
                       {"Authorization", "secret"},
                       {"Content-Encoding", "identity"},
                       {"Via", "1.1 other"},
                       {"User-Agent", "backend"},
                       {"Set-Cookie", "a=1"},
                       {"Set-Cookie", "b=2"},
                       {"X-Amzn-Custom", "1"}});
}

TEST(Proxying, StandardPassesEndToEndFields) {
    Proxied p{telling_answer};
    const Response r = p.gateway.get("/s/x");
    EXPECT_EQ(r.headers.all("Date"), std::vector<std::string>{"Mon, 01 Jan 2024 00:00:00 GMT"});
    EXPECT_EQ(r.headers.all("Server"), std::vector<std::string>{"gunicorn"});
    EXPECT_EQ(r.header("WWW-Authenticate"), "Basic");
    EXPECT_EQ(r.header("Content-Encoding"), "identity");
    EXPECT_EQ(r.header("Via"), "1.1 other");
    EXPECT_EQ(r.headers.all("Set-Cookie"), (std::vector<std::string>{"a=1", "b=2"}));
    EXPECT_EQ(r.raw_head.find("emapped"), std::string::npos) << r.raw_head;
}

TEST(Proxying, AwsRemapsResponseFields) {
    Proxied p{telling_answer, "compatibility: aws\n"};
    const Response r = p.gateway.get("/s/x");
    EXPECT_EQ(r.header("x-amzn-Remapped-Date"), "Mon, 01 Jan 2024 00:00:00 GMT");
    EXPECT_NE(r.header("Date"), "Mon, 01 Jan 2024 00:00:00 GMT");
    EXPECT_EQ(r.header("x-amzn-Remapped-Server"), "gunicorn");
    EXPECT_FALSE(r.headers.has("Server"));
    EXPECT_EQ(r.header("x-amzn-Remapped-WWW-Authenticate"), "Basic");
    EXPECT_FALSE(r.headers.has("WWW-Authenticate"));
    EXPECT_EQ(r.header("x-amzn-Remapped-Content-Length"), "2");
    EXPECT_EQ(r.header("x-amzn-Remapped-User-Agent"), "backend");
    EXPECT_FALSE(r.headers.has("Via"));
    EXPECT_EQ(r.headers.all("Set-Cookie"), (std::vector<std::string>{"a=1", "b=2"}));
}

// aws-semantics B.6, without the fields that only a hand-written head can carry.
const Headers kDropped{{"Content-MD5", "x"},
                       {"Max-Forwards", "2"},
                       {"Proxy-Authenticate", "Basic"},
                       {"Server", "x"},
                       {"TE", "deflate"},
                       {"Trailer", "Expires"},
                       {"Upgrade", "HTTP/2.0"},
                       {"Via", "p.example"},
                       {"WWW-Authenticate", "Basic"},
                       {"Content-Encoding", "deflate"}};
const Headers kKept{{"Accept", "application/json"},
                    {"Accept-Charset", "UTF-8"},
                    {"Accept-Encoding", "br"},
                    {"Age", "1"},
                    {"Authorization", "Unauthorized"},
                    {"Content-Type", "text/plain"},
                    {"Date", "now"},
                    {"Pragma", "cache"},
                    {"Range", "bytes=500-999"},
                    {"Referer", "https://e/"},
                    {"User-Agent", "test/0"},
                    {"Warn", "299 x"}};

Headers both_groups() {
    Headers all = kDropped;
    all.insert(all.end(), kKept.begin(), kKept.end());
    return all;
}

TEST(Proxying, AwsSendsTheBackendExactlyTheFieldsOfTheTable) {
    Proxied p{echo, "compatibility: aws\n"};
    p.gateway.get("/s/x", both_groups());
    const Received seen = p.origin.last();
    for (const Header& h : kDropped)
        EXPECT_FALSE(seen.headers.has(h.name)) << h.name;
    for (const Header& h : kKept)
        EXPECT_EQ(seen.header(h.name), h.value) << h.name;
    for (const char* added : {"Host", "X-Amzn-Apigateway-Api-Id", "X-Amzn-Trace-Id",
                              "X-Forwarded-For", "X-Forwarded-Port", "X-Forwarded-Proto"})
        EXPECT_TRUE(seen.headers.has(added)) << added;
}

TEST(Proxying, StandardSendsTheBackendEverythingEndToEnd) {
    Proxied p;
    p.gateway.get("/s/x", both_groups());
    const Received seen = p.origin.last();
    for (const Header& h : kKept)
        EXPECT_EQ(seen.header(h.name), h.value) << h.name;
    for (const char* kept :
         {"Content-MD5", "Max-Forwards", "Via", "WWW-Authenticate", "Content-Encoding"})
        EXPECT_TRUE(seen.headers.has(kept)) << kept;
    EXPECT_EQ(seen.header("X-Forwarded-Host"), "127.0.0.1:" + std::to_string(p.gateway.port()));
}

TEST(Proxying, UnderscoreNamesStopInStandardAndPassInAws) {
    {
        Proxied p;
        EXPECT_EQ(p.gateway.get("/s/x", {{"X_Custom", "1"}}).status, 200);
        EXPECT_EQ(p.origin.last().head.find('_'), std::string::npos) << p.origin.last().head;
    }
    Proxied p{echo, "compatibility: aws\n"};
    p.gateway.get("/s/x", {{"X_Custom", "1"}});
    EXPECT_EQ(p.origin.last().header("X_Custom"), "1");
}

// Dropped or refused: either way no backend that folds "_" and "-" sees them.
TEST(Proxying, UnderscoreLookAlikesNeverArrive) {
    for (const char* personality : {"standard", "aws"}) {
        Proxied p{echo, std::string{"compatibility: "} + personality + "\n"};
        for (const char* name :
             {"X_Forwarded_For", "Content_Length", "Transfer_Encoding", "x_api_key", "X_Real_IP"})
            p.gateway.get("/s/x", {{name, "3"}, {"User-Agent", "test"}});
        for (const Received& r : p.origin.requests())
            EXPECT_EQ(r.head.find('_'), std::string::npos) << r.head;
        EXPECT_EQ(p.gateway.get("/s/x").status, 200);
    }
}

}  // namespace
}  // namespace test
