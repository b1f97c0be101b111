// SPDX-License-Identifier: Apache-2.0
#include "gateway/context.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "support/call.hpp"

namespace sluice::gateway {
namespace {

using std::chrono::milliseconds;
using ::test::Call;
using ::test::Site;

class ContextTest : public testing::Test {
protected:
    ~ContextTest() override {
        std::error_code ignored;
        std::filesystem::remove(path_, ignored);
    }
    std::string yaml(const std::string& format) const {
        return R"(
restApis: [ { id: petstore, resources: { "/pets/{id}": { ANY: { integration: { type: MOCK } } } } } ]
stages:
  - restApiId: petstore
    stageName: prod
    accessLogSettings: { format: ')" +
               format + "', destination: " + path_ + R"( }
domainNames:
  - { domainName: api.test, basePathMappings: [ { basePath: v1, restApiId: petstore, stage: prod } ] }
)";
    }
    /// The line written for this request when `change` has been done to its exchange, without the
    /// request id that every format must have.
    template <class Change>
    std::string line(const std::string& format, const std::string& request, Change change) {
        Site site{yaml("$context.requestId " + format)};
        {
            Call call{site, request};
            site.thread.run([&] {
                Exchange& x = call.x();
                x.id.text.fill('i');
                change(x);
                write_access_line(x, milliseconds{1234});
                x.stage->log_file->flush(0);
            });
        }
        site.logs.drain();
        std::ostringstream text;
        text << std::ifstream{path_}.rdbuf();
        const std::string id(36, 'i');
        EXPECT_TRUE(text.str().starts_with(id + ' ')) << text.str();
        return text.str().substr(id.size() + 1);
    }

    std::string path_ = (std::filesystem::temp_directory_path() /
                         ("sluice-context-" + std::to_string(::getpid()) + ".log"))
                            .string();
};

constexpr const char* kRequest =
    "PUT /v1/pets/7?secret=1 HTTP/1.0\r\nHost: api.test:80\r\nUser-Agent: curl\r\n\r\n";

TEST_F(ContextTest, SaysWhatWasAsked) {
    EXPECT_EQ(
        line("$context.httpMethod $context.path $context.protocol $context.apiId "
             "$context.stage $context.resourcePath $context.identity.sourceIp "
             "$context.identity.userAgent",
             kRequest, [](Exchange& x) { x.client.start_response(200, http::Framing::length); }),
        "PUT /v1/pets/7 HTTP/1.0 petstore prod /pets/{id} 192.0.2.1 curl\n");
}

TEST_F(ContextTest, SaysHowItWasAnswered) {
    EXPECT_EQ(line("$context.status $context.responseLength $context.responseLatency "
                   "$context.integration.status $context.integration.latency",
                   kRequest,
                   [](Exchange& x) {
                       x.client.start_response(201, http::Framing::length);
                       x.client.send("head", "body", true);
                       x.integration_status = 202;
                       x.integration_latency = milliseconds{56};
                   }),
              "201 4 1234 202 56\n");
}

TEST_F(ContextTest, SaysWhyItWasRefused) {
    EXPECT_EQ(line("$context.status $context.error.responseType $context.error.message "
                   "$context.integration.status",
                   kRequest,
                   [](Exchange& x) {
                       x.reply(Reply::throttled);
                       send_reply(x);
                   }),
              R"(429 THROTTLED Too\x20Many\x20Requests -)"
              "\n");
}

TEST_F(ContextTest, Says499WhenTheClientLeftBeforeTheAnswer) {
    EXPECT_EQ(line("$context.status", kRequest, [](Exchange&) {}), "499\n");
}

TEST_F(ContextTest, NamesTheKeyAndNeverItsValue) {
    state::LimitRegistry limits;
    const auto plan = limits.plan("gold", {});
    const PlanUse use{.use = limits.key_use("gold", "k1")};
    EXPECT_EQ(line("$context.identity.apiKeyId",
                   "GET /v1/pets/7 HTTP/1.1\r\nHost: api.test\r\nx-api-key: hush-hush\r\n\r\n",
                   [&](Exchange& x) { x.plan_use = &use; }),
              "k1\n");
}

}  // namespace
}  // namespace sluice::gateway
