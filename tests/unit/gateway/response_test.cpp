// SPDX-License-Identifier: Apache-2.0
#include "gateway/response.hpp"

#include <gtest/gtest.h>

#include <string>

#include "support/call.hpp"

namespace sluice::gateway {
namespace {

using namespace std::chrono_literals;
using ::test::Call;
using ::test::Incoming;
using ::test::Site;

const WallTime kNow{std::chrono::sys_days{std::chrono::year{2026} / 11 / 21} + 8h + 5min + 3s};
constexpr const char* kDate = "Date: Sat, 21 Nov 2026 08:05:03 GMT\r\n";
constexpr const char* kGet = "GET /s/x HTTP/1.1\r\nHost: h\r\n\r\n";

std::string yaml(const std::string& compatibility) {
    return "compatibility: " + compatibility + R"(
restApis: [ { id: a, resources: { /x: { ANY: { integration: { type: MOCK } } } } } ]
stages: [ { restApiId: a, stageName: s } ]
)";
}

TEST(WriteStatusLine, NamesVersionStatusAndReason) {
    ByteWriter out{64};
    write_status_line(out, 404, "Not Found");
    EXPECT_EQ(out.view(), "HTTP/1.1 404 Not Found\r\n");
}

TEST(WriteDate, IsTheSecondItIsAskedFor) {
    ByteWriter out{64};
    write_date(out, kNow + 999ms);
    EXPECT_EQ(out.view(), kDate);
    out.clear();
    write_date(out, kNow + 1000ms);
    EXPECT_EQ(out.view(), "Date: Sat, 21 Nov 2026 08:05:04 GMT\r\n");
}

class ResponseTest : public testing::TestWithParam<std::string> {
protected:
    /// What the client reads when `send` has been called.
    template <class Send>
    std::string sent(const std::string& request, Send send) {
        Call call{site_, request};
        Exchange& x = call.x();
        x.wall = kNow;
        x.id.text.fill('i');
        x.extended_id.text.fill('e');
        site_.thread.run([&] {
            send(x);
            EXPECT_TRUE(x.client.response_complete());
            keep_alive_ = x.client.keep_alive();
        });
        site_.thread.run([&] { ::shutdown(x.client.channel().fd(), SHUT_WR); });
        return call.client().read_all();
    }
    static std::string ids() {
        return "x-amzn-RequestId: " + std::string(36, 'i') +
               "\r\nx-amz-apigw-id: " + std::string(16, 'e') + "\r\n";
    }

    Site site_{yaml(GetParam())};
    bool keep_alive_ = false;
};

using StandardResponse = ResponseTest;
using AwsResponse = ResponseTest;
INSTANTIATE_TEST_SUITE_P(Standard, StandardResponse, testing::Values("standard"));
INSTANTIATE_TEST_SUITE_P(Aws, AwsResponse, testing::Values("aws"));

TEST_P(StandardResponse, IsAReplyOfTheGateway) {
    const std::string text = sent(kGet, [](Exchange& x) {
        x.reply(Reply::throttled);
        x.retry_after = 1200ms;
        send_reply(x);
    });
    EXPECT_EQ(text,
              "HTTP/1.1 429 Too Many Requests\r\nContent-Type: application/json\r\n"
              "x-amzn-ErrorType: TooManyRequestsException\r\nRetry-After: 2\r\n" +
                  std::string{kDate} + "Content-Length: 31\r\n" + ids() +
                  "\r\n{\"message\":\"Too Many Requests\"}");
    EXPECT_TRUE(keep_alive_);
}

TEST_P(StandardResponse, NeverAsksToRetryAtOnce) {
    const std::string text = sent(kGet, [](Exchange& x) {
        x.reply(Reply::service_unavailable);
        send_reply(x);
    });
    EXPECT_NE(text.find("Retry-After: 1\r\n"), std::string::npos) << text;
}

TEST_P(AwsResponse, HasNoRetryAfter) {
    const std::string text = sent(kGet, [](Exchange& x) {
        x.reply(Reply::throttled);
        x.retry_after = 5s;
        send_reply(x);
    });
    EXPECT_TRUE(text.starts_with("HTTP/1.1 429 ")) << text;
    EXPECT_EQ(text.find("Retry-After"), std::string::npos);
}

TEST_P(StandardResponse, TellsAHeadRequestTheLengthWithoutTheBody) {
    const std::string text = sent("HEAD /s/x HTTP/1.1\r\nHost: h\r\n\r\n", [](Exchange& x) {
        x.reply(Reply::forbidden);
        send_reply(x);
    });
    EXPECT_NE(text.find("Content-Length: 23\r\n"), std::string::npos) << text;
    EXPECT_TRUE(text.ends_with("\r\n\r\n")) << text;
}

TEST_P(StandardResponse, ClosesBehindARequestThatCannotBeTrusted) {
    const std::string text = sent(kGet, [](Exchange& x) {
        x.reply(Reply::bad_request);
        send_reply(x);
    });
    EXPECT_NE(text.find("Connection: close\r\n"), std::string::npos) << text;
    EXPECT_FALSE(keep_alive_);
}

TEST_P(StandardResponse, KeepsAnHttp10ConnectionOnlyWhenAskedTo) {
    const auto whole = [](Exchange& x) { send_whole(x, 200, "", "b"); };
    const std::string kept = sent("GET /s/x HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", whole);
    EXPECT_NE(kept.find("Connection: keep-alive\r\n"), std::string::npos) << kept;
    const std::string closed = sent("GET /s/x HTTP/1.0\r\n\r\n", whole);
    EXPECT_NE(closed.find("Connection: close\r\n"), std::string::npos) << closed;
}

TEST_P(StandardResponse, NamesTheMethodThatMayNotBeInvalidated) {
    const std::string text = sent("GET /s/x?q HTTP/1.1\r\nHost: h\r\n\r\n", [](Exchange& x) {
        x.reply(Reply::access_denied_cache);
        send_reply(x);
    });
    EXPECT_NE(text.find(":a/s/GET/x\"}"), std::string::npos) << text;
    EXPECT_NE(text.find("Content-Length: " +
                        std::to_string(text.size() - text.find("\r\n\r\n") - 4) + "\r\n"),
              std::string::npos);
}

TEST_P(StandardResponse, IsSentWhole) {
    const std::string text =
        sent(kGet, [](Exchange& x) { send_whole(x, 201, "A: b\r\n", "body"); });
    EXPECT_EQ(text, "HTTP/1.1 201 Created\r\nA: b\r\nContent-Length: 4\r\n" + ids() + "\r\nbody");
}

TEST_P(StandardResponse, HasNeitherLengthNorBodyWhereNoneMayBe) {
    for (const int status : {204, 304}) {
        const std::string text =
            sent(kGet, [&](Exchange& x) { send_whole(x, status, "", "dropped"); });
        EXPECT_EQ(text.find("Content-Length"), std::string::npos) << text;
        EXPECT_TRUE(text.ends_with("\r\n\r\n")) << text;
    }
}

state::CachedPtr stored(TimePoint when) {
    return std::make_shared<const state::CachedResponse>(
        state::CachedResponse{.status = 200,
                              .fields = "ETag: \"x\"\r\n",
                              .body = "cached",
                              .stored = when,
                              .expires = when + 300s,
                              .initial_age = 10});
}

TEST_P(StandardResponse, SaysHowOldACachedAnswerIs) {
    const std::string text = sent(kGet, [](Exchange& x) {
        x.cached = stored(x.started - 7500ms);
        send_cached(x);
    });
    EXPECT_EQ(text, "HTTP/1.1 200 OK\r\nETag: \"x\"\r\nAge: 17\r\n" + std::string{kDate} +
                        "Content-Length: 6\r\n" + ids() + "\r\ncached");
}

TEST_P(StandardResponse, NeverSaysANegativeAge) {
    const std::string text = sent(kGet, [](Exchange& x) {
        x.cached = stored(x.started + 3s);  // stored by a later request on another worker
        send_cached(x);
    });
    EXPECT_NE(text.find("Age: 10\r\n"), std::string::npos) << text;
}

TEST_P(AwsResponse, HidesTheAgeAndWarnsAboutWhatWasIgnored) {
    const std::string text = sent(kGet, [](Exchange& x) {
        x.cached = stored(x.started);
        x.cache_warning = true;
        send_cached(x);
    });
    EXPECT_EQ(text.find("Age:"), std::string::npos) << text;
    EXPECT_NE(text.find("Warning: " + std::string{kIgnoredWarning} + "\r\n"), std::string::npos);
}

TEST_P(StandardResponse, TellsAHeadRequestNothingOfACachedBody) {
    const std::string text = sent("HEAD /s/x HTTP/1.1\r\nHost: h\r\n\r\n", [](Exchange& x) {
        x.cached = stored(x.started);
        send_cached(x);
    });
    EXPECT_EQ(text.find("cached"), std::string::npos) << text;
}

TEST_P(StandardResponse, RefusesWhatNeverBecameARequest) {
    Incoming incoming{site_, kGet};
    site_.thread.run([&] {
        send_refusal(*incoming.stream, Reply::headers_too_large, config::Compatibility::standard,
                     site_.worker->random, kNow);
        EXPECT_FALSE(incoming.stream->keep_alive());
    });
    const std::string text = incoming.client().read_message();
    EXPECT_TRUE(text.starts_with("HTTP/1.1 431 Request Header Fields Too Large\r\n")) << text;
    EXPECT_NE(text.find("Connection: close\r\n"), std::string::npos);
    EXPECT_NE(text.find("x-amzn-RequestId: "), std::string::npos);
    EXPECT_NE(text.find("x-amz-apigw-id: "), std::string::npos);
    EXPECT_NE(text.find(kDate), std::string::npos);
}

}  // namespace
}  // namespace sluice::gateway
