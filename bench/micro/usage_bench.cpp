// SPDX-License-Identifier: Apache-2.0
//
// What saving counters costs: of 100,000 keys some thousands changed since the last save, as they
// do within 200 ms of busy traffic. One call is one save, its part of the checkpoints included.
#include <benchmark/benchmark.h>
#include <stdlib.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "sluice/state/limit_registry.hpp"
#include "sluice/state/usage_writer.hpp"

namespace {

using namespace sluice;
using namespace sluice::state;

constexpr std::size_t kKeys = 100'000;
const WallTime kWall = std::chrono::sys_days{std::chrono::year{2026} / 6 / 15};
const QuotaRule kRule{std::int64_t{1} << 40, Period::month, 0};

struct Folder {
    Folder() {
        std::string name = (std::filesystem::temp_directory_path() / "sluice-XXXXXX").string();
        path = ::mkdtemp(name.data());
    }
    ~Folder() { std::filesystem::remove_all(path); }
    std::filesystem::path path{};
};

/// Keys that are all in the store, as in a gateway that has run for a while.
class Keys {
public:
    Keys() {
        PlanUse::Limits limits{};
        limits.quota = kRule;
        (void)registry_.plan("gold", limits);
        for (std::size_t n = 0; n < kKeys; ++n) {
            keys_.push_back(registry_.key_use("gold", "k" + std::to_string(100'000'000 + n)));
            (void)keys_.back()->quota().take(kRule, kWall);
        }
        // Any order: a list of changes has the order of traffic.
        std::ranges::shuffle(keys_, random_);
    }
    void change(std::size_t count) {
        for (std::size_t n = 0; n < count; ++n) {
            (void)keys_[random_() % kKeys]->quota().take(kRule, kWall);
        }
    }
    LimitRegistry& registry() { return registry_; }

private:
    std::minstd_rand random_{1};
    LimitRegistry registry_;
    std::vector<std::shared_ptr<KeyUse>> keys_;
};

void CollectUsage(benchmark::State& state) {
    Keys keys;
    std::size_t rows = 0;
    for (auto _ : state) {
        state.PauseTiming();
        keys.change(static_cast<std::size_t>(state.range(0)));
        state.ResumeTiming();
        UsageJournal::Batch batch;
        keys.registry().journal().collect(batch);
        rows += batch.counters.size();
    }
    state.SetItemsProcessed(static_cast<std::int64_t>(rows));
}
BENCHMARK(CollectUsage)->ArgName("changed")->Arg(6'000);

void SaveUsage(benchmark::State& state) {
    const Folder folder;
    const auto opened = open_sqlite_usage_store(folder.path / "state.db");
    Keys keys;
    UsageWriter::Options options;
    options.wall = [] { return kWall; };
    UsageWriter writer{keys.registry(), *opened->store, std::move(options)};
    (void)writer.flush_now();
    const std::uint64_t before = writer.stats().saved_rows;
    for (auto _ : state) {
        state.PauseTiming();
        keys.change(static_cast<std::size_t>(state.range(0)));
        state.ResumeTiming();
        if (!writer.flush_now()) state.SkipWithError("not saved");
    }
    state.SetItemsProcessed(static_cast<std::int64_t>(writer.stats().saved_rows - before));
}
BENCHMARK(SaveUsage)->ArgName("changed")->Arg(600)->Arg(6'000)->Arg(60'000);

}  // namespace

BENCHMARK_MAIN();
