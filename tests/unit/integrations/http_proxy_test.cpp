// SPDX-License-Identifier: Apache-2.0
#include "integrations/http_proxy.hpp"

#include <gtest/gtest.h>

#include <string>

#include "support/call.hpp"

namespace sluice::integrations {
namespace {

using namespace std::chrono_literals;
using ::test::Call;
using ::test::Peer;
using ::test::Port;
using ::test::Site;

/// The stage in front of one origin, which the test plays.
class HttpProxyTest : public testing::Test {
protected:
    void use(const std::string& integration = "", const std::string& compatibility = "standard",
             const std::string& more = "") {
        site_.reset();
        backend_ = std::make_shared<upstream::Backend>();
        backend_->name = "pets";
        backend_->series = &series_;
        const auto addresses = std::make_shared<net::Addresses>();
        addresses->publish({*net::parse_literal("127.0.0.1", port_.number())});
        backend_->targets.push_back({.authority = "pets.test:9", .addresses = addresses});
        site_ = std::make_unique<Site>("compatibility: " + compatibility + R"(
restApis:
  - id: shop
    resources:
      /pets/{id}:
        ANY: { integration: { type: HTTP_PROXY, uri: "http://pets/v1/{id}/x?fixed=1")" +
                                           integration + R"( } }
stages: [ { restApiId: shop, stageName: s } ]
backends: [ { name: pets, targets: [ { url: "http://127.0.0.1:1" } ] } ]
)" + more,
                                       std::span<const gateway::FilterEntry>{}, maker());
    }
    Site::MakeIntegration maker() {
        return [this](const gateway::MethodBuild& build) {
            return make_integration(
                build, [this](std::string_view, std::string_view, std::uint16_t, bool) {
                    return std::shared_ptr<const upstream::Backend>{backend_};
                });
        };
    }
    static std::string request(const std::string& verb, const std::string& fields = "",
                               const std::string& body = "", const std::string& query = "") {
        return verb + " /s/pets/7" + query + " HTTP/1.1\r\nHost: shop.test\r\n" + fields + "\r\n" +
               body;
    }
    /// What the origin receives for a request; the answer is a plain 200.
    std::string received(const std::string& text, const std::string& peer = "192.0.2.1") {
        Call call{*site_, text, peer};
        site_->thread.run([&] { call.x().trusted_peer = trusted_; });
        call.start();
        Peer origin = port_.accept();
        const std::string got = origin.read_message();
        origin.send("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
        EXPECT_TRUE(call.finished());
        return got;
    }
    /// What the client reads when the origin sends this.
    std::string answered(const std::string& response, const std::string& verb = "GET") {
        Call call{*site_, request(verb)};
        call.start();
        Peer origin = port_.accept();
        origin.read_message();
        origin.send(response);
        origin.finish_writing();
        EXPECT_TRUE(call.finished());
        reply_ = call.x().reply_type;
        status_ = call.x().integration_status;
        error_ = call.x().integration_error;
        timed_ = call.x().integration_latency.has_value();
        if (reply_ != Reply::none) return "";
        site_->thread.run([&] { ::shutdown(call.x().client.channel().fd(), SHUT_WR); });
        return call.client().read_all();
    }
    static bool has(const std::string& text, const std::string& part) {
        return text.find(part) != std::string::npos;
    }

    Port port_;
    telemetry::BackendSeries series_{"pets", 1};
    std::shared_ptr<upstream::Backend> backend_{};
    std::unique_ptr<Site> site_{};
    bool trusted_ = false;
    Reply reply_ = Reply::none;
    int status_ = 0;
    std::string_view error_{};
    bool timed_ = false;
};

TEST_F(HttpProxyTest, WritesTheMappedTargetAndItsOwnFields) {
    use();
    const std::string got = received(request("GET", "Accept: a/b\r\n", "", "?q=%20x"));
    EXPECT_TRUE(got.starts_with("GET /v1/7/x?fixed=1&q=%20x HTTP/1.1\r\nHost: pets.test:9\r\n"))
        << got;
    EXPECT_TRUE(has(got, "Accept: a/b\r\n"));
    EXPECT_TRUE(has(got, "X-Forwarded-For: 192.0.2.1\r\n"));
    EXPECT_TRUE(has(got, "X-Forwarded-Proto: http\r\n"));
    EXPECT_TRUE(has(got, "X-Forwarded-Port: 8080\r\n"));
    EXPECT_TRUE(has(got, "X-Forwarded-Host: shop.test\r\n"));
    EXPECT_TRUE(has(got, "X-Amzn-Apigateway-Api-Id: shop\r\n"));
    EXPECT_TRUE(has(got, "X-Amzn-Trace-Id: Root=1-"));
    EXPECT_TRUE(has(got, "x-amzn-RequestId: "));
    EXPECT_FALSE(has(got, "Content-Length"));
}

TEST_F(HttpProxyTest, KeepsWhatBelongsToTheConnectionToItself) {
    use();
    const std::string got =
        received(request("GET",
                         "Connection: keep-alive, X-Hop\r\nX-Hop: 1\r\nTE: trailers\r\n"
                         "Proxy-Authorization: x\r\nX-Forwarded-For: 6.6.6.6\r\n"
                         "X-End: to-end\r\n"));
    for (const auto* name : {"X-Hop", "TE:", "Proxy-Authorization", "6.6.6.6", "Connection:"}) {
        EXPECT_FALSE(has(got, name)) << name << '\n' << got;
    }
    EXPECT_TRUE(has(got, "X-End: to-end\r\n"));
}

TEST_F(HttpProxyTest, ContinuesTheChainOfATrustedProxy) {
    use();
    trusted_ = true;
    const std::string got =
        received(request("GET", "X-Forwarded-For: 198.51.100.1\r\nX-Forwarded-Proto: https\r\n"),
                 "10.0.0.1");
    EXPECT_TRUE(has(got, "X-Forwarded-For: 198.51.100.1, 10.0.0.1\r\n")) << got;
    EXPECT_TRUE(has(got, "X-Forwarded-Proto: https\r\n"));
}

TEST_F(HttpProxyTest, KeepsTheHostOfTheClientWhenToldTo) {
    use();
    backend_->preserve_host = true;
    EXPECT_TRUE(has(received(request("GET")), "\r\nHost: shop.test\r\n"));
}

TEST_F(HttpProxyTest, PassesABodyWithItsLength) {
    use();
    const std::string got = received(request("POST", "Content-Length: 5\r\n", "hello"));
    EXPECT_TRUE(has(got, "Content-Length: 5\r\n")) << got;
    EXPECT_TRUE(got.ends_with("\r\n\r\nhello")) << got;
}

TEST_F(HttpProxyTest, SaysThatThereIsNoBodyWhereOneIsExpected) {
    use();
    EXPECT_TRUE(has(received(request("POST")), "Content-Length: 0\r\n"));
    EXPECT_FALSE(has(received(request("DELETE")), "Content-Length"));
}

TEST_F(HttpProxyTest, SendsTheMethodOfTheIntegration) {
    use(", httpMethod: PUT");
    EXPECT_TRUE(received(request("GET")).starts_with("PUT /v1/7/x"));
}

TEST_F(HttpProxyTest, AddsWhatAwsAdds) {
    use("", "aws");
    const std::string got = received(request("GET"));
    EXPECT_TRUE(has(got, "User-Agent: AmazonAPIGateway_shop\r\n")) << got;
    EXPECT_FALSE(has(got, "X-Forwarded-Host"));
}

TEST_F(HttpProxyTest, PassesTheAnswerOn) {
    use();
    const std::string got = answered(
        "HTTP/1.1 404 Gone Fishing\r\nServer: o\r\nX-Hop: 1\r\nConnection: X-Hop\r\n"
        "Content-Length: 4\r\n\r\nnone");
    EXPECT_TRUE(got.starts_with("HTTP/1.1 404 Gone Fishing\r\nServer: o\r\n")) << got;
    EXPECT_FALSE(has(got, "X-Hop"));
    EXPECT_TRUE(has(got, "Content-Length: 4\r\n"));
    EXPECT_TRUE(has(got, "x-amzn-RequestId: "));
    EXPECT_TRUE(got.ends_with("\r\n\r\nnone"));
    EXPECT_EQ(status_, 404);
    EXPECT_TRUE(timed_);
}

TEST_F(HttpProxyTest, FramesAnAnswerThatEndsWithItsConnection) {
    use();
    const std::string got = answered("HTTP/1.1 200 OK\r\n\r\nall of it");
    EXPECT_TRUE(has(got, "Transfer-Encoding: chunked\r\n")) << got;
    EXPECT_TRUE(got.ends_with("\r\n\r\n9\r\nall of it\r\n0\r\n\r\n")) << got;
}

TEST_F(HttpProxyTest, TellsTheLengthOnAfterAHeadRequest) {
    use();
    const std::string got = answered("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n", "HEAD");
    EXPECT_TRUE(has(got, "Content-Length: 4\r\n")) << got;
    EXPECT_TRUE(got.ends_with("\r\n\r\n"));
}

TEST_F(HttpProxyTest, AnswersForAnOriginThatIsNotHttp) {
    use();
    answered("nonsense\r\n\r\n");
    EXPECT_EQ(reply_, Reply::integration_failure);
    EXPECT_EQ(error_, "malformed");
    answered("");
    EXPECT_EQ(reply_, Reply::integration_failure);
    EXPECT_EQ(error_, "reset");
    EXPECT_EQ(status_, 0);
}

TEST_F(HttpProxyTest, AnswersForAnOriginThatRefuses) {
    use();
    port_.close();
    Call call{*site_, request("GET")};
    call.start();
    ASSERT_TRUE(call.finished());
    EXPECT_EQ(call.x().reply_type, Reply::integration_failure);
    EXPECT_EQ(call.x().integration_error, "connect_refused");
}

TEST_F(HttpProxyTest, AnswersForAnOriginThatIsTooSlow) {
    use(", timeoutInMillis: 50");
    Call call{*site_, request("GET")};
    call.start();
    Peer origin = port_.accept();
    ASSERT_TRUE(call.finished());
    EXPECT_EQ(call.x().reply_type, Reply::integration_timeout);
}

TEST_F(HttpProxyTest, BlamesTheClientForItsOwnBody) {
    use("", "standard", "server: { limits: { bodyBytes: 10 } }\n");
    {
        Call call{*site_, request("POST", "Content-Length: 11\r\n", "01234567890")};
        call.start();
        ASSERT_TRUE(call.finished());
        EXPECT_EQ(call.x().reply_type, Reply::request_too_large);
    }
    Call call{*site_, request("POST", "Transfer-Encoding: chunked\r\n", "zz\r\n")};
    call.start();
    ASSERT_TRUE(call.finished());
    EXPECT_EQ(call.x().reply_type, Reply::bad_request);
}

TEST_F(HttpProxyTest, StoresWhatMayBeStored) {
    struct Policy final : gateway::StoragePolicy {
        const gateway::CacheKey& key() const override { return key_; }
        std::chrono::seconds ttl() const override { return 30s; }
        gateway::CacheKey key_ =
            *gateway::CacheKey::compile({}, {}, {}, {}, config::Compatibility::standard);
    };
    use();
    state::CacheStore store{1 << 20, 1 << 16, 1};
    const Policy policy;
    const std::uint64_t hash = state::CacheStore::hash("k");
    const auto body_after = [&](const std::string& response) -> std::string {
        store.clear();
        Call call{*site_, request("GET")};
        call.x().caching = &policy;
        site_->thread.run([&] { call.x().fill = store.refresh("k", hash); });
        call.start();
        Peer origin = port_.accept();
        origin.read_message();
        origin.send(response);
        origin.close();
        EXPECT_TRUE(call.finished());
        EXPECT_FALSE(call.x().fill);
        const auto hit = store.find("k", hash, std::chrono::steady_clock::now(), 0);
        return hit ? hit->fields + hit->body : "not stored";
    };
    EXPECT_EQ(body_after("HTTP/1.1 200 OK\r\nETag: x\r\nContent-Length: 4\r\n\r\nbody"),
              "ETag: x\r\nbody");
    EXPECT_EQ(body_after("HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\nContent-Length: 4\r\n\r\nbody"),
              "not stored");
    EXPECT_EQ(body_after("HTTP/1.1 500 No\r\nContent-Length: 4\r\n\r\nbody"), "not stored");
    EXPECT_EQ(body_after("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nbody"), "not stored")
        << "half an answer";
}

}  // namespace
}  // namespace sluice::integrations
