// SPDX-License-Identifier: Apache-2.0
//
// Execution logs: where the lines go, rotation, a full disk.
#include <csignal>

#include "support/execution_log.hpp"
#include "support/load.hpp"
#include "support/rotation.hpp"

namespace test::execution_log {
namespace {

// ------------------------------------------------------------------ files

TEST(ExecutionLog, GoesWhereTheConfigurationSays) {
    Proxied p{ok, "server: { workers: 1, executionLog: { directory: logs, timestamps: true } }\n",
              api("loggingLevel: INFO")};
    p.gateway.get("/s/mock");
    EXPECT_EQ(p.gateway.stop(), 0);
    const Lines lines = lines_in(
        read_file(p.gateway.directory() / "logs" / "API-Gateway-Execution-Logs_api" / "s"));
    ASSERT_FALSE(lines.empty());
    for (const std::string& line : lines) {
        EXPECT_TRUE(std::regex_search(
            line,
            std::regex{
                "^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z \\([0-9a-f-]{36}\\) "}))
            << line;
    }
}

TEST(ExecutionLog, StandardOutputIsADirectoryToo) {
    Proxied p{ok, "server: { workers: 1, executionLog: { directory: \"-\" } }\n",
              api("loggingLevel: INFO")};
    p.gateway.get("/s/mock");
    EXPECT_TRUE(eventually([&] {
        return p.gateway.process().out().find("Method completed with status: 200") !=
               std::string::npos;
    }));
}

TEST(ExecutionLog, ADirectoryThatCannotBeMadeIsAnErrorAtTheStart) {
    TempDir directory;
    directory.write("file", "in the way");
    directory.write("config.yaml",
                    fill_in(api("loggingLevel: INFO",
                                "server: { executionLog: { directory: file/below } }\n"
                                "state: { store: memory }\nadmin: { port: 0 }\n"
                                "listeners: [ { address: 127.0.0.1, port: 0 } ]\n"),
                            {{"ORIGIN", "http://127.0.0.1:9"}}));
    const Finished run = sluice({"run", "--config", (directory.path() / "config.yaml").string()});
    EXPECT_EQ(run.status, 1);
    EXPECT_NE(run.errors.find("server.executionLog.directory"), std::string::npos) << run.errors;
}

/// Under load, rotated again and again: every request's lines are there, whole and together.
TEST(ExecutionLog, RotationLosesNoLine) {
    Proxied p{ok, "", api("loggingLevel: INFO"), {.workers = 2}};
    constexpr int kRequests = 6000;
    constexpr int kRotations = 5;
    std::atomic<bool> done{false};
    std::thread load{[&] {
        const LoadResult r = run_load({.port = p.gateway.port(),
                                       .target = "/s/mock",
                                       .headers = {},
                                       .connections = 8,
                                       .requests = kRequests});
        EXPECT_EQ(r.count(200), kRequests);
        done = true;
    }};
    const auto file = log_file(p.gateway);
    const int rotations = rotate_until(done, p.gateway, file, kRotations);
    load.join();
    EXPECT_GT(rotations, 0);
    EXPECT_EQ(p.gateway.metrics().sum("sluice_execution_log_dropped_total"), 0);
    EXPECT_EQ(p.gateway.stop(), 0);
    std::map<std::string, int> per_request;
    for (const auto& entry : std::filesystem::directory_iterator{file.parent_path()}) {
        for (const std::string& line : lines_in(read_file(entry.path()))) {
            ASSERT_EQ(line.front(), '(') << line;
            ++per_request[line.substr(1, 36)];
        }
    }
    EXPECT_EQ(per_request.size(), static_cast<std::size_t>(kRequests));
    for (const auto& [id, count] : per_request)
        EXPECT_EQ(count, 10) << id;
}

TEST(ExecutionLog, AFullDiskDisturbsNoRequest) {
    Proxied p{ok, "", api("loggingLevel: INFO")};
    const auto file = log_file(p.gateway);
    std::filesystem::remove(file);
    std::filesystem::create_symlink("/dev/full", file);
    p.gateway.signal(SIGUSR1);
    Client client = p.gateway.client();
    for (int i = 0; i < 200; ++i)
        EXPECT_EQ(client.get("/s/mock").status, 200);
    EXPECT_TRUE(eventually(
        [&] { return p.gateway.metrics().sum("sluice_execution_log_dropped_total") > 0; }));
}

}  // namespace
}  // namespace test::execution_log
