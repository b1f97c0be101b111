// SPDX-License-Identifier: Apache-2.0
//
// Several gateways that share their limits through a real redis-server, and what they do when it
// fails.
#include "support/redis.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <fstream>

#include "support/load.hpp"
#include "support/proxied.hpp"

namespace test {
namespace {

struct Shared {
    std::string url{};
    std::string on_failure = "local";
    std::string more{};  ///< of state.redis
    std::string throttle = "{ rateLimit: 1000000, burstLimit: 1000000 }";
    std::string quota = "{ limit: 1000000, period: DAY }";
};

std::string yaml(const Shared& s) {
    return R"(
restApis:
  - id: api
    resources:
      /a: { GET: { apiKeyRequired: true, integration: { type: MOCK, body: "a" } } }
      /open: { GET: { integration: { type: MOCK, body: "open" } } }
stages: [ { restApiId: api, stageName: s } ]
usagePlans:
  - id: plan
    apiStages: [ { apiId: api, stage: s } ]
    throttle: )" +
           s.throttle + "\n    quota: " + s.quota + R"(
  - id: anonymous
    meterBy: sourceIp
    apiStages: [ { apiId: api, stage: s } ]
    throttle: { rateLimit: 0.001, burstLimit: 5 }
apiKeys: [ { id: k, name: k, value: redis-key-0123456789abc, enabled: true, usagePlanIds: [plan] } ]
state: { store: redis, redis: { url: ")" +
           s.url + R"(", onFailure: )" + s.on_failure + s.more + " } }\n";
}

const Headers kKey = key("redis-key-0123456789abc");

int admitted(Gateway& gateway, int requests, const std::string& target = "/s/a") {
    Client client = gateway.client();
    int passed = 0;
    for (int i = 0; i < requests; ++i)
        passed += client.get(target, kKey).status == 200;
    return passed;
}

double gauge(Gateway& gateway, const std::string& name) { return gateway.scrape().sum(name); }

bool becomes(Gateway& gateway, const std::string& name, double value) {
    return eventually([&] { return gauge(gateway, name) == value; });
}

std::size_t lines_with(const Gateway& gateway, const std::string& text) {
    const std::string log = gateway.log();
    std::size_t count = 0;
    for (std::size_t at = 0; (at = log.find(text, at)) != std::string::npos; ++at)
        ++count;
    return count;
}

TEST(RedisState, ABucketIsOneForAllGateways) {
    Redis redis;
    const std::string config =
        yaml({.url = redis.url(), .throttle = "{ rateLimit: 0.001, burstLimit: 10 }"});
    Gateway first{config};
    Gateway second{config};
    EXPECT_EQ(admitted(first, 6), 6);
    EXPECT_EQ(admitted(second, 6), 4);
    EXPECT_EQ(admitted(first, 6), 0);
    const Response refused = first.get("/s/a", kKey);
    EXPECT_EQ(refused.status, 429);
    EXPECT_EQ(refused.body, R"({"message":"Too Many Requests"})");
    EXPECT_GT(first.metrics().sum("sluice_throttled_total", {{"level", "plan"}}), 0);
}

TEST(RedisState, AnAddressHasOneBucketForAllGateways) {
    Redis redis;
    Gateway first{yaml({.url = redis.url()})};
    Gateway second{yaml({.url = redis.url()})};
    EXPECT_EQ(admitted(first, 4, "/s/open"), 4);
    EXPECT_EQ(admitted(second, 4, "/s/open"), 1);
}

TEST(RedisState, AQuotaIsExactOverGatewaysUnderLoad) {
    Redis redis;
    constexpr int kLimit = 3'000;  // leased at first, request by request at the end
    const std::string config = yaml({.url = redis.url(), .quota = "{ limit: 3000, period: DAY }"});
    Gateway first{config, {}, {.workers = 2}};
    Gateway second{config};
    std::int64_t passed = 0;
    for (int round = 0; round < 20 && passed < kLimit; ++round) {
        LoadResult a, b;
        std::jthread other{[&] {
            a = run_load({.port = first.port(),
                          .target = "/s/a",
                          .headers = kKey,
                          .connections = 16,
                          .requests = 400});
        }};
        b = run_load({.port = second.port(),
                      .target = "/s/a",
                      .headers = kKey,
                      .connections = 16,
                      .requests = 200});
        other.join();
        EXPECT_EQ(a.failed + b.failed, 0) << a.first_failure << b.first_failure;
        passed += a.count(200) + b.count(200);
    }
    // What the other gateway held is given back within a lease, so all of it is used in the end.
    EXPECT_TRUE(eventually([&] {
        passed += admitted(first, 1);
        return passed >= kLimit;
    }));
    EXPECT_EQ(passed + admitted(first, 20) + admitted(second, 20), kLimit);
    const Response refused = second.get("/s/a", kKey);
    EXPECT_EQ(refused.body, R"({"message":"Limit Exceeded"})");
    for (Gateway* gateway : {&first, &second}) {
        EXPECT_TRUE(eventually([&] {
            const auto usage = gateway->admin("/usage?usagePlanId=plan&keyId=k").json();
            return usage["values"]["k"].back() == std::vector<int>{kLimit, 0};
        })) << gateway->admin("/usage?usagePlanId=plan&keyId=k").body;
    }
}

TEST(RedisState, LeasesComeBackAtShutdownAndLapseAfterACrash) {
    Redis redis;
    const std::string config = yaml({.url = redis.url(),
                                     .throttle = "{ rateLimit: 0.001, burstLimit: 40 }",
                                     .quota = "{ limit: 100000, period: DAY }"});
    {
        Gateway gateway{config};
        EXPECT_EQ(admitted(gateway, 10), 10);
    }
    EXPECT_NE(redis.ask({"HGET", "sluice:q:{plan|k}", "u"}).find("\r\n10\r\n"), std::string::npos)
        << redis.ask({"HGET", "sluice:q:{plan|k}", "u"});
    Gateway crashing{config};
    EXPECT_EQ(admitted(crashing, 10), 10);
    crashing.kill9();
    Gateway next{config};
    EXPECT_EQ(admitted(next, 40), 20);
}

TEST(RedisState, WhatWasLeasedInAdvanceComesBackByItself) {
    Redis redis;
    Gateway gateway{yaml({.url = redis.url()})};
    EXPECT_EQ(admitted(gateway, 2'000), 2'000);
    EXPECT_TRUE(eventually([&] {
        return redis.ask({"HGET", "sluice:q:{plan|k}", "u"}).find("\r\n2000\r\n") !=
               std::string::npos;
    })) << redis.ask({"HGET", "sluice:q:{plan|k}", "u"});
    EXPECT_TRUE(becomes(gateway, "sluice_redis_leases", 0));
}

TEST(RedisState, EveryDocumentedMetricIsThere) {
    Redis redis;
    Gateway gateway{yaml({.url = redis.url()})};
    std::ifstream reference{SLUICE_SOURCE_DIR "/docs/reference/metrics.md"};
    const std::string exported = gateway.admin("/metrics").body;
    int documented = 0;
    for (std::string line; std::getline(reference, line);) {
        if (!line.starts_with("| `sluice_redis_")) continue;
        const std::size_t end = line.find('`', 3);
        const std::string name = line.substr(3, end - 3);
        const std::string type = line.substr(end + 4, line.find(' ', end + 4) - end - 4);
        EXPECT_NE(exported.find("# TYPE " + name + " " + type + "\n"), std::string::npos) << line;
        ++documented;
    }
    EXPECT_EQ(documented, 12);
}

TEST(RedisState, TheClockOfANodeDoesNotMatter) {
    if (kSanitized) GTEST_SKIP() << "nothing can be loaded before a sanitizer";
    Redis redis;
    ShiftedClock clock;
    clock.set(std::chrono::hours{36});  // another day, and another window
    const std::string config = yaml({.url = redis.url(), .quota = "{ limit: 10, period: DAY }"});
    Gateway right{config};
    Gateway wrong{config, {}, {.environment = clock.environment()}};
    EXPECT_EQ(admitted(right, 4), 4);
    EXPECT_EQ(admitted(wrong, 4), 4);
    clock.set(-std::chrono::hours{36});
    EXPECT_EQ(admitted(wrong, 4), 2);
    EXPECT_EQ(admitted(right, 4), 0);
}

TEST(RedisState, TheClockOfRedisDecidesTheWindow) {
    Redis redis;
    Gateway gateway{yaml({.url = redis.url(), .quota = "{ limit: 3, period: DAY }"})};
    EXPECT_EQ(admitted(gateway, 5), 3);
    redis.clock().set(std::chrono::hours{24});
    EXPECT_TRUE(eventually([&] { return admitted(gateway, 1) == 1; }));
    EXPECT_TRUE(eventually([&] { return admitted(gateway, 5) == 0; }));
}

// What is stated: a store that is gone, hangs or only answers errors is away after 0.25 s, and
// `local` goes on with this node's share.
TEST(RedisState, LocalGoesOnWithoutErrorsAndComesBack) {
    Redis redis;
    Gateway gateway{yaml({.url = redis.url()})};
    std::atomic<bool> stop{false};
    LoadResult load;
    std::jthread loader{[&] {
        load = run_load({.port = gateway.port(),
                         .target = "/s/a",
                         .headers = kKey,
                         .connections = 8,
                         .stop = &stop});
    }};
    ASSERT_TRUE(eventually([&] { return gauge(gateway, "sluice_responses_total") > 500; }));
    redis.kill9();
    EXPECT_TRUE(becomes(gateway, "sluice_redis_connected", 0));
    const double before = gauge(gateway, "sluice_responses_total");
    EXPECT_TRUE(
        eventually([&] { return gauge(gateway, "sluice_responses_total") > before + 2000; }));
    redis.start();
    EXPECT_TRUE(becomes(gateway, "sluice_redis_connected", 1));
    stop = true;
    loader.join();
    EXPECT_EQ(load.failed, 0) << load.first_failure;
    EXPECT_EQ(load.answers(), load.count(200) + load.count(429));
    EXPECT_GT(load.count(200), 2000);
    EXPECT_EQ(lines_with(gateway, "is away"), 1U) << gateway.log();
    EXPECT_EQ(lines_with(gateway, "is back"), 1U) << gateway.log();
    EXPECT_EQ(gauge(gateway, "sluice_redis_absences_total"), 1);
}

TEST(RedisState, AwayWhileItHangs) {
    Redis redis;
    Gateway gateway{yaml({.url = redis.url()})};
    EXPECT_EQ(admitted(gateway, 5), 5);
    redis.hang();
    EXPECT_TRUE(becomes(gateway, "sluice_redis_connected", 0));
    EXPECT_EQ(admitted(gateway, 5), 5);
    EXPECT_EQ(lines_with(gateway, "no answer for"), 1U) << gateway.log();
    redis.go_on();
    EXPECT_TRUE(becomes(gateway, "sluice_redis_connected", 1));
}

TEST(RedisState, ClosedRefusesWith503) {
    Redis redis;
    Gateway gateway{yaml({.url = redis.url(), .on_failure = "closed"})};
    EXPECT_EQ(admitted(gateway, 5), 5);
    redis.kill9();
    EXPECT_TRUE(becomes(gateway, "sluice_redis_connected", 0));
    EXPECT_TRUE(eventually([&] { return gateway.get("/s/a", kKey).status == 503; }));
    redis.start();
    EXPECT_TRUE(eventually([&] { return gateway.get("/s/a", kKey).status == 200; }));
}

TEST(RedisState, OpenAdmitsAndCountsLater) {
    Redis redis;
    Gateway gateway{yaml({.url = redis.url(),
                          .on_failure = "open",
                          .throttle = "{ rateLimit: 0.001, burstLimit: 3 }",
                          .quota = "{ limit: 10, period: DAY }"})};
    EXPECT_EQ(admitted(gateway, 2), 2);
    redis.kill9();
    EXPECT_TRUE(becomes(gateway, "sluice_redis_connected", 0));
    EXPECT_EQ(admitted(gateway, 20), 20);
    redis.start();
    EXPECT_TRUE(becomes(gateway, "sluice_redis_connected", 1));
    EXPECT_TRUE(eventually(
        [&] { return gateway.get("/s/a", kKey).body == R"({"message":"Limit Exceeded"})"; }));
}

TEST(RedisState, ScriptsAreSentAgainWhenRedisForgotThem) {
    Redis redis;
    Gateway gateway{yaml({.url = redis.url()})};
    EXPECT_EQ(admitted(gateway, 3), 3);
    EXPECT_EQ(redis.ask({"SCRIPT", "FLUSH"}), "+OK\r\n");
    EXPECT_EQ(admitted(gateway, 200), 200);
    EXPECT_EQ(gauge(gateway, "sluice_redis_absences_total"), 0);
}

TEST(RedisState, ARedisThatCameBackEmptyIsToldWhatWasUsed) {
    Redis redis;
    Gateway gateway{yaml({.url = redis.url(), .quota = "{ limit: 10, period: DAY }"})};
    EXPECT_EQ(admitted(gateway, 7), 7);
    redis.kill9();
    redis.start();
    EXPECT_TRUE(becomes(gateway, "sluice_redis_connects_total", 2));
    EXPECT_TRUE(becomes(gateway, "sluice_redis_connected", 1));
    Gateway other{yaml({.url = redis.url(), .quota = "{ limit: 10, period: DAY }"})};
    EXPECT_LE(admitted(other, 10), 3);
}

TEST(RedisState, ErrorsOfRedisCountAsAway) {
    Redis redis;
    Gateway gateway{yaml({.url = redis.url()})};
    EXPECT_EQ(admitted(gateway, 3), 3);
    const struct {
        std::vector<std::string> begin, end;
        std::string word;
    } cases[] = {
        {{"REPLICAOF", "127.0.0.1", "1"}, {"REPLICAOF", "NO", "ONE"}, "READONLY"},
        {{"CONFIG", "SET", "maxmemory", "1"}, {"CONFIG", "SET", "maxmemory", "0"}, "OOM"},
    };
    for (const auto& c : cases) {
        EXPECT_EQ(redis.ask(c.begin), "+OK\r\n");
        EXPECT_TRUE(becomes(gateway, "sluice_redis_connected", 0)) << c.word;
        EXPECT_EQ(admitted(gateway, 20), 20) << c.word;
        EXPECT_NE(gateway.log().find(c.word), std::string::npos) << gateway.log();
        EXPECT_EQ(redis.ask(c.end), "+OK\r\n");
        EXPECT_TRUE(becomes(gateway, "sluice_redis_connected", 1)) << c.word;
    }
}

TEST(RedisState, SlowAnswersDelayAndNothingElse) {
    Redis redis{{.words = {"--enable-debug-command", "yes"}}};
    Gateway gateway{yaml({.url = redis.url()})};
    for (int i = 0; i < 3; ++i) {
        std::jthread sleeper{[&] { EXPECT_EQ(redis.ask({"DEBUG", "SLEEP", "0.1"}), "+OK\r\n"); }};
        EXPECT_EQ(admitted(gateway, 50), 50);
    }
    EXPECT_TRUE(becomes(gateway, "sluice_redis_connected", 1));
}

/// Answers whatever it is sent with the same bytes.
class Parrot {
public:
    explicit Parrot(std::string answer)
        : thread_{[this, answer = std::move(answer)](const std::stop_token& stop) {
              while (!stop.stop_requested()) {
                  if (!wait_readable(listener_.get(), Clock::now() + 50ms)) continue;
                  const Fd peer{::accept(listener_.get(), nullptr, nullptr)};
                  char buffer[4096];
                  while (!stop.stop_requested() &&
                         (!wait_readable(peer.get(), Clock::now() + 50ms) ||
                          ::recv(peer.get(), buffer, sizeof buffer, 0) > 0)) {
                      (void)!::send(peer.get(), answer.data(), answer.size(), MSG_NOSIGNAL);
                  }
              }
          }} {}
    std::string url() const { return "redis://127.0.0.1:" + std::to_string(local_port(listener_)); }

private:
    Fd listener_ = listen_on();
    std::jthread thread_;
};

TEST(RedisState, WhateverAnswersInPlaceOfRedisIsAway) {
    const struct {
        std::string answer, logged;
    } cases[] = {
        {"-LOADING Redis is loading the dataset in memory\r\n", "LOADING"},
        {"-MOVED 1 10.0.0.1:6379\r\n", "MOVED"},
        {"HTTP/1.1 400 Bad Request\r\n\r\n", "not the protocol"},
        {"$99999999999999999999\r\n", ""},
        {"*3\r\n*3\r\n*3\r\n*3\r\n*3\r\n*3\r\n*3\r\n*3\r\n*3\r\n*3\r\n", ""},
        {"+OK\r\n+OK\r\n+OK\r\n", ""},
        {":1\r\n", ""},
    };
    for (const auto& c : cases) {
        Parrot parrot{c.answer};
        Gateway gateway{yaml({.url = parrot.url()})};
        EXPECT_EQ(admitted(gateway, 20), 20) << c.answer;
        EXPECT_EQ(gauge(gateway, "sluice_redis_connected"), 0) << c.answer;
        EXPECT_NE(gateway.log().find(c.logged), std::string::npos) << gateway.log();
        EXPECT_EQ(lines_with(gateway, "is away"), 1U) << gateway.log();
    }
}

TEST(RedisState, AuthenticatesAndSaysWhenItIsRefused) {
    // The rights that docs/how-to/run-several-gateways.md gives.
    Redis redis{
        {.words = {"--user", "default", "off", "--user", "gateway", "on", ">secret", "~sluice:*",
                   "+@read", "+@write", "+@scripting", "+auth", "+ping", "+select", "+time"}}};
    Gateway right{yaml({.url = redis.url("gateway:secret@")})};
    EXPECT_TRUE(becomes(right, "sluice_redis_connected", 1));
    EXPECT_EQ(admitted(right, 3), 3);
    EXPECT_EQ(right.admin("/usage?usagePlanId=plan").json()["values"]["k"].back()[0], 3);
    EXPECT_EQ(gauge(right, "sluice_redis_absences_total"), 0) << right.log();
    Gateway wrong{yaml({.url = redis.url("gateway:guess@")})};
    EXPECT_EQ(admitted(wrong, 3), 3) << "goes on by itself";
    EXPECT_EQ(gauge(wrong, "sluice_redis_connected"), 0);
    EXPECT_NE(wrong.log().find("AUTH: WRONGPASS"), std::string::npos) << wrong.log();
    EXPECT_EQ(wrong.log().find("guess"), std::string::npos) << "a secret in the log";
}

TEST(RedisState, SpeaksTlsAndChecksTheCertificate) {
    Redis redis{{.tls = true}};
    Gateway right{yaml({.url = redis.url(), .more = ", caFile: \"" + redis.ca_file() + "\""})};
    EXPECT_TRUE(becomes(right, "sluice_redis_connected", 1)) << right.log();
    EXPECT_EQ(admitted(right, 3), 3);
    Gateway distrustful{yaml({.url = redis.url()})};
    EXPECT_EQ(gauge(distrustful, "sluice_redis_connected"), 0);
    EXPECT_NE(distrustful.log().find("TLS: "), std::string::npos) << distrustful.log();
}

TEST(RedisState, ReloadKeepsWhatIsUsed) {
    Redis redis;
    const auto config = [&](int burst) {
        return yaml({.url = redis.url(),
                     .throttle = "{ rateLimit: 0.001, burstLimit: " + std::to_string(burst) + " }",
                     .quota = "{ limit: 12, period: DAY }"});
    };
    Gateway gateway{config(8)};
    EXPECT_EQ(admitted(gateway, 10), 8);
    gateway.rewrite(config(10));
    ASSERT_EQ(gateway.reload().status, 200);
    EXPECT_EQ(admitted(gateway, 10), 2);
    gateway.rewrite(config(100));
    ASSERT_EQ(gateway.reload().status, 200);
    EXPECT_EQ(admitted(gateway, 10), 2) << "ten of the quota of twelve are used";
}

}  // namespace
}  // namespace test
