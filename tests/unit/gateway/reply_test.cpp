// SPDX-License-Identifier: Apache-2.0
#include "gateway/reply.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace sluice {
namespace {

constexpr auto kStandard = config::Compatibility::standard;
constexpr auto kAws = config::Compatibility::aws;

struct Row {
    Reply reply;
    int status, aws_status;
    std::string_view body, error_type, response_type;
};

/// Contract 5 and aws-semantics 6.1, word for word.
TEST(Reply, SaysWhatTheReferenceSays) {
    const Row rows[] = {
        {Reply::missing_authentication_token, 403, 403,
         R"({"message":"Missing Authentication Token"})", "MissingAuthenticationTokenException",
         "MISSING_AUTHENTICATION_TOKEN"},
        {Reply::forbidden, 403, 403, R"({"message":"Forbidden"})", "ForbiddenException", ""},
        {Reply::invalid_api_key, 403, 403, R"({"message":"Forbidden"})", "ForbiddenException",
         "INVALID_API_KEY"},
        {Reply::throttled, 429, 429, R"({"message":"Too Many Requests"})",
         "TooManyRequestsException", "THROTTLED"},
        {Reply::quota_exceeded, 429, 429, R"({"message":"Limit Exceeded"})",
         "LimitExceededException", "QUOTA_EXCEEDED"},
        {Reply::integration_timeout, 504, 504, R"({"message":"Endpoint request timed out"})",
         "InternalServerErrorException", "INTEGRATION_TIMEOUT"},
        {Reply::integration_failure, 502, 504,
         R"({"message":"Network error communicating with endpoint"})",
         "InternalServerErrorException", "INTEGRATION_FAILURE"},
        {Reply::api_configuration_error, 500, 500, R"({"message":"Internal server error"})",
         "InternalServerErrorException", "API_CONFIGURATION_ERROR"},
        {Reply::internal_error, 500, 500, R"({"message":"Internal server error"})",
         "InternalServerErrorException", "DEFAULT_5XX"},
        {Reply::service_unavailable, 503, 503, R"({"message":"Service Unavailable"})",
         "ServiceUnavailableException", "DEFAULT_5XX"},
        {Reply::bad_request, 400, 400, R"({"message":"Bad Request"})", "BadRequestException",
         "DEFAULT_4XX"}};
    for (const Row& row : rows) {
        const ReplyText& standard = describe(row.reply, kStandard);
        const ReplyText& aws = describe(row.reply, kAws);
        EXPECT_EQ(standard.status, row.status) << row.body;
        EXPECT_EQ(aws.status, row.aws_status) << row.body;
        for (const ReplyText* text : {&standard, &aws}) {
            EXPECT_EQ(text->body, row.body);
            EXPECT_EQ(text->error_type, row.error_type);
            EXPECT_EQ(text->response_type, row.response_type);
            EXPECT_EQ(text->content_type, "application/json");
        }
    }
}

TEST(Reply, IsCompleteForEveryKind) {
    for (int i = 1; i < static_cast<int>(Reply::count_); ++i) {
        for (const auto personality : {kStandard, kAws}) {
            const ReplyText& text = describe(static_cast<Reply>(i), personality);
            EXPECT_GE(text.status, 400) << i;
            EXPECT_FALSE(text.error_type.empty()) << i;
            EXPECT_FALSE(text.message.empty()) << i;
            if (text.content_type != "application/json") continue;
            const auto body = nlohmann::json::parse(text.body);
            const bool capital = static_cast<Reply>(i) == Reply::access_denied_cache;
            EXPECT_EQ(body.at(capital ? "Message" : "message"), text.message);
            EXPECT_EQ(text.body.find("\": "), std::string_view::npos) << "contract 10";
        }
    }
}

TEST(Reply, IsPlainTextForLongBodiesInAws) {
    const ReplyText& aws = describe(Reply::request_too_large, kAws);
    EXPECT_EQ(aws.body, "HTTP content length exceeded 10485760 bytes.");
    EXPECT_EQ(aws.content_type, "text/plain");
    const ReplyText& standard = describe(Reply::request_too_large, kStandard);
    EXPECT_EQ(standard.body, R"({"message":"Request Too Long"})");
    EXPECT_EQ(standard.content_type, "application/json");
    for (const ReplyText* text : {&standard, &aws}) {
        EXPECT_EQ(text->status, 413);
        EXPECT_EQ(text->error_type, "RequestTooLargeException");
        EXPECT_EQ(text->response_type, "REQUEST_TOO_LARGE");
    }
}

TEST(Reply, CarriesRetryAfterInStandardOnly) {
    for (int i = 0; i < static_cast<int>(Reply::count_); ++i) {
        const auto reply = static_cast<Reply>(i);
        const int status = describe(reply, kStandard).status;
        EXPECT_EQ(describe(reply, kStandard).retry_after, status == 429 || status == 503);
        EXPECT_FALSE(describe(reply, kAws).retry_after);
    }
}

/// Robustness 1.1: each of these closes the connection, and only these.
TEST(Reply, AnswersProtocolRefusalsByStatus) {
    for (const int status : {400, 405, 408, 413, 414, 417, 431, 501, 505}) {
        const Reply reply = reply_for_status(status);
        EXPECT_EQ(describe(reply, kStandard).status, status);
        EXPECT_TRUE(describe(reply, kStandard).closes) << status;
    }
    EXPECT_EQ(reply_for_status(500), Reply::internal_error);
    EXPECT_EQ(reply_for_status(503), Reply::service_unavailable);
    EXPECT_EQ(reply_for_status(418), Reply::bad_request);
    EXPECT_EQ(reply_for_status(-1), Reply::bad_request);
    EXPECT_FALSE(describe(Reply::throttled, kStandard).closes);
    EXPECT_FALSE(describe(Reply::integration_failure, kStandard).closes);
}

TEST(Reply, KnowsReasonPhrases) {
    EXPECT_EQ(reason_phrase(200), "OK");
    EXPECT_EQ(reason_phrase(429), "Too Many Requests");
    EXPECT_EQ(reason_phrase(431), "Request Header Fields Too Large");
    EXPECT_EQ(reason_phrase(299), "Unknown");
    EXPECT_EQ(reason_phrase(-5), "Unknown");
}

TEST(Reply, NamesTheMethodThatMayNotBeInvalidated) {
    EXPECT_EQ(access_denied_body("petstore", "prod", "GET", "pets/1"),
              R"({"Message":"User: anonymous is not authorized to perform: )"
              R"(execute-api:InvalidateCache on resource: )"
              R"(arn:aws:execute-api:local:********0000:petstore/prod/GET/pets/1"})");
    const auto body = nlohmann::json::parse(
        access_denied_body("a", "b", "GET", std::string{"\"\\\n\x01\xff", 5}));
    EXPECT_NE(body.at("Message").get<std::string>().find("GET/\"\\\n\x01"), std::string::npos);
}

}  // namespace
}  // namespace sluice
