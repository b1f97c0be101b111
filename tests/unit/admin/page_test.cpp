// SPDX-License-Identifier: Apache-2.0
#include "admin/page.hpp"

#include <gtest/gtest.h>

#include <regex>

#include "admin/routes.hpp"

namespace sluice::admin {
namespace {

std::string field(const Reply& reply, const std::string& name) {
    for (const auto& [n, value] : reply.fields) {
        if (n == name) return value;
    }
    return {};
}

std::string all_text() {
    std::string all;
    for (const PageFile& file : page_files())
        all += file.text;
    return all;
}

TEST(Page, HasAStrictPolicy) {
    const Reply r = page_reply("");
    EXPECT_EQ(r.status, 200U);
    EXPECT_EQ(r.content_type, "text/html; charset=utf-8");
    const std::string policy = field(r, "Content-Security-Policy");
    EXPECT_TRUE(policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self';"));
    EXPECT_EQ(policy.find("unsafe"), std::string::npos);
    EXPECT_EQ(policy.find("http"), std::string::npos);
    EXPECT_NE(policy.find("frame-ancestors 'none'"), std::string::npos);
    EXPECT_EQ(field(r, "X-Frame-Options"), "DENY");
}

TEST(Page, HasNothingInlineAndNoOtherHosts) {
    const std::string html = page_reply("").body;
    EXPECT_FALSE(std::regex_search(html, std::regex{R"(\son[a-z]+=|\sstyle=|<style|javascript:)"}));
    EXPECT_FALSE(std::regex_search(html, std::regex{R"(<script(?![^>]*\ssrc=))"}));
    for (auto at = all_text().find("://"); at != std::string::npos;) {
        const std::string all = all_text();
        // Names of XML name spaces are not fetched.
        EXPECT_EQ(all.substr(at - 4, 25), "http://www.w3.org/2000/sv") << all.substr(at - 20, 60);
        at = all.find("://", at + 1);
    }
}

TEST(Page, ServesEveryFileThatItNames) {
    const std::string all = all_text();
    const std::regex reference{R"((?:href="|src="|from "\./)([a-z]+\.(?:css|js|svg)))"};
    std::size_t count = 0;
    for (auto it = std::sregex_iterator{all.begin(), all.end(), reference};
         it != std::sregex_iterator{}; ++it, ++count) {
        EXPECT_EQ(page_reply((*it)[1].str()).status, 200U) << (*it)[1];
        const auto request = parse_request("GET", "/" + (*it)[1].str());
        EXPECT_FALSE(needs_token(*request)) << (*it)[1];
        std::optional<Reply> served;
        serve({}, *request, [&](Reply r) { served = std::move(r); });
        EXPECT_EQ(served->status, 200U) << (*it)[1];
    }
    EXPECT_GE(count, 5u);
    EXPECT_EQ(page_reply("nothing.js").status, 404U);
}

TEST(Page, SaysNothingWithoutAToken) {
    EXPECT_FALSE(needs_token(*parse_request("GET", "/")));
    for (const char* secret : {"/status", "/metrics", "/metrics/cloudwatch", "/monitoring/metrics"})
        EXPECT_TRUE(needs_token(*parse_request("GET", secret))) << secret;
}

}  // namespace
}  // namespace sluice::admin
