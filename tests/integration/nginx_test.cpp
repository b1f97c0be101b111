// SPDX-License-Identifier: Apache-2.0
//
// The same with programs we did not write: nginx as the backend, curl and wrk as clients.
#include "support/nginx.hpp"

#include <gtest/gtest.h>

#include <regex>

#include "support/proxied.hpp"

namespace test {
namespace {

constexpr const char* kLocations = R"(
    location /hello { add_header X-Query $args; return 200 "hello $request_method"; }
    location /file { }
    location /moved { return 302 /elsewhere; }
)";

class WithNginx : public testing::Test {
protected:
    Nginx nginx{kLocations};
    Gateway gateway{kProxyEverything, {{"ORIGIN", nginx.url()}}, {.workers = 2}};
    std::string url(const std::string& path) {
        return "http://127.0.0.1:" + std::to_string(gateway.port()) + path;
    }
    Finished curl(std::vector<std::string> words) {
        words.insert(words.begin(), {"curl", "-s", "--max-time", "10"});
        return run({.words = words});
    }
};

TEST_F(WithNginx, CurlSeesTheBackend) {
    EXPECT_EQ(curl({url("/s/hello?a=1&b=%20")}).out, "hello GET");
    EXPECT_NE(curl({"-i", url("/s/hello?a=1&b=%20")}).out.find("X-Query: a=1&b=%20"),
              std::string::npos);
    EXPECT_EQ(curl({"-d", "x=1", url("/s/hello")}).out, "hello POST");
    EXPECT_NE(curl({"-I", url("/s/hello")}).out.find("HTTP/1.1 200"), std::string::npos);
    EXPECT_NE(curl({"-i", url("/s/moved")}).out.find("302"), std::string::npos)
        << "redirects are not followed";
}

TEST_F(WithNginx, FilesConditionsAndRangesPass) {
    const std::string content(300'000, 'f');
    write_file(nginx.directory().path() / "html" / "file", content);
    EXPECT_EQ(curl({url("/s/file")}).out, content);
    EXPECT_EQ(curl({"-r", "10-19", url("/s/file")}).out, std::string(10, 'f'));
    const std::string head = curl({"-I", url("/s/file")}).out;
    std::smatch etag;
    ASSERT_TRUE(std::regex_search(head, etag, std::regex{"ETag: (\\S+)"})) << head;
    EXPECT_EQ(curl({"-o", "/dev/null", "-w", "%{http_code}", "-H",
                    "If-None-Match: " + etag[1].str(), url("/s/file")})
                  .out,
              "304");
}

TEST_F(WithNginx, CurlUploadsWithExpectAndChunks) {
    const TempDir dir;
    const auto file = dir.write("body", std::string(2'000'000, 'b'));
    const Finished expect =
        curl({"-o", "/dev/null", "-w", "%{http_code}", "-H", "Expect: 100-continue",
              "--data-binary", "@" + file.string(), url("/s/hello")});
    EXPECT_EQ(expect.out, "200");
    const Finished chunked =
        curl({"-o", "/dev/null", "-w", "%{http_code}", "-H", "Transfer-Encoding: chunked",
              "--data-binary", "@" + file.string(), url("/s/hello")});
    EXPECT_EQ(chunked.out, "200");
}

TEST_F(WithNginx, WrkCountsWhatTheMetricsCount) {
    const Finished wrk = run({.words = {"wrk", "-t1", "-c32", "-d2s", url("/s/hello")}});
    ASSERT_EQ(wrk.status, 0) << wrk.errors;
    EXPECT_EQ(wrk.out.find("Socket errors"), std::string::npos) << wrk.out;
    EXPECT_EQ(wrk.out.find("Non-2xx"), std::string::npos) << wrk.out;
    std::smatch found;
    ASSERT_TRUE(std::regex_search(wrk.out, found, std::regex{"(\\d+) requests in"})) << wrk.out;
    const double seen = std::stod(found[1]);
    // wrk leaves with requests under way, one per connection at most.
    EXPECT_TRUE(
        eventually([&] { return gateway.metrics().sum("sluice_requests_in_flight") == 0; }));
    const double counted = gateway.metrics().sum("sluice_requests_total");
    EXPECT_GE(counted, seen);
    EXPECT_LE(counted, seen + 32);
}

}  // namespace
}  // namespace test
