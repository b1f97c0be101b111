// SPDX-License-Identifier: Apache-2.0
#include "integrations/mock.hpp"

#include <gtest/gtest.h>

#include <string>

#include "integrations/registry.hpp"
#include "support/call.hpp"

namespace sluice::integrations {
namespace {

using ::test::Call;
using ::test::Site;

/// What MOCK with this definition answers to a request.
std::string answer(const std::string& definition, const std::string& verb = "GET") {
    const auto make = [](const gateway::MethodBuild& build) { return make_integration(build, {}); };
    Site site{R"(
restApis: [ { id: a, resources: { /x: { ANY: { integration: { type: MOCK)" +
                  definition +
                  R"( } } } } } ]
stages: [ { restApiId: a, stageName: s } ]
)",
              {},
              make};
    Call call{site, verb + " /s/x HTTP/1.1\r\nHost: h\r\n\r\n"};
    call.start();
    EXPECT_TRUE(call.finished());
    EXPECT_EQ(call.x().reply_type, Reply::none);
    EXPECT_TRUE(call.x().client.response_complete());
    return call.client().read_message();
}
bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

TEST(Mock, AnswersWithStatusFieldsAndBody) {
    const std::string text =
        answer(R"(, statusCode: 201, headers: { X-A: "1", X-B: "2" }, body: "made up")");
    EXPECT_TRUE(text.starts_with("HTTP/1.1 201 Created\r\nX-A: 1\r\nX-B: 2\r\n")) << text;
    EXPECT_TRUE(has(text, "Content-Length: 7\r\n")) << text;
    EXPECT_TRUE(has(text, "\r\nDate: ")) << text;
    EXPECT_TRUE(text.ends_with("\r\n\r\nmade up")) << text;
}

TEST(Mock, IsJsonUnlessItSaysOtherwise) {
    EXPECT_TRUE(has(answer(""), "Content-Type: application/json\r\n"));
    const std::string text = answer(R"(, headers: { content-type: text/plain })");
    EXPECT_TRUE(has(text, "content-type: text/plain\r\n"));
    EXPECT_FALSE(has(text, "application/json"));
}

TEST(Mock, SendsNoBodyToAHeadRequest) {
    const auto make = [](const gateway::MethodBuild& build) { return make_integration(build, {}); };
    Site site{R"(
restApis: [ { id: a, resources: { /x: { ANY: { integration: { type: MOCK, body: unseen } } } } } ]
stages: [ { restApiId: a, stageName: s } ]
)",
              {},
              make};
    Call call{site, "HEAD /s/x HTTP/1.1\r\nHost: h\r\n\r\n"};
    call.start();
    ASSERT_TRUE(call.finished());
    EXPECT_TRUE(has(call.client().read_until("\r\n\r\n"), "Content-Length: 6\r\n"));
    EXPECT_EQ(call.x().client.response_body_bytes(), 0U);
}

struct Policy final : gateway::StoragePolicy {
    const gateway::CacheKey& key() const override { return key_; }
    std::chrono::seconds ttl() const override { return std::chrono::seconds{30}; }
    gateway::CacheKey key_ =
        *gateway::CacheKey::compile({}, {}, {}, {}, config::Compatibility::standard);
};

TEST(Mock, FillsTheCacheWhenItLeads) {
    const auto make = [](const gateway::MethodBuild& build) { return make_integration(build, {}); };
    Site site{R"(
restApis: [ { id: a, resources: { /x: { GET: { integration: { type: MOCK, body: kept } } } } } ]
stages: [ { restApiId: a, stageName: s } ]
)",
              {},
              make};
    state::CacheStore store{1 << 20, 1 << 16, 1};
    const Policy policy;
    const std::uint64_t hash = state::CacheStore::hash("k");
    Call call{site, "GET /s/x HTTP/1.1\r\nHost: h\r\n\r\n"};
    call.x().caching = &policy;
    site.thread.run([&] { call.x().fill = store.refresh("k", hash); });
    call.start();
    ASSERT_TRUE(call.finished());
    const auto hit = store.find("k", hash, call.x().started + std::chrono::seconds{29}, 0);
    ASSERT_TRUE(hit);
    EXPECT_EQ(hit->body, "kept");
    EXPECT_EQ(hit->fields, "Content-Type: application/json\r\n") << "without a date of its own";
    EXPECT_FALSE(store.find("k", hash, call.x().started + std::chrono::seconds{31}, 0));
}

}  // namespace
}  // namespace sluice::integrations
