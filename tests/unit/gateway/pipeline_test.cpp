// SPDX-License-Identifier: Apache-2.0
#include "gateway/pipeline.hpp"

#include <gtest/gtest.h>

#include <string>

#include "support/call.hpp"

namespace sluice::gateway {
namespace {

using ::test::Incoming;
using ::test::Peer;
using ::test::Site;

const std::string kApis = R"(
restApis:
  - id: a
    resources:
      /pets: { GET: { integration: { type: MOCK } } }
      /pets/{id}: { ANY: { integration: { type: MOCK } } }
stages: [ { restApiId: a, stageName: s, methodSettings: { "*/*": { metricsEnabled: true } } } ]
)";

std::string get(const std::string& target, const std::string& fields = "Host: h\r\n") {
    return "GET " + target + " HTTP/1.1\r\n" + fields + "\r\n";
}

/// Does what the request's X-Do says.
class Obeys final : public Integration {
public:
    Task<void> call(Exchange& x) const override {
        const auto* field = x.request.head.fields.find("X-Do");
        const std::string_view order = field == nullptr ? "" : field->value;
        if (order == "nothing") co_return;
        if (order == "fail") {
            x.reply(Reply::integration_timeout);
            co_return;
        }
        if (order == "half") {
            x.client.start_response(200, http::Framing::length);
            x.client.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n", "half", false);
            co_return;
        }
        const int status = order == "teapot" ? 418 : 200;
        send_whole(x, status, "", x.source.to_string() + ' ' + x.method->resource_path);
    }
};

class PipelineTest : public testing::Test {
protected:
    explicit PipelineTest(const std::string& yaml = kApis,
                          std::span<const FilterEntry> filters = {})
        : site_{yaml, filters, [](const MethodBuild&) -> Result<IntegrationPtr> {
                    return IntegrationPtr{std::make_unique<Obeys>()};
                }} {}

    /// What the client reads for this request; the connection is closed behind it.
    std::string answer(const std::string& text, const std::string& peer = "192.0.2.1") {
        Incoming incoming{site_, text, peer};
        site_.thread.run([&] { serve(incoming); });
        EXPECT_TRUE(site_.thread.until([&] { return served_; }));
        site_.thread.run([&] {
            keep_alive_ = incoming.stream->keep_alive();
            incoming.stream.reset();
            incoming.transport.reset();
        });
        std::string got = incoming.client().read_all();
        end_ = incoming.client().end();
        return got;
    }
    Detached serve(Incoming& incoming) {
        served_ = false;
        co_await pipeline_.serve(incoming.request, *incoming.stream);
        served_ = true;
    }
    std::string body_of(const std::string& text) {
        const auto at = text.find("\r\n\r\n");
        return at == text.npos ? "no answer" : text.substr(at + 4);
    }
    telemetry::SeriesCells& cells(const std::string& resource = "", const std::string& verb = "") {
        return site_.metrics.series({"a", "s", resource, verb}).cells(0);
    }

    Site site_;
    Pipeline pipeline_{*site_.worker, site_.snapshot};
    bool served_ = false;
    bool keep_alive_ = false;
    Peer::End end_ = Peer::End::open;
};

TEST_F(PipelineTest, CallsTheMethodThatMatches) {
    EXPECT_EQ(body_of(answer(get("/s/pets"))), "192.0.2.1 /pets");
    EXPECT_EQ(body_of(answer(get("/s/pets/7?x=1"))), "192.0.2.1 /pets/{id}");
    EXPECT_TRUE(keep_alive_);
}

TEST_F(PipelineTest, AnswersWhatNoMethodServes) {
    const std::string text = answer(get("/s/nothing/here"));
    EXPECT_TRUE(text.starts_with("HTTP/1.1 403 Forbidden\r\n")) << text;
    EXPECT_EQ(body_of(text), R"({"message":"Missing Authentication Token"})");
    EXPECT_EQ(cells().requests.value(), 1U) << "counts under API and stage (contract 10)";
    EXPECT_EQ(site_.metrics.worker(0).unrouted.value(), 0U);
}

TEST_F(PipelineTest, AnswersWhatReachesNoStage) {
    EXPECT_EQ(body_of(answer(get("/elsewhere"))), R"({"message":"Forbidden"})");
    EXPECT_EQ(site_.metrics.worker(0).unrouted.value(), 1U);
    EXPECT_EQ(cells().requests.value(), 0U);
}

TEST_F(PipelineTest, RefusesTargetsAndConnectionFieldsWithTwoMeanings) {
    std::string names = "Host: h\r\nConnection: a";
    for (std::size_t i = 0; i < ConnectionTokens::kMax; ++i)
        names += ", a" + std::to_string(i);
    for (const std::string& text :
         {get("/s/%2e%2e/admin"), get("/s/a%00"), get("/s/pets", names + "\r\n")}) {
        const std::string got = answer(text);
        EXPECT_TRUE(got.starts_with("HTTP/1.1 400 ")) << text << got;
        EXPECT_EQ(body_of(got), R"({"message":"Bad Request"})");
        EXPECT_FALSE(keep_alive_);
    }
}

TEST_F(PipelineTest, NamesEachRequestUnlessTheClientDid) {
    const auto id_of = [](const std::string& text) {
        return text.substr(text.find("x-amzn-RequestId: ") + 18, 36);
    };
    const std::string first = id_of(answer(get("/s/pets")));
    EXPECT_TRUE(Uuid::is_uuid(first));
    EXPECT_NE(id_of(answer(get("/s/pets"))), first);
    const std::string mine = "01234567-89ab-cdef-0123-456789abcdef";
    EXPECT_EQ(id_of(answer(get("/s/pets", "Host: h\r\nX-Amzn-RequestId: " + mine + "\r\n"))), mine);
    const std::string forged = id_of(answer(get("/s/pets", "Host: h\r\nx-amzn-RequestId: x\r\n")));
    EXPECT_TRUE(Uuid::is_uuid(forged)) << forged;
}

TEST_F(PipelineTest, AnswersForAnIntegrationThatFails) {
    const std::string text = answer(get("/s/pets", "Host: h\r\nX-Do: fail\r\n"));
    EXPECT_EQ(body_of(text), R"({"message":"Endpoint request timed out"})");
    auto& counted = cells("/pets", "GET");
    EXPECT_EQ(counted.errors_5xx.value(), 1U);
    EXPECT_EQ(counted.errors_4xx.value(), 0U);
}

TEST_F(PipelineTest, ResetsTheClientWhenTheAnswerStaysIncomplete) {
    answer(get("/s/pets", "Host: h\r\nX-Do: half\r\n"));
    EXPECT_EQ(end_, Peer::End::reset);
    EXPECT_FALSE(keep_alive_);
}

TEST_F(PipelineTest, Counts499WhenThereWasNoAnswer) {
    EXPECT_EQ(answer(get("/s/pets", "Host: h\r\nX-Do: nothing\r\n")), "");
    EXPECT_EQ(end_, Peer::End::reset);
    EXPECT_EQ(cells("/pets", "GET").errors_4xx.value(), 1U);
    EXPECT_NE(site_.metrics.render().find("code=\"499\""), std::string::npos);
}

TEST_F(PipelineTest, CountsEveryRequestOnceAtItsMethod) {
    answer(get("/s/pets"));
    answer(get("/s/pets", "Host: h\r\nX-Do: teapot\r\n"));
    answer(get("/s/pets/1"));
    auto& pets = cells("/pets", "GET");
    EXPECT_EQ(pets.requests.value(), 2U);
    EXPECT_EQ(pets.errors_4xx.value(), 1U);
    EXPECT_EQ(pets.errors_5xx.value(), 0U);
    std::uint64_t timed = 0;
    for (const auto& bucket : pets.latency.buckets)
        timed += bucket.value();
    EXPECT_EQ(timed, 2U);
    EXPECT_EQ(cells("/pets/{id}", "ANY").requests.value(), 1U);
}

TEST_F(PipelineTest, AnswersWhatIsNotARequestInTheGatewaysWords) {
    Incoming incoming{site_, get("/ignored")};
    site_.thread.run([&] { pipeline_.refuse(431, "head_too_large", *incoming.stream); });
    EXPECT_TRUE(incoming.client().read_message().ends_with(
        R"({"message":"Request Header Fields Too Large"})"));
    EXPECT_EQ(site_.metrics.worker(0).refused.value(), 1U);
}

/// Waits for bytes of the body before it passes.
class WaitsForBody final : public Filter {
public:
    Verdict on_request(Exchange&) const override { return Verdict::wait; }
    Task<Verdict> on_request_async(Exchange& x) const override {
        const auto patience = std::chrono::steady_clock::now() + ::test::kLongEnough;
        while (x.client.read_body().state == http::Stream::Body::blocked) {
            co_await net::wait(x.client.channel(), patience);
        }
        co_return Verdict::pass;
    }
};

const FilterEntry kWaits[] = {{"waits", [](const MethodBuild& build) -> FilterPtr {
                                   if (build.resource.path == "/pets") return nullptr;
                                   return std::make_unique<WaitsForBody>();
                               }}};

class WaitingPipelineTest : public PipelineTest {
protected:
    WaitingPipelineTest() : PipelineTest{kApis, kWaits} {}
};

TEST_F(WaitingPipelineTest, KeepsItsSnapshotWhileItWaits) {
    Incoming incoming{site_, "PUT /s/pets/1 HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\n"};
    const std::weak_ptr<const Snapshot> before = site_.snapshot;
    site_.thread.run([&] { serve(incoming); });
    EXPECT_FALSE(site_.thread.run([&] { return served_; }));
    site_.use(R"(
restApis: [ { id: b, resources: { /new: { GET: { integration: { type: MOCK } } } } } ]
stages: [ { restApiId: b, stageName: t } ]
)");
    site_.thread.run([&] { pipeline_.use(site_.snapshot); });
    EXPECT_FALSE(before.expired());
    incoming.client().send("x");
    EXPECT_TRUE(incoming.client().read_message().ends_with("192.0.2.1 /pets/{id}"));
    ASSERT_TRUE(site_.thread.until([&] { return served_; }));
    EXPECT_TRUE(before.expired());
    EXPECT_EQ(body_of(answer(get("/t/new"))), "192.0.2.1 /new");
    EXPECT_EQ(body_of(answer(get("/s/pets"))), R"({"message":"Forbidden"})");
}

class RefusingPipelineTest : public PipelineTest {
protected:
    class Refuses final : public Filter {
    public:
        Verdict on_request(Exchange& x) const override {
            x.refused_by = state::Level::plan;
            return x.reply(Reply::throttled);
        }
    };
    static constexpr FilterEntry kFilters[] = {
        {"refuses", [](const MethodBuild&) -> FilterPtr { return std::make_unique<Refuses>(); }}};
    RefusingPipelineTest() : PipelineTest{kApis, kFilters} {}
};

TEST_F(RefusingPipelineTest, DoesNotCallTheIntegrationBehindARefusal) {
    EXPECT_EQ(body_of(answer(get("/s/pets"))), R"({"message":"Too Many Requests"})");
    auto& counted = cells("/pets", "GET");
    EXPECT_EQ(counted.throttled[static_cast<std::size_t>(state::Level::plan)].value(), 1U);
    EXPECT_EQ(counted.errors_4xx.value(), 1U);
    EXPECT_EQ(counted.quota_exceeded.value(), 0U);
}

class DomainPipelineTest : public PipelineTest {
protected:
    DomainPipelineTest()
        : PipelineTest{kApis + R"(
domainNames:
  - { domainName: api.test, basePathMappings: [ { basePath: v1, restApiId: a, stage: s } ] }
server: { trustedProxies: [10.0.0.0/8] }
)"} {}
};

TEST_F(DomainPipelineTest, AnswersHealthChecksOfItsDomains) {
    for (const auto* path : {"/ping", "/sping"}) {
        EXPECT_EQ(body_of(answer(get(path, "Host: api.test\r\n"))), "healthy");
    }
    EXPECT_EQ(body_of(answer(get("/ping", "Host: other.test\r\n"))), R"({"message":"Forbidden"})");
}

TEST_F(DomainPipelineTest, TakesTheClientFromATrustedProxy) {
    const std::string fields = "Host: API.test.:80\r\nX-Forwarded-For: 198.51.100.9\r\n";
    EXPECT_EQ(body_of(answer(get("/v1/pets", fields), "10.0.0.1")), "198.51.100.9 /pets");
    EXPECT_EQ(body_of(answer(get("/v1/pets", fields), "192.0.2.1")), "192.0.2.1 /pets");
}

}  // namespace
}  // namespace sluice::gateway
