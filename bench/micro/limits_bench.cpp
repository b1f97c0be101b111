// SPDX-License-Identifier: Apache-2.0
//
// What a limit costs a request: the decision over one, three and five buckets, alone and with two
// threads on the same words, refused and admitted; the quota; the API key's lookup.
#include <benchmark/benchmark.h>

#include <array>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "sluice/state/key_table.hpp"
#include "sluice/state/limit_registry.hpp"
#include "sluice/state/limits.hpp"

namespace {

using namespace sluice;
using namespace sluice::state;

const WallTime kWall = std::chrono::sys_days{std::chrono::year{2026} / 6 / 15};
const QuotaRule kRule{std::int64_t{1} << 40, Period::month, 0};

// Never empty: what is measured is the price of being admitted.
const BucketShape kWide{1e12, std::int64_t{1} << 40};
const BucketShape kClosed{0.001, 0};

struct alignas(64) Lone {
    TokenBucket bucket{};
};

// Shared by the threads of one run: the hottest case, every request on the same limits.
std::array<Lone, 5> buckets;
QuotaCounter counter;

void decide_with(benchmark::State& state, std::size_t levels, bool quota) {
    std::vector<Charge> charges;
    for (std::size_t n = 0; n < levels; ++n) {
        charges.push_back({&buckets[n].bucket, &kWide, static_cast<Level>(n)});
    }
    std::vector<QuotaCharge> quotas;
    if (quota) quotas.push_back({&counter, &kRule});
    TimePoint now = std::chrono::steady_clock::now();
    for (auto _ : state) {
        now += std::chrono::microseconds{1};
        benchmark::DoNotOptimize(decide(charges, quotas, now, kWall));
    }
    state.SetItemsProcessed(state.iterations());
}

void Decide(benchmark::State& state) {
    decide_with(state, static_cast<std::size_t>(state.range(0)), false);
}
BENCHMARK(Decide)->Arg(1)->Arg(3)->Arg(5)->ThreadRange(1, 2);

void DecideWithQuota(benchmark::State& state) {
    decide_with(state, static_cast<std::size_t>(state.range(0)), true);
}
BENCHMARK(DecideWithQuota)->Arg(0)->Arg(3)->ThreadRange(1, 2);

// What a gateway does: a key's own limits, and those of the stage and account shared.
void DecideForManyKeys(benchmark::State& state) {
    constexpr std::size_t kKeys = 100'000;
    static LimitRegistry registry;
    static const auto keys = [] {
        PlanUse::Limits limits{};
        limits.throttle = kWide;
        limits.quota = kRule;
        (void)registry.plan("gold", limits);
        std::vector<std::shared_ptr<KeyUse>> made;
        for (std::size_t n = 0; n < kKeys; ++n) {
            made.push_back(registry.key_use("gold", std::to_string(n)));
        }
        return made;
    }();
    std::minstd_rand random(static_cast<unsigned>(state.thread_index()) + 1);
    TimePoint now = std::chrono::steady_clock::now();
    for (auto _ : state) {
        now += std::chrono::microseconds{1};
        KeyUse& key = *keys[random() % kKeys];
        const std::array<Charge, 3> charges{{{&key.bucket(), &kWide, Level::plan},
                                             {&buckets[0].bucket, &kWide, Level::stage_method},
                                             {&buckets[1].bucket, &kWide, Level::account}}};
        const std::array<QuotaCharge, 1> quotas{{{&key.quota(), &kRule}}};
        benchmark::DoNotOptimize(decide(charges, quotas, now, kWall));
    }
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK(DecideForManyKeys)->ThreadRange(1, 2);

/// Where limits are kept. What memory and sqlite cost a decision is the same: sqlite's writer
/// reads the counters from a thread of its own, which runs here too. redis: the same three
/// buckets and quota, leased; a thread grants as RedisState's does.
enum Store { kMemory, kSqlite, kRedis };

/// Stands for the store's thread.
class Background {
public:
    explicit Background(std::function<void()> work)
        : thread_{[this, work = std::move(work)](const std::stop_token& stop) {
              while (!stop.stop_requested()) {
                  work();
                  std::this_thread::sleep_for(std::chrono::milliseconds{50});
              }
          }} {}

private:
    std::jthread thread_;
};

/// Three buckets and a quota: a key's own of its plan, the stage's and the account's shared.
class StoreBench {
public:
    StoreBench(Store store, std::size_t count) : store_{store} {
        shape_ = store == kRedis ? kWide.leased() : kWide;
        PlanUse::Limits limits{};
        limits.throttle = shape_;
        limits.quota = kRule;
        limits.quota->leased = store == kRedis;
        rule_ = registry_.plan("gold", limits)->rule();
        for (std::size_t n = 0; n < count; ++n)
            keys_.push_back(registry_.key_use("gold", std::to_string(n)));
        work();
        background_ = std::make_unique<Background>([this] { work(); });
    }
    Decision decide_for(std::size_t key, TimePoint now) {
        KeyUse& use = *keys_[key];
        const std::array<Charge, 3> charges{{{&use.bucket(), &shape_, Level::plan},
                                             {&stage_.bucket, &shape_, Level::stage_method},
                                             {&account_.bucket, &shape_, Level::account}}};
        const std::array<QuotaCharge, 1> quotas{{{&use.quota(), &rule_}}};
        return decide(charges, quotas, now, kWall);
    }
    std::size_t keys() const { return keys_.size(); }

private:
    void work() {
        if (store_ == kRedis) {
            constexpr std::int64_t kLease = std::int64_t{1} << 20;
            const auto fill = [](TokenBucket& bucket) {
                if (bucket.stock() < kLease) bucket.grant(kLease);
            };
            fill(stage_.bucket);
            fill(account_.bucket);
            for (const auto& key : keys_) {
                fill(key->bucket());
                if (key->quota().stock(rule_, kWall) < kLease) {
                    key->quota().grant(rule_.window_at(kWall), kLease);
                }
            }
        } else if (store_ == kSqlite) {
            UsageJournal::Batch batch;
            registry_.journal().collect(batch);
        }
    }

    const Store store_;
    BucketShape shape_ = kWide;
    QuotaRule rule_;
    LimitRegistry registry_;
    Lone stage_, account_;
    std::vector<std::shared_ptr<KeyUse>> keys_;
    std::unique_ptr<Background> background_;
};

void DecideByStore(benchmark::State& state) {
    static std::mutex mutex;
    static std::map<std::pair<std::int64_t, std::int64_t>, std::shared_ptr<StoreBench>> made;
    std::shared_ptr<StoreBench> bench;
    {
        const std::lock_guard lock{mutex};
        auto& slot = made[{state.range(0), state.range(1)}];
        if (!slot) {
            slot = std::make_shared<StoreBench>(static_cast<Store>(state.range(0)),
                                                static_cast<std::size_t>(state.range(1)));
        }
        bench = slot;
    }
    std::minstd_rand random(static_cast<unsigned>(state.thread_index()) + 1);
    TimePoint now = std::chrono::steady_clock::now();
    std::size_t refused = 0;
    for (auto _ : state) {
        now += std::chrono::microseconds{1};
        const std::size_t key = bench->keys() == 1 ? 0 : random() % bench->keys();
        refused += bench->decide_for(key, now).outcome != Decision::Outcome::admitted;
    }
    state.counters["refused"] = static_cast<double>(refused);
    state.SetItemsProcessed(state.iterations());
    bench.reset();
    const std::lock_guard lock{mutex};
    std::erase_if(made, [](const auto& entry) { return entry.second.use_count() == 1; });
}
BENCHMARK(DecideByStore)
    ->ArgNames({"store", "keys"})
    ->ArgsProduct({{kMemory, kSqlite, kRedis}, {1, 100'000}})
    ->ThreadRange(1, 2)
    ->UseRealTime();

void Refuse(benchmark::State& state) {
    const std::array<Charge, 2> charges{{{&buckets[0].bucket, &kWide, Level::plan},
                                         {&buckets[1].bucket, &kClosed, Level::stage_method}}};
    const TimePoint now = std::chrono::steady_clock::now();
    for (auto _ : state) {
        benchmark::DoNotOptimize(decide(charges, {}, now, kWall));
    }
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK(Refuse)->ThreadRange(1, 2);

void QuotaWindow(benchmark::State& state) {
    const QuotaRule rule{1, static_cast<Period>(state.range(0)), 3};
    WallTime now = kWall;
    for (auto _ : state) {
        now += std::chrono::seconds{1};
        benchmark::DoNotOptimize(rule.window_at(now));
    }
}
BENCHMARK(QuotaWindow)->DenseRange(0, 2);

void SourceAddress(benchmark::State& state) {
    static LimitRegistry registry;
    static const auto meter = registry.source_meter("anonymous", SourceLimits{});
    const auto count = static_cast<std::uint32_t>(state.range(0));
    std::minstd_rand random(static_cast<unsigned>(state.thread_index()) + 1);
    const TimePoint now = std::chrono::steady_clock::now();
    for (auto _ : state) {
        const auto n = static_cast<std::uint32_t>(random() % count);
        const auto address =
            IpAddress::v4({10, static_cast<std::uint8_t>(n >> 16),
                           static_cast<std::uint8_t>(n >> 8), static_cast<std::uint8_t>(n)});
        const auto pin = meter->find_or_add(address, SourceMeter::kPlanSlot, now, kWall);
        benchmark::DoNotOptimize(&pin.bucket());
    }
}
BENCHMARK(SourceAddress)->Arg(100)->Arg(1'000'000)->ThreadRange(1, 2);

void FindKey(benchmark::State& state) {
    const auto count = static_cast<std::uint32_t>(state.range(0));
    const auto value = [](std::uint32_t n) {
        std::string text = std::to_string(n);
        text.insert(0, 39 - text.size(), 'k');
        return text;
    };
    KeyTable<std::uint32_t>::Builder builder;
    for (std::uint32_t n = 0; n < count; ++n) {
        (void)builder.add(value(n), n);
    }
    const KeyTable<std::uint32_t> table = std::move(builder).build();
    std::vector<std::string> asked;
    std::minstd_rand random(1);
    for (int n = 0; n < 4096; ++n) {
        asked.push_back(value(static_cast<std::uint32_t>(random() % count)));
    }
    std::size_t next = 0;
    for (auto _ : state) {
        benchmark::DoNotOptimize(table.find(asked[next++ & 4095]));
    }
}
BENCHMARK(FindKey)->Arg(10)->Arg(100'000)->Arg(1'000'000);

}  // namespace

BENCHMARK_MAIN();
