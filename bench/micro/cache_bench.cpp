// SPDX-License-Identifier: Apache-2.0
//
// What the response cache costs per request, alone and with two workers on one hot key, and how
// many hits its eviction policy keeps against a plain LRU.
#include <benchmark/benchmark.h>

#include <string>

#include "../../tests/unit/state/cache_trace.hpp"
#include "base/hash.hpp"
#include "sluice/state/cache_store.hpp"

namespace sluice::state {
namespace {

using std::chrono::seconds;

constexpr TimePoint kStart{seconds{1000}};
constexpr unsigned kWorkers = 2;
constexpr unsigned kNoWorker = 99;  // has no front table: every hit goes through the shard
const std::string kHotKey = "petstore|prod|stage|r7|GET|method.request.querystring.type=3:dog";

void put(CacheStore& store, const std::string& key, std::size_t body) {
    auto fill = store.refresh(key, CacheStore::hash(key));
    fill.append(std::string(body, 'x'));
    fill.commit(200, "Content-Type: application/json\r\n", kStart, kStart + seconds{300}, 0);
}

/// One for all runs: Google Benchmark starts threads anew for each.
CacheStore& hot_store() {
    static CacheStore* const store = [] {
        auto* const made = new CacheStore(64 << 20, 1 << 20, kWorkers);  // lives until exit
        put(*made, kHotKey, 1024);
        return made;
    }();
    return *store;
}

void hash_of_key(benchmark::State& state) {
    for (auto _ : state) {
        benchmark::DoNotOptimize(CacheStore::hash(kHotKey));
    }
}
BENCHMARK(hash_of_key);

void hit_in_front_table(benchmark::State& state) {
    CacheStore& store = hot_store();
    const auto hash = CacheStore::hash(kHotKey);
    const auto worker = static_cast<unsigned>(state.thread_index());
    for (auto _ : state) {
        benchmark::DoNotOptimize(store.find(kHotKey, hash, kStart, worker));
    }
}
BENCHMARK(hit_in_front_table)->Threads(1)->Threads(2);

void hit_through_shard(benchmark::State& state) {
    CacheStore& store = hot_store();
    const auto hash = CacheStore::hash(kHotKey);
    for (auto _ : state) {
        benchmark::DoNotOptimize(store.find(kHotKey, hash, kStart, kNoWorker));
    }
}
BENCHMARK(hit_through_shard)->Threads(1)->Threads(2);

/// What the front table's leases avoid: one count of users for every core.
void copy_of_one_shared_pointer(benchmark::State& state) {
    static const CachedPtr shared = std::make_shared<CachedResponse>();
    for (auto _ : state) {
        CachedPtr copy = shared;
        benchmark::DoNotOptimize(copy);
    }
}
BENCHMARK(copy_of_one_shared_pointer)->Threads(1)->Threads(2);

void miss(benchmark::State& state) {
    CacheStore& store = hot_store();
    const std::string key = "petstore|prod|stage|r7|GET|method.request.querystring.type=3:cat";
    const auto hash = CacheStore::hash(key);
    for (auto _ : state) {
        benchmark::DoNotOptimize(store.find(key, hash, kStart, 0));
    }
}
BENCHMARK(miss);

/// The whole of a miss: hash, find, join, body, commit, and from the first megabyte on evict.
void miss_insert_evict(benchmark::State& state) {
    CacheStore store(1 << 20, 1 << 18, 1);
    const std::string body(static_cast<std::size_t>(state.range(0)), 'x');
    std::uint64_t next = 0;
    for (auto _ : state) {
        const std::string key = kHotKey + std::to_string(next++);
        const auto hash = CacheStore::hash(key);
        benchmark::DoNotOptimize(store.find(key, hash, kStart, 0));
        auto looked = store.join(key, hash, kStart, nullptr);
        looked.fill.append(body);
        looked.fill.commit(200, "Content-Type: application/json\r\n", kStart, kStart + seconds{300},
                           0);
    }
    state.counters["evicted"] = static_cast<double>(store.stats().evictions);
}
BENCHMARK(miss_insert_evict)->Arg(1024)->Arg(16 * 1024);

/// Many keys, more than a front table has slots: Zipf's law over 20,000. Argument: with front
/// tables or without.
void hit_mixed_keys(benchmark::State& state) {
    static CacheStore store(256 << 20, 1 << 20, kWorkers);
    static const auto trace =
        test::make_trace({.objects = 20'000, .requests = 100'000, .scan_length = 0});
    static const auto keys = [] {
        std::vector<std::string> made;
        for (int i = 0; i < 20'000; ++i) {
            made.push_back(kHotKey + std::to_string(i));
            put(store, made.back(), 1024);
        }
        return made;
    }();
    const auto worker = static_cast<unsigned>(state.thread_index());
    const auto looked_up_by = state.range(0) == 1 ? worker : kNoWorker;
    std::size_t at = worker * 5000;
    for (auto _ : state) {
        const std::string& key = keys[trace[at++ % trace.size()]];
        benchmark::DoNotOptimize(store.find(key, CacheStore::hash(key), kStart, looked_up_by));
    }
}
BENCHMARK(hit_mixed_keys)->ArgName("front")->Arg(1)->Arg(0)->Threads(1)->Threads(2);

/// Arguments: capacity in MB, length of the scans (0: none).
void hit_ratio(benchmark::State& state) {
    const auto capacity = static_cast<std::uint64_t>(state.range(0)) * 1'000'000;
    const auto trace = test::make_trace({.scan_length = static_cast<std::size_t>(state.range(1))});
    for (auto _ : state) {
        state.counters["s3fifo"] = test::hit_ratio<test::AskedS3Fifo>(trace, capacity);
        state.counters["lru"] = test::hit_ratio<test::PlainLru>(trace, capacity);
    }
}
BENCHMARK(hit_ratio)
    ->ArgsProduct({{4, 16}, {0, 5000}})
    ->Iterations(1)
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace sluice::state

BENCHMARK_MAIN();
