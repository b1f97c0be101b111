// SPDX-License-Identifier: Apache-2.0
//
// The resource tree against a matcher that tries every declared resource by itself, on random
// trees and paths.
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "gateway/router.hpp"

namespace sluice::gateway {
namespace {

constexpr auto kStandard = Compatibility::standard;
constexpr auto kAws = Compatibility::aws;

http::Verb verb_of(std::string_view method) {
    return boost::beast::http::string_to_verb({method.data(), method.size()});
}

using Segments = std::vector<std::string>;

Segments split(std::string_view path) {
    Segments segments;
    while (path.starts_with('/'))
        path.remove_prefix(1);
    while (path.ends_with('/'))
        path.remove_suffix(1);
    for (std::size_t at = 0; !path.empty() && at <= path.size();) {
        const auto slash = std::min(path.find('/', at), path.size());
        segments.emplace_back(path.substr(at, slash - at));
        at = slash + 1;
    }
    return segments;
}

std::string joined(const Segments& segments, std::size_t from) {
    std::string text;
    for (std::size_t i = from; i < segments.size(); ++i) {
        text.append(i == from ? "" : "/").append(segments[i]);
    }
    return text;
}

std::string decoded(const std::string& segment, Compatibility personality) {
    std::string out;
    for (std::size_t i = 0; i < segment.size(); ++i) {
        if (segment[i] == ';' && personality == kStandard) break;
        if (segment[i] == '%') {
            out += static_cast<char>(std::stoi(segment.substr(i + 1, 2), nullptr, 16));
            i += 2;
        } else {
            out += segment[i];
        }
    }
    return out;
}

struct Declared {
    Segments path{};
    std::string method{};
};

/// Tries every declared resource by itself and takes the most specific that fits: where two
/// differ first, literal beats {param} beats {param+} (what depth-first order means).
class NaiveMatcher {
public:
    NaiveMatcher(const std::vector<Declared>& routes, Compatibility personality)
        : routes_{routes}, personality_{personality} {}

    std::string serve(const std::string& method, const std::string& path) const {
        if (personality_ == kStandard && path.find("/;") != std::string::npos) return "403";
        const Segments segments = split(path);
        const Declared* best = nullptr;
        std::string best_rank;
        for (const Declared& route : routes_) {
            const bool any = route.method == "ANY";
            if (!any && route.method != method) continue;
            auto rank = fit(route.path, segments);
            if (!rank) continue;
            *rank += any ? "b" : "a";
            if (best == nullptr || *rank < best_rank) {
                best = &route;
                best_rank = *rank;
            }
        }
        // In `standard` what takes the rest of the path takes the slash at its end too.
        const bool slash = personality_ == kStandard && path.ends_with('/');
        return best == nullptr ? "403" : describe(*best, segments, slash);
    }

private:
    /// One letter per segment, smaller = more specific; empty optional: does not fit.
    std::optional<std::string> fit(const Segments& route, const Segments& sent) const {
        std::string rank;
        for (std::size_t i = 0; i < route.size(); ++i) {
            const std::string& part = route[i];
            if (part.ends_with("+}")) {
                if (i < sent.size()) return rank + "c";
                return std::nullopt;
            }
            if (i >= sent.size()) return std::nullopt;
            if (part.front() == '{') {
                if (sent[i].empty()) return std::nullopt;
                rank += "b";
            } else {
                if (decoded(sent[i], personality_) != part) return std::nullopt;
                rank += "a";
            }
        }
        if (route.size() != sent.size()) return std::nullopt;
        return rank;
    }
    static std::string describe(const Declared& route, const Segments& sent, bool slash) {
        std::string text = route.method + " /" + joined(route.path, 0);
        for (std::size_t i = 0; i < route.path.size(); ++i) {
            const std::string& part = route.path[i];
            if (part.front() != '{') continue;
            const bool greedy = part.ends_with("+}");
            text += ", " + part.substr(1, part.size() - (greedy ? 3 : 2)) + "=";
            text += greedy ? joined(sent, i) + (slash ? "/" : "") : sent[i];
        }
        return text;
    }

    const std::vector<Declared>& routes_;
    Compatibility personality_;
};

class RandomTree {
public:
    explicit RandomTree(unsigned seed) : random_{seed} {}

    std::size_t below(std::size_t limit) { return random_() % limit; }
    template <class T, std::size_t N>
    const T& one_of(const T (&list)[N]) {
        return list[below(N)];
    }

    std::vector<Declared> routes() {
        std::vector<Declared> out;
        std::set<std::string> seen;
        const std::size_t count = 1 + below(25);
        for (std::size_t i = 0; i < count; ++i) {
            Declared route{.path = resource(), .method = one_of(kMethods)};
            if (seen.insert(route.method + " " + joined(route.path, 0)).second) {
                out.push_back(std::move(route));
            }
        }
        return out;
    }
    std::string path() {
        std::string text;
        const std::size_t depth = below(7);
        for (std::size_t i = 0; i < depth; ++i) {
            text.append(below(12) == 0 ? "//" : "/").append(one_of(kSent));
        }
        if (text.empty() || below(4) == 0) text += "/";
        return text;
    }
    std::string method() { return one_of(kRequestMethods); }

private:
    static constexpr const char* kMethods[] = {"GET", "POST", "ANY", "GET"};
    static constexpr const char* kRequestMethods[] = {"GET", "POST", "PUT", "TRACE"};
    static constexpr const char* kLiterals[] = {"a", "b", "ab", "a.b"};
    static constexpr const char* kSent[] = {"a",  "b",   "ab",    "a.b",  "c",    "%61",
                                            "a;", "b;x", "%61;b", "a%2F", "a%3B", ";x"};

    /// Names depend on the depth only, as the tree demands.
    Segments resource() {
        Segments path;
        const std::size_t depth = below(6);
        for (std::size_t i = 0; i < depth; ++i) {
            const std::size_t kind = below(10);
            const std::string name = std::to_string(i);
            if (kind < 5) {
                path.emplace_back(one_of(kLiterals));
            } else if (kind < 9) {
                path.push_back("{p" + name + "}");
            } else {
                path.push_back("{g" + name + "+}");
                break;
            }
        }
        return path;
    }

    std::mt19937 random_;
};

std::string serve(const ResourceTree& tree, const std::vector<Declared>& routes,
                  const std::string& method, const std::string& path, Compatibility personality) {
    const auto match = tree.match(path, verb_of(method), personality);
    if (!match) return "403";
    const Declared& route = routes[match->index];
    std::string text = route.method + " /" + joined(route.path, 0);
    for (const PathParam& p : match->params.all()) {
        text.append(", ").append(p.name).append("=").append(p.value);
    }
    return text;
}

TEST(ResourceTree, AgreesWithANaiveMatcher) {
    RandomTree random{20'240'607};
    std::size_t compared = 0;
    std::size_t served = 0;
    while (compared < 240'000) {
        const auto routes = random.routes();
        ResourceTree tree;
        for (std::uint32_t i = 0; i < routes.size(); ++i) {
            ASSERT_TRUE(tree.add("/" + joined(routes[i].path, 0), routes[i].method, i));
        }
        for (int i = 0; i < 60; ++i, ++compared) {
            const auto personality = random.below(2) == 0 ? kStandard : kAws;
            const auto method = random.method();
            const auto path = random.path();
            const NaiveMatcher naive{routes, personality};
            const std::string expected = method == "TRACE" ? "403" : naive.serve(method, path);
            ASSERT_EQ(serve(tree, routes, method, path, personality), expected)
                << method << " " << path;
            served += expected == "403" ? 0 : 1;
        }
    }
    EXPECT_GT(served, compared / 10) << "the generator has to hit routes";
}

}  // namespace
}  // namespace sluice::gateway
