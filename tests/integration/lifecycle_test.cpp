// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <csignal>
#include <thread>

#include "support/load.hpp"
#include "support/proxied.hpp"

namespace test {
namespace {

std::string answering(const std::string& body) {
    return R"(
restApis: [ { id: api, resources: { /x: { GET: { integration: { type: MOCK, body: ")" +
           body + R"(" } } },
                                    /slow: { GET: { integration: { type: HTTP_PROXY, uri: "http://origin/" } } } } } ]
stages: [ { restApiId: api, stageName: s } ]
backends: [ { name: origin, targets: [ { url: "${ORIGIN}" } ] } ]
)";
}

TEST(Reload, TakesEffectThroughTheAdminListener) {
    Origin origin;
    const Values values{{"ORIGIN", origin.url()}};
    Gateway gateway{answering("old"), values};
    EXPECT_EQ(gateway.get("/s/x").body, "old");
    gateway.rewrite(answering("new"), values);
    EXPECT_EQ(gateway.get("/s/x").body, "old");
    EXPECT_EQ(gateway.reload().status, 200);
    EXPECT_EQ(gateway.get("/s/x").body, "new");
    EXPECT_EQ(gateway.metrics().sum("sluice_config_last_reload_successful"), 1);
}

TEST(Reload, TakesEffectThroughSighup) {
    Origin origin;
    const Values values{{"ORIGIN", origin.url()}};
    Gateway gateway{answering("old"), values};
    gateway.rewrite(answering("new"), values);
    gateway.signal(SIGHUP);
    EXPECT_TRUE(eventually([&] { return gateway.get("/s/x").body == "new"; }));
}

TEST(Reload, BadConfigurationIsRefusedAsAWhole) {
    Origin origin;
    const Values values{{"ORIGIN", origin.url()}};
    Gateway gateway{answering("old"), values};
    gateway.rewrite(answering("new") + "stagez: []\n", values);
    const Response refused = gateway.reload();
    EXPECT_GE(refused.status, 400);
    EXPECT_NE(refused.body.find("stagez"), std::string::npos) << refused.body;
    gateway.signal(SIGHUP);
    EXPECT_TRUE(gateway.process().wait_for_line("stagez"));
    EXPECT_EQ(gateway.get("/s/x").body, "old");
    EXPECT_EQ(gateway.metrics().sum("sluice_config_last_reload_successful"), 0);
    gateway.rewrite(answering("new"), values);
    EXPECT_EQ(gateway.reload().status, 200);
    EXPECT_EQ(gateway.get("/s/x").body, "new");
    EXPECT_EQ(gateway.metrics().sum("sluice_config_last_reload_successful"), 1);
}

TEST(Reload, RunningRequestEndsOnTheOldConfiguration) {
    auto gate = std::make_shared<Gate>();
    Origin origin{[gate](const Received&) {
        return Answer::nothing().after(gate).then(Answer::text_of(200, "late"));
    }};
    const Values values{{"ORIGIN", origin.url()}};
    Gateway gateway{answering("old"), values};
    Client client = gateway.client();
    client.send(client.text_of("GET", "/s/slow"));
    ASSERT_TRUE(origin.wait_for(1));
    std::string without = answering("new");
    without.replace(without.find("/slow"), 5, "/gone");
    gateway.rewrite(without, values);
    ASSERT_EQ(gateway.reload().status, 200);
    EXPECT_EQ(gateway.get("/s/slow").status, 403);
    gate->open();
    EXPECT_EQ(client.read().body, "late");
    EXPECT_EQ(client.get("/s/x").body, "new")
        << "the connection goes on with the new configuration";
    EXPECT_EQ(client.connections(), 1);
}

TEST(Reload, UnderLoadFailsNoRequest) {
    Origin origin{[](const Received&) { return Answer::of(200, "ok"); }, {.keep = false}};
    const Values values{{"ORIGIN", origin.url()}};
    Gateway gateway{answering("old"), values, {.workers = 2}};
    std::atomic<bool> stop{false};
    LoadResult load;
    std::jthread loader{[&] {
        load = run_load(
            {.port = gateway.port(), .target = "/s/slow", .connections = 16, .stop = &stop});
    }};
    ASSERT_TRUE(origin.wait_for(100));
    for (int i = 0; i < 20; ++i) {
        gateway.rewrite(answering(std::to_string(i)), values);
        EXPECT_EQ(gateway.reload().status, 200);
        EXPECT_EQ(gateway.get("/s/x").body, std::to_string(i));
    }
    stop = true;
    loader.join();
    EXPECT_EQ(load.failed, 0) << load.first_failure;
    EXPECT_EQ(load.answers(), load.count(200));
    EXPECT_GT(load.answers(), 100);
}

TEST(Stop, EndsWithZeroWhenIdle) {
    for (const int signal : {SIGTERM, SIGINT}) {
        Gateway gateway{answering("x"), {{"ORIGIN", "http://127.0.0.1:1"}}};
        gateway.signal(signal);
        EXPECT_EQ(gateway.process().wait(), 0);
    }
}

TEST(Stop, AnswersWhatIsRunningAndAcceptsNothingMore) {
    auto gate = std::make_shared<Gate>();
    Origin origin{[gate](const Received&) {
        return Answer::nothing().after(gate).then(Answer::text_of(200, "late"));
    }};
    Gateway gateway{answering("x"), {{"ORIGIN", origin.url()}}};
    Client idle = gateway.client();
    EXPECT_EQ(idle.get("/s/x").status, 200);
    Client client = gateway.client();
    client.send(client.text_of("GET", "/s/slow"));
    ASSERT_TRUE(origin.wait_for(1));
    const std::uint16_t port = gateway.port();
    gateway.signal(SIGTERM);
    EXPECT_TRUE(eventually([&] {
        try {
            connect_to(port);
            return false;
        } catch (const std::exception&) {
            return true;
        }
    })) << "new connections are refused while draining";
    EXPECT_TRUE(idle.ended());
    EXPECT_TRUE(gateway.process().running());
    gate->open();
    const Response r = client.read();
    EXPECT_EQ(r.body, "late");
    EXPECT_EQ(r.header("Connection"), "close");
    EXPECT_EQ(gateway.process().wait(), 0);
}

TEST(Stop, SecondSignalEndsAtOnce) {
    Origin origin{[](const Received&) { return Answer::nothing().hang(); }};
    Gateway gateway{answering("x"), {{"ORIGIN", origin.url()}}};
    Client client = gateway.client();
    client.send(client.text_of("GET", "/s/slow"));
    ASSERT_TRUE(origin.wait_for(1));
    gateway.signal(SIGTERM);
    EXPECT_FALSE(gateway.process().wait(300ms)) << "the first one drains";
    gateway.signal(SIGTERM);
    EXPECT_EQ(gateway.process().wait(2s), 0);
}

TEST(Stop, DrainingHasAnEnd) {
    Origin origin{[](const Received&) { return Answer::nothing().hang(); }};
    Gateway gateway{answering("x") + "server: { workers: 1, shutdownGraceSeconds: 1 }\n",
                    {{"ORIGIN", origin.url()}}};
    Client client = gateway.client();
    client.send(client.text_of("GET", "/s/slow"));
    ASSERT_TRUE(origin.wait_for(1));
    gateway.signal(SIGTERM);
    EXPECT_EQ(gateway.process().wait(5s), 0);
}

TEST(Start, BadConfigurationExitsWithThree) {
    const TempDir dir;
    const auto file = dir.write("bad.yaml", "listeners: [ { name: a, prot: 80 } ]\n");
    const Finished run = sluice({"run", "--config", file.string()});
    EXPECT_EQ(run.status, 3);
    EXPECT_NE(run.errors.find("bad.yaml:1:"), std::string::npos) << run.errors;
    EXPECT_NE(run.errors.find("port"), std::string::npos) << "the nearest valid key";
}

TEST(Start, TakenPortExitsWithOne) {
    const Fd taken = listen_on();
    const TempDir dir;
    const auto file = dir.write(
        "c.yaml",
        "listeners: [ { name: a, address: 127.0.0.1, port: " + std::to_string(local_port(taken)) +
            " } ]\nadmin: { address: 127.0.0.1, port: 0 }\nstate: { store: memory }\n");
    const Finished run = sluice({"run", "--config", file.string()});
    EXPECT_EQ(run.status, 1);
    EXPECT_NE(run.errors.find(std::to_string(local_port(taken))), std::string::npos) << run.errors;
}

TEST(Leaks, FilesAndMemoryReturnAfterAStorm) {
    Proxied p{[](const Received& r) {
        return r.on_connection % 3 == 0 ? Answer::nothing().reset() : Answer::of(200, "ok");
    }};
    p.gateway.get("/s/x");
    const std::size_t before = p.gateway.open_files();
    for (int round = 0; round < 3; ++round) {
        std::vector<std::jthread> clients;
        for (int t = 0; t < 32; ++t)
            clients.emplace_back([&] {
                Client client = p.gateway.client();
                for (int i = 0; i < 10; ++i) {
                    client.send(client.text_of("GET", "/s/x"));
                    if (i == 9)
                        client.reset();
                    else
                        client.read();
                }
            });
    }
    EXPECT_TRUE(
        eventually([&] { return p.gateway.metrics().sum("sluice_requests_in_flight") == 0; }));
    // Idle upstream connections may stay; client sockets must not.
    EXPECT_TRUE(eventually([&] {
        const auto idle = p.gateway.metrics().sum("sluice_upstream_connections");
        return p.gateway.open_files() <= before + static_cast<std::size_t>(idle) + 2;
    })) << before
        << " -> " << p.gateway.open_files();
}

}  // namespace
}  // namespace test
