// SPDX-License-Identifier: Apache-2.0
#include "gateway/router.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

namespace sluice::gateway {
namespace {

constexpr auto kStandard = Compatibility::standard;
constexpr auto kAws = Compatibility::aws;

http::Verb verb_of(std::string_view method) {
    return boost::beast::http::string_to_verb({method.data(), method.size()});
}

/// A tree from "GET /pets" lines; a match reads like the line, with its parameters behind.
class Routes {
public:
    explicit Routes(std::vector<std::string> lines) : lines_{std::move(lines)} {
        for (std::uint32_t i = 0; i < lines_.size(); ++i) {
            const auto blank = lines_[i].find(' ');
            EXPECT_TRUE(tree_.add(lines_[i].substr(blank + 1), lines_[i].substr(0, blank), i))
                << lines_[i];
        }
    }
    std::string serve(std::string_view method, std::string_view path,
                      Compatibility personality = kAws) const {
        const auto match = tree_.match(path, verb_of(method), personality);
        if (!match) return "403";
        std::string served = lines_[match->index];
        for (const PathParam& p : match->params.all()) {
            served.append(", ").append(p.name).append("=").append(p.value);
        }
        return served;
    }

private:
    std::vector<std::string> lines_;
    ResourceTree tree_;
};

struct Case {
    std::string_view name, method, path, served;
};
void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }

/// aws-semantics appendix B.1, in both personalities.
class AcceptanceVector : public testing::TestWithParam<Case> {};

TEST_P(AcceptanceVector, IsServedAsRecorded) {
    const Routes routes{{"POST /test", "ANY /test/any", "OPTIONS /{proxy+}", "GET /pets/dog/1",
                         "GET /pets/dog/{id}", "GET /pets/{rest+}"}};
    for (const auto personality : {kStandard, kAws}) {
        EXPECT_EQ(routes.serve(GetParam().method, GetParam().path, personality), GetParam().served);
    }
}

INSTANTIATE_TEST_SUITE_P(
    AppendixB1, AcceptanceVector,
    testing::Values(
        Case{"PostTest", "POST", "/test", "POST /test"},
        Case{"FallsBackToGreedy", "OPTIONS", "/test", "OPTIONS /{proxy+}, proxy=test"},
        Case{"AnyBelowLiteral", "OPTIONS", "/test/any", "ANY /test/any"},
        Case{"NoSuchMethod", "GET", "/test", "403"},
        Case{"LiteralBeatsParam", "GET", "/pets/dog/1", "GET /pets/dog/1"},
        Case{"TrailingSlash", "GET", "/pets/dog/1/", "GET /pets/dog/1"},
        Case{"Param", "GET", "/pets/dog/2", "GET /pets/dog/{id}, id=2"},
        Case{"BacktracksToGreedy", "GET", "/pets/dog/2/x", "GET /pets/{rest+}, rest=dog/2/x"},
        Case{"GreedyNeedsOneSegment", "GET", "/pets", "403"},
        Case{"NoImplicitHead", "HEAD", "/pets/dog/1", "403"},
        Case{"EncodedSlashStays", "GET", "/pets/a%2Fb", "GET /pets/{rest+}, rest=a%2Fb"}),
    [](const auto& vector) { return std::string{vector.param.name}; });

TEST(ResourceTree, IsServedByTheGreedyOneWhereLiteralsLackTheMethod) {
    const Routes routes{{"GET /part1", "GET /part1/hardcoded-value", "GET /{param+}"}};
    EXPECT_EQ(routes.serve("GET", "/part1/random"), "GET /{param+}, param=part1/random");
    EXPECT_EQ(routes.serve("GET", "/part1/hardcoded-value"), "GET /part1/hardcoded-value");
}

TEST(ResourceTree, PrefersAnExplicitMethodToAny) {
    const Routes routes{{"ANY /a", "GET /a"}};
    EXPECT_EQ(routes.serve("GET", "/a"), "GET /a");
    EXPECT_EQ(routes.serve("PUT", "/a"), "ANY /a");
}

TEST(ResourceTree, ServesAnOnlyMethodAndNoOther) {
    ResourceTree tree;
    ASSERT_TRUE(tree.add("/pets", "PUT", 7));
    EXPECT_FALSE(tree.add("/pets", "PUT", 8)) << "declared before";
    const auto index = [&](http::Verb verb) {
        const auto match = tree.match("/pets", verb, Compatibility::standard);
        return match ? std::optional{match->index} : std::nullopt;
    };
    EXPECT_EQ(index(http::Verb::put), 7U);
    EXPECT_EQ(index(http::Verb::get), std::nullopt);
    ASSERT_TRUE(tree.add("/pets", "GET", 9));
    EXPECT_FALSE(tree.add("/pets", "PUT", 8));
    EXPECT_FALSE(tree.add("/pets", "GET", 8));
    EXPECT_EQ(index(http::Verb::put), 7U);
    EXPECT_EQ(index(http::Verb::get), 9U);
    EXPECT_EQ(index(http::Verb::post), std::nullopt);
    ASSERT_TRUE(tree.add("/pets", "ANY", 11));
    EXPECT_EQ(index(http::Verb::get), 9U);
    EXPECT_EQ(index(http::Verb::post), 11U);
}

TEST(ResourceTree, TakesAnyForTheSevenMethodsOnly) {
    const Routes routes{{"ANY /a"}};
    for (const auto* method : {"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"}) {
        EXPECT_EQ(routes.serve(method, "/a"), "ANY /a") << method;
    }
    for (const auto* method : {"TRACE", "CONNECT", "PROPFIND", "get", "ANY", "CUSTOM", ""}) {
        EXPECT_EQ(routes.serve(method, "/a"), "403") << method;
    }
}

TEST(ResourceTree, NeverTakesTheRootForAGreedyPath) {
    const Routes greedy{{"GET /{proxy+}"}};
    EXPECT_EQ(greedy.serve("GET", "/"), "403");
    EXPECT_EQ(greedy.serve("GET", "///"), "403");
    const Routes root{{"GET /"}};
    EXPECT_EQ(root.serve("GET", "/"), "GET /");
    EXPECT_EQ(root.serve("GET", "//"), "GET /");
    EXPECT_EQ(root.serve("GET", ""), "GET /");
    EXPECT_EQ(root.serve("GET", "/a"), "403");
}

TEST(ResourceTree, KeepsInnerEmptySegmentsInGreedyValues) {
    const Routes routes{{"GET /{proxy+}", "GET /x/{id}", "GET /x/{id}/y"}};
    EXPECT_EQ(routes.serve("GET", "//proxy-value//double-slash//"),
              "GET /{proxy+}, proxy=proxy-value//double-slash");
    EXPECT_EQ(routes.serve("GET", "/x//y"), "GET /{proxy+}, proxy=x//y")
        << "{id} takes a non-empty segment";
}

TEST(ResourceTree, GivesParametersAsSent) {
    const Routes routes{{"GET /user/{name}/{proxy+}"}};
    EXPECT_EQ(routes.serve("GET", "/user/test%2Balias@x/%20/."),
              "GET /user/{name}/{proxy+}, name=test%2Balias@x, proxy=%20/.");
}

TEST(ResourceTree, LeavesSemicolonParametersOutOfLiteralsInStandard) {
    const Routes routes{{"GET /admin", "GET /{any+}", "GET /users/{id}"}};
    EXPECT_EQ(routes.serve("GET", "/admin;x", kStandard), "GET /admin");
    EXPECT_EQ(routes.serve("GET", "/admin;x=1/", kStandard), "GET /admin");
    EXPECT_EQ(routes.serve("GET", "/users;a/7;b", kStandard), "GET /users/{id}, id=7;b");
    EXPECT_EQ(routes.serve("GET", "/admin/;x", kStandard), "403") << "an empty segment in disguise";
    EXPECT_EQ(routes.serve("GET", "/admin;x", kAws), "GET /{any+}, any=admin;x");
}

TEST(ResourceTree, ComparesLiteralsDecodedAndCaseSensitively) {
    const Routes routes{{"GET /admin", "GET /{any+}"}};
    for (const auto personality : {kStandard, kAws}) {
        EXPECT_EQ(routes.serve("GET", "/%61dmin", personality), "GET /admin");
        EXPECT_EQ(routes.serve("GET", "/Admin", personality), "GET /{any+}, any=Admin");
        EXPECT_EQ(routes.serve("GET", "/admin%2F", personality), "GET /{any+}, any=admin%2F");
    }
}

TEST(ResourceTree, ForgetsTheParametersOfBranchesItLeft) {
    const Routes routes{{"GET /{a}/{b}/{c}/end", "GET /{a}/{rest+}"}};
    EXPECT_EQ(routes.serve("GET", "/1/2/3/other"), "GET /{a}/{rest+}, a=1, rest=2/3/other");
}

TEST(ResourceTree, RefusesWhatItCannotServe) {
    ResourceTree tree;
    for (const auto* path :
         {"", "pets", "/pets/", "//pets", "/a//b", "/res{id}", "/{id}x", "/{}", "/{+}", "/{a+}/b",
          "/{a{b}", "/a?b",
          "/{a}/{b}/{c}/{d}/{e}/{f}/{g}/{h}/{i}/{j}/{k}/{l}/{m}/{n}/{o}/{p}/{q}"}) {
        EXPECT_FALSE(tree.add(path, "GET", 0)) << path;
    }
    EXPECT_FALSE(tree.add("/" + std::string(SegmentTable::kMaxLiteral + 1, 'x'), "GET", 0));
    EXPECT_FALSE(tree.add("/a", "TRACE", 0));
    EXPECT_FALSE(tree.add("/a", "get", 0));
    EXPECT_TRUE(tree.add("/a/{x}", "GET", 0));
    EXPECT_FALSE(tree.add("/a/{x}", "GET", 1)) << "declared before";
    EXPECT_FALSE(tree.add("/a/{y}/b", "GET", 1)) << "another name in the same place";
    EXPECT_FALSE(tree.match("/a", http::Verb::get, kAws)) << "nothing was half declared";
    EXPECT_EQ(tree.match("/a/1", http::Verb::get, kAws)->index, 0U);
}

TEST(ResourceTree, TakesSixteenParameters) {
    std::string path;
    std::string sent;
    for (char c = 'a'; c < 'a' + 16; ++c) {
        path.append("/{").append(1, c).append("}");
        sent.append("/").append(1, c);
    }
    const Routes routes{{"GET " + path}};
    EXPECT_TRUE(routes.serve("GET", sent).ends_with(", o=o, p=p"));
}

/// Every choice of literal or parameter on twelve levels, and a path that fits them all but for
/// its end: the walk visits each node once and no more.
TEST(ResourceTree, StaysLinearWhereEveryBranchFits) {
    ResourceTree tree;
    for (std::uint32_t bits = 0; bits < 4096; ++bits) {
        std::string path;
        for (int level = 0; level < 12; ++level) {
            path += (bits >> level & 1U) != 0 ? "/a" : "/{p}";
        }
        ASSERT_TRUE(tree.add(path, "GET", bits));
    }
    std::string sent;
    for (int level = 0; level < 12; ++level)
        sent += "/a";
    EXPECT_EQ(tree.match(sent, http::Verb::get, kAws)->index, 4095U);
    const auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < 100; ++i) {
        EXPECT_FALSE(tree.match(sent + "/b", http::Verb::get, kAws));
        EXPECT_FALSE(tree.match(sent, http::Verb::post, kAws));
    }
    // 200 walks over at most 8191 nodes; exponential would be 4096 times that.
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds{5});
}

}  // namespace
}  // namespace sluice::gateway
