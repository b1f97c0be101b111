// SPDX-License-Identifier: Apache-2.0
//
// What the pure decisions of one request cost. The aim for routing: 10,000 routes within 1.15 of
// 10 (MatchOne asks for the same route, MatchMany walks over all of them and so also measures
// what no longer fits the nearest cache).
#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "gateway/cache_key.hpp"
#include "gateway/header_rules.hpp"
#include "gateway/router.hpp"
#include "gateway/uri_template.hpp"

namespace sluice::gateway {
namespace {

constexpr auto kStandard = Compatibility::standard;

struct Routes {
    ResourceTree tree;
    std::vector<std::string> sent;

    explicit Routes(std::size_t count) {
        for (std::size_t i = 0; i < count; ++i) {
            const auto name = "/service-" + std::to_string(i / 4) + "/items-" + std::to_string(i);
            tree.add(name + "/{itemId}", "GET", static_cast<std::uint32_t>(i));
            sent.push_back(name + "/4711");
        }
    }
};

void match_one(benchmark::State& state) {
    const Routes routes{static_cast<std::size_t>(state.range(0))};
    const std::string& path = routes.sent[routes.sent.size() / 2];
    for (auto _ : state) {
        benchmark::DoNotOptimize(routes.tree.match(path, http::Verb::get, kStandard));
    }
}
BENCHMARK(match_one)->Name("MatchOne")->Arg(10)->Arg(100)->Arg(1'000)->Arg(10'000);

void match_many(benchmark::State& state) {
    const Routes routes{static_cast<std::size_t>(state.range(0))};
    std::size_t i = 0;
    for (auto _ : state) {
        benchmark::DoNotOptimize(routes.tree.match(routes.sent[i], http::Verb::get, kStandard));
        i = i + 1 == routes.sent.size() ? 0 : i + 1;
    }
}
BENCHMARK(match_many)->Name("MatchMany")->Arg(10)->Arg(100)->Arg(1'000)->Arg(10'000);

void match_greedy(benchmark::State& state) {
    Routes routes{10'000};
    routes.tree.add("/{proxy+}", "ANY", 10'000);
    for (auto _ : state) {
        benchmark::DoNotOptimize(
            routes.tree.match("/service-7/items-29/4711/more", http::Verb::get, kStandard));
    }
}
BENCHMARK(match_greedy)->Name("MatchGreedyAfterBacktracking");

PathParams one_param() {
    PathParams params;
    params.push({"petId", "4711"});
    return params;
}

void fill_uri(benchmark::State& state) {
    const auto uri =
        UriTemplate::compile("http://pets/pets/{petId}", {.resource_path = "/pets/{petId}"});
    const auto params = one_param();
    std::string out;
    for (auto _ : state) {
        out.clear();
        benchmark::DoNotOptimize(uri->append(out, params, true, "page=2&size=50"));
    }
}
BENCHMARK(fill_uri)->Name("FillUri");

http::FieldList browser_fields() {
    http::FieldList fields;
    for (const std::string_view name :
         {"Host", "User-Agent", "Accept", "Accept-Language", "Accept-Encoding", "Connection",
          "Referer", "Cookie", "x-api-key", "Sec-Fetch-Dest", "Sec-Fetch-Mode", "Sec-Fetch-Site",
          "X-Forwarded-For", "X-Correlation-Id", "DNT"}) {
        fields.push({boost::beast::http::string_to_field({name.data(), name.size()}), name, "v"});
    }
    return fields;
}

void judge_fields(benchmark::State& state) {
    const auto fields = browser_fields();
    for (auto _ : state) {
        const auto tokens = connection_tokens(fields);
        for (const auto& f : fields.all()) {
            benchmark::DoNotOptimize(towards_backend(f, {}, tokens));
        }
    }
}
BENCHMARK(judge_fields)->Name("JudgeFifteenFields");

void build_key(benchmark::State& state) {
    const std::vector<std::string> parameters = {"method.request.path.petId",
                                                 "method.request.querystring.page",
                                                 "method.request.header.Origin"};
    const auto key =
        CacheKey::compile({.api_id = "petstore", .stage = "prod"}, parameters, {}, {}, kStandard);
    const auto params = one_param();
    const auto fields = browser_fields();
    std::string out;
    for (auto _ : state) {
        key->build(out, "GET", {params, "page=2&size=50", fields});
        benchmark::DoNotOptimize(out.data());
    }
}
BENCHMARK(build_key)->Name("BuildCacheKey");

}  // namespace
}  // namespace sluice::gateway

BENCHMARK_MAIN();
