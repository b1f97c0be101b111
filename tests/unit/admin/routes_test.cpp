// SPDX-License-Identifier: Apache-2.0
#include "admin/routes.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace sluice::admin {
namespace {

using nlohmann::json;

Reply ask(const Hooks& hooks, const std::string& method, const std::string& target) {
    std::optional<Reply> out;
    serve(hooks, parse_request(method, target).value(), [&](Reply r) { out = std::move(r); });
    return out.value_or(Reply{.status = 0});
}

std::string field(const Reply& reply, const std::string& name) {
    for (const auto& [n, value] : reply.fields) {
        if (n == name) return value;
    }
    return {};
}

TEST(Routes, MetricsAreTextOfVersion004) {
    const Reply r = ask({.metrics = [] { return "a 1\n"; }}, "GET", "/metrics");
    EXPECT_EQ(r.status, 200U);
    EXPECT_EQ(r.body, "a 1\n");
    EXPECT_EQ(r.content_type, "text/plain; version=0.0.4; charset=utf-8");
}

TEST(Routes, HealthIsAlwaysGoodReadinessHasReasons) {
    std::optional<std::string> reason = "draining";
    const Hooks hooks{.ready = [&] { return reason; }};
    EXPECT_EQ(ask(hooks, "GET", "/healthz").status, 200U);
    const Reply no = ask(hooks, "GET", "/readyz");
    EXPECT_EQ(no.status, 503U);
    EXPECT_EQ(json::parse(no.body)["reason"], "draining");
    reason.reset();
    EXPECT_EQ(ask(hooks, "GET", "/readyz").status, 200U);
    EXPECT_EQ(ask({}, "GET", "/readyz").status, 200U);
}

TEST(Routes, SaysItsVersionAndConfiguration) {
    EXPECT_EQ(json::parse(ask({}, "GET", "/version").body)["version"], SLUICE_VERSION);
    const Reply r = ask({.config_json = [] { return R"({"listeners":[]})"; }}, "GET", "/config");
    EXPECT_EQ(r.body, R"({"listeners":[]})");
    EXPECT_EQ(r.content_type, "application/json");
}

TEST(Routes, UsageReachesTheHookChecked) {
    UsageQuery seen;
    const Hooks hooks{
        .usage = [&](const UsageQuery& q) -> std::optional<std::vector<PlanUsage>> {
            seen = q;
            if (q.usage_plan_id != "gold") return std::nullopt;
            return {{{.usage_plan_id = "gold", .keys = {{"k1", {{1, 9}}}}}}};
        },
        .now = [] { return WallTime{std::chrono::sys_days{std::chrono::year{2026} / 11 / 21}}; }};
    const Reply r = ask(hooks, "GET", "/usage?usagePlanId=gold&keyId=k1");
    EXPECT_EQ(r.body, R"({"usagePlanId":"gold","startDate":"2026-11-21","endDate":"2026-11-21",)"
                      R"("values":{"k1":[[1,9]]}})");
    EXPECT_EQ(seen.key_id, "k1");
    const Reply unknown = ask(hooks, "GET", "/usage?usagePlanId=lead");
    EXPECT_EQ(unknown.status, 404U);
    EXPECT_EQ(field(unknown, "x-amzn-ErrorType"), "NotFoundException");
    seen = {};
    const Reply bad = ask(hooks, "GET", "/usage?usagePlanId=gold&startDate=now");
    EXPECT_EQ(bad.status, 400U);
    EXPECT_EQ(field(bad, "x-amzn-ErrorType"), "BadRequestException");
    EXPECT_TRUE(seen.usage_plan_id.empty());
}

TEST(Routes, ListsApisByTheirWireNames) {
    const Hooks hooks{.apis = [] {
        return std::vector<ApiObject>{
            {.id = "c72z3thtq8",
             .name = "helloworld-API",
             .created_date = "2022-11-11T09:17:35Z",
             .stages = {{.name = "prod", .cache_enabled = true, .variables = {{"a", "b"}}}}}};
    }};
    EXPECT_EQ(json::parse(ask(hooks, "GET", "/apis").body), json::parse(R"({"items":[{
        "apiId":"c72z3thtq8","name":"helloworld-API","protocolType":"HTTP",
        "createdDate":"2022-11-11T09:17:35Z",
        "apiKeySelectionExpression":"$request.header.x-api-key","tags":{},
        "stages":[{"stageName":"prod","cacheClusterEnabled":true,"variables":{"a":"b"}}]}]})"));
}

TEST(Routes, AReloadAnswersWhenItIsDone) {
    std::function<void(ReloadResult)> finish;
    const Hooks hooks{.reload = [&](auto done) { finish = std::move(done); }};
    std::optional<Reply> reply;
    serve(hooks, parse_request("POST", "/reload").value(), [&](Reply r) { reply = r; });
    EXPECT_FALSE(reply);
    finish({.ok = true});
    ASSERT_TRUE(reply);
    EXPECT_EQ(reply->status, 200U);
    EXPECT_EQ(reply->body, R"({"status":"reloaded","problems":[]})");
}

TEST(Routes, ARefusedReloadNamesEveryProblem) {
    const config::Problems problems{
        {.severity = config::Severity::error, .where = {"a.yaml", 3, 5}, .message = "bad key"},
        {.severity = config::Severity::warning, .where = {"b.yaml", 1, 1}, .message = "odd"}};
    const Hooks hooks{.reload = [&](auto done) { done({.ok = false, .problems = problems}); }};
    const Reply r = ask(hooks, "POST", "/reload");
    EXPECT_EQ(r.status, 422U);
    EXPECT_EQ(json::parse(r.body)["problems"], json::parse(R"([
        {"severity":"error","file":"a.yaml","line":3,"column":5,"message":"bad key"},
        {"severity":"warning","file":"b.yaml","line":1,"column":1,"message":"odd"}])"));
}

TEST(Routes, FlushesTheCacheOfAStage) {
    std::string flushed;
    const Hooks hooks{.flush_cache = [&](std::string_view api, std::string_view stage) {
        flushed = std::string{api} + "/" + std::string{stage};
        return flushed == "petstore/prod";
    }};
    const Reply yes = ask(hooks, "DELETE", "/restapis/petstore/stages/prod/cache/data");
    EXPECT_EQ(yes.status, 202U);
    EXPECT_EQ(yes.body, "");
    const Reply no = ask(hooks, "DELETE", "/restapis/petstore/stages/p%2Fd/cache/data");
    EXPECT_EQ(flushed, "petstore/p/d");
    EXPECT_EQ(no.status, 404U);
    EXPECT_EQ(field(no, "x-amzn-ErrorType"), "NotFoundException");
    flushed.clear();
    EXPECT_EQ(ask(hooks, "DELETE", "/restapis//stages/prod/cache/data").status, 404U);
    EXPECT_EQ(ask(hooks, "DELETE", "/restapis/a/stages/b/cache").status, 404U);
    EXPECT_EQ(ask(hooks, "DELETE", "/restapis/a/stages/b/cache/data/x").status, 404U);
    EXPECT_EQ(flushed, "");
}

TEST(Routes, WrongMethodsAreToldTheRightOnes) {
    const Reply post = ask({}, "POST", "/metrics");
    EXPECT_EQ(post.status, 405U);
    EXPECT_EQ(field(post, "Allow"), "GET, HEAD");
    EXPECT_EQ(field(ask({}, "GET", "/reload"), "Allow"), "POST");
    EXPECT_EQ(field(ask({}, "HEAD", "/reload"), "Allow"), "POST");
    EXPECT_EQ(field(ask({}, "GET", "/restapis/a/stages/b/cache/data"), "Allow"), "DELETE");
    EXPECT_EQ(ask({}, "HEAD", "/healthz").status, 200U);
    EXPECT_EQ(ask({}, "get", "/healthz").status, 405U);
}

TEST(Routes, UnknownPathsAndAbsentHooksAreNotFound) {
    for (const char* const path : {"/index", "/nothing", "/metrics/", "/Metrics", "//metrics"}) {
        EXPECT_EQ(ask({.metrics = [] { return ""; }}, "GET", path).status, 404U) << path;
    }
    for (const char* const path : {"/metrics", "/config", "/usage", "/apis", "/status",
                                   "/metrics/cloudwatch", "/monitoring/metrics"}) {
        EXPECT_EQ(ask({}, "GET", path).status, 404U) << path;
    }
    EXPECT_EQ(ask({}, "POST", "/reload").status, 404U);
}

TEST(Routes, OnlyHealthReadinessAndTheEmptyPageNeedNoToken) {
    const auto needs = [](const char* path) {
        return needs_token(parse_request("GET", path).value());
    };
    EXPECT_FALSE(needs("/healthz"));
    EXPECT_FALSE(needs("/readyz"));
    EXPECT_FALSE(needs("/"));
    for (const char* const path :
         {"//", "/status", "/metrics", "/healthz/", "/config", "/healthz/../config"}) {
        EXPECT_TRUE(needs(path)) << path;
    }
}

}  // namespace
}  // namespace sluice::admin
