// SPDX-License-Identifier: Apache-2.0
#include "sluice/telemetry/metrics.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <map>
#include <random>
#include <thread>

#include "unit/telemetry/files.hpp"

namespace sluice::telemetry {
namespace {

using namespace std::chrono_literals;

/// Sample lines by what stands before the value.
std::map<std::string, std::string> samples(const std::string& text) {
    std::map<std::string, std::string> found;
    for (const std::string& line : test::split_lines(text)) {
        if (line.starts_with('#')) continue;
        const auto blank = line.rfind(' ');
        EXPECT_TRUE(found.emplace(line.substr(0, blank), line.substr(blank + 1)).second) << line;
    }
    return found;
}

double total(const std::string& text, const std::string& family) {
    double sum = 0;
    for (const auto& [name, value] : samples(text)) {
        if (name == family || name.starts_with(family + '{')) sum += std::stod(value);
    }
    return sum;
}

const SeriesLabels kPets{"PetStore", "prod", "/pets/{petId}", "GET"};
const std::string kPetsText =
    R"(api="PetStore",stage="prod",resource="/pets/{petId}",method="GET")";

void fill(Metrics& metrics) {
    SeriesCells& cells = metrics.series(kPets).cells(1);
    cells.requests.add();
    cells.errors_4xx.add();
    cells.count_status(429);
    cells.throttled[3].add();
    cells.latency.record(3ms);
    cells.integration_latency.record(40s);
    metrics.backend("pets").cells(0).active.add(2);
    metrics.worker(0).connections.add(7);
}

std::size_t naive_bucket(std::chrono::nanoseconds value) {
    std::size_t bucket = 0;
    for (const double bound : kLatencyBounds) {
        if (static_cast<double>(value.count()) > bound * 1e9) ++bucket;
    }
    return bucket;
}

TEST(Histogram, PutsEveryValueIntoTheFirstBucketThatHoldsIt) {
    std::vector<std::chrono::nanoseconds> values{0ns, 1ns, 2ns, 100s, 24h};
    for (const double bound : kLatencyBounds) {
        const auto at = std::chrono::nanoseconds(static_cast<std::int64_t>(bound * 1e9 + 0.5));
        for (const auto offset : {-1000ns, -1ns, 0ns, 1ns, 1000ns})
            values.push_back(at + offset);
    }
    std::mt19937_64 random(1);
    for (int i = 0; i < 100'000; ++i) {
        values.emplace_back(static_cast<std::int64_t>(random() >> (1 + random() % 63)));
    }
    for (const auto value : values) {
        Histogram histogram;
        histogram.record(value);
        ASSERT_EQ(histogram.buckets[naive_bucket(value)].value(), 1u) << value.count();
        ASSERT_EQ(histogram.sum_nanoseconds.value(), static_cast<std::uint64_t>(value.count()));
    }
}

TEST(Histogram, TakesTimeThatWentBackAsZero) {
    Histogram histogram;
    histogram.record(-5ms);
    EXPECT_EQ(histogram.buckets[0].value(), 1u);
    EXPECT_EQ(histogram.sum_nanoseconds.value(), 0u);
}

TEST(Metrics, RendersWhatWasCounted) {
    Metrics metrics(2);
    fill(metrics);
    const auto found = samples(metrics.render());
    const auto at = [&](const std::string& name, const std::string& extra = {}) {
        const auto sample = found.find(name + "{" + kPetsText + extra + "}");
        return sample == found.end() ? "absent" : sample->second;
    };
    EXPECT_EQ(at("sluice_requests_total"), "1");
    EXPECT_EQ(at("sluice_4xx_errors_total"), "1");
    EXPECT_EQ(at("sluice_5xx_errors_total"), "0");
    EXPECT_EQ(at("sluice_responses_total", R"(,code="429")"), "1");
    EXPECT_EQ(at("sluice_responses_total", R"(,code="200")"), "absent");
    EXPECT_EQ(at("sluice_throttled_total", R"(,level="account")"), "1");
    EXPECT_EQ(at("sluice_throttled_total", R"(,level="plan")"), "0");
    EXPECT_EQ(at("sluice_latency_seconds_bucket", R"(,le="0.002")"), "0");
    EXPECT_EQ(at("sluice_latency_seconds_bucket", R"(,le="0.005")"), "1");
    EXPECT_EQ(at("sluice_latency_seconds_bucket", R"(,le="+Inf")"), "1");
    EXPECT_EQ(at("sluice_latency_seconds_sum"), "0.003");
    EXPECT_EQ(at("sluice_latency_seconds_count"), "1");
    EXPECT_EQ(at("sluice_integration_latency_seconds_bucket", R"(,le="30")"), "0");
    EXPECT_EQ(at("sluice_integration_latency_seconds_bucket", R"(,le="+Inf")"), "1");
    EXPECT_EQ(at("sluice_integration_latency_seconds_sum"), "40");
    EXPECT_EQ(found.at(R"(sluice_upstream_connections{backend="pets",state="active"})"), "2");
    EXPECT_EQ(found.at(R"(sluice_upstream_errors_total{backend="pets",reason="reset"})"), "0");
    EXPECT_EQ(found.at("sluice_connections"), "7");
    EXPECT_EQ(found.at(R"(sluice_build_info{version=")" SLUICE_VERSION R"("})"), "1");
    EXPECT_EQ(found.at("sluice_config_last_reload_successful"), "1");
}

TEST(Metrics, GivesTheSameSeriesForTheSameLabels) {
    Metrics metrics(1);
    Series& first = metrics.series(kPets);
    for (int i = 0; i < 100; ++i)
        metrics.series({"Api" + std::to_string(i), "prod", "", ""});
    EXPECT_EQ(&metrics.series(kPets), &first);
    EXPECT_EQ(&metrics.backend("pets"), &metrics.backend("pets"));
    EXPECT_EQ(first.labels(), kPets);
}

TEST(Metrics, EscapesLabelsAndKeepsUtf8) {
    Metrics metrics(1);
    metrics.series({"a\"b\\c\nd\xC3\xA9\xFF", "prod", "", ""}).cells(0).requests.add();
    EXPECT_NE(
        metrics.render().find("sluice_requests_total{api=\"a\\\"b\\\\c\\nd\xC3\xA9\xEF\xBF\xBD"
                              "\",stage=\"prod\",resource=\"\",method=\"\"} 1\n"),
        std::string::npos);
}

TEST(Metrics, CountsEveryStatusOnce) {
    Metrics metrics(2);
    Series& series = metrics.series(kPets);
    for (int status = 100; status <= 599; ++status) {
        for (unsigned worker = 0; worker < 2; ++worker)
            series.cells(worker).count_status(status);
    }
    const auto found = samples(metrics.render());
    for (int status = 100; status <= 599; ++status) {
        const std::string code = ",code=\"" + std::to_string(status) + "\"}";
        ASSERT_EQ(found.at("sluice_responses_total{" + kPetsText + code), "2");
    }
}

TEST(Metrics, AsksCollectorsAtEachScrape) {
    Metrics metrics(1);
    int asked = 0;
    metrics.add_collector([&](std::string& out) {
        write_family(out, "sluice_cache_bytes", "gauge", "Bytes\nin \\ the cache.");
        write_sample(out, "sluice_cache_bytes", {{"api", "a\"b"}, {"stage", "s"}}, ++asked);
    });
    metrics.render();
    const std::string text = metrics.render();
    EXPECT_TRUE(
        text.ends_with("# HELP sluice_cache_bytes Bytes\\nin \\\\ the cache.\n"
                       "# TYPE sluice_cache_bytes gauge\n"
                       "sluice_cache_bytes{api=\"a\\\"b\",stage=\"s\"} 2\n"))
        << text;
}

TEST(Metrics, IsExactWithAllWorkersCountingDuringScrapes) {
    constexpr unsigned kWorkers = 4;
    constexpr int kRequests = 50'000;
    Metrics metrics(kWorkers);
    std::vector<std::thread> workers;
    for (unsigned worker = 0; worker < kWorkers; ++worker) {
        workers.emplace_back([&, worker] {
            SeriesCells& cells = metrics.series(kPets).cells(worker);
            for (int i = 0; i < kRequests; ++i) {
                metrics.worker(worker).requests_in_flight.add();
                cells.requests.add();
                cells.count_status(i % 2 == 0 ? 200 : 504);
                cells.latency.record(std::chrono::nanoseconds(i * 1000));
                metrics.worker(worker).requests_in_flight.sub();
            }
        });
    }
    double last = 0;
    for (int scrape = 0; scrape < 20; ++scrape) {
        metrics.series({"Other" + std::to_string(scrape), "prod", "", ""});  // as a reload would
        const double now = total(metrics.render(), "sluice_requests_total");
        EXPECT_GE(now, last);
        last = now;
    }
    for (auto& worker : workers)
        worker.join();
    const std::string text = metrics.render();
    EXPECT_EQ(total(text, "sluice_requests_total"), kWorkers * kRequests);
    EXPECT_EQ(total(text, "sluice_responses_total"), kWorkers * kRequests);
    EXPECT_EQ(total(text, "sluice_latency_seconds_count"), kWorkers * kRequests);
    EXPECT_EQ(total(text, "sluice_requests_in_flight"), 0);
    EXPECT_DOUBLE_EQ(total(text, "sluice_latency_seconds_sum"),
                     kWorkers * 1e-6 * kRequests * (kRequests - 1) / 2);
}

TEST(Metrics, HasTheFamiliesThatDashboardsKnow) {
    Metrics metrics(1);
    std::string names;
    for (const std::string& line : test::split_lines(metrics.render())) {
        if (line.starts_with("# TYPE ")) names += line.substr(7) + '\n';
    }
    test::expect_golden("metrics.txt", names);
}

TEST(Metrics, IsCleanForPromtool) {
    constexpr const char* kPromtool = "/usr/bin/promtool";
    if (access(kPromtool, X_OK) != 0) GTEST_SKIP() << "needs " << kPromtool;
    Metrics metrics(2);
    fill(metrics);
    metrics.series({"We\"ird\\ \n\xC3\xA9\xFF", "prod", "/{proxy+}", "ANY"})
        .cells(0)
        .requests.add();
    const test::TempFolder folder;
    std::ofstream(folder / "metrics") << metrics.render();
    const std::string command = std::string(kPromtool) + " check metrics < " +
                                (folder / "metrics").string() + " > " + (folder / "said").string() +
                                " 2>&1";
    EXPECT_EQ(std::system(command.c_str()), 0);
    EXPECT_EQ(test::read_file(folder / "said"), "");
}

TEST(Metrics, RendersTenThousandSeriesInTime) {
    Metrics metrics(2);
    for (int i = 0; i < 180; ++i)
        metrics.series({"Api" + std::to_string(i), "prod", "", ""});
    const auto started = std::chrono::steady_clock::now();
    const std::string text = metrics.render();
    const auto took = std::chrono::steady_clock::now() - started;
    EXPECT_GE(samples(text).size(), 9'000u);
    EXPECT_LT(took, 100ms);
}

TEST(Metrics, NamesEveryUpstreamError) {
    std::map<std::string_view, int> names;
    for (std::size_t i = 0; i < static_cast<std::size_t>(UpstreamError::count_); ++i) {
        ++names[to_string(static_cast<UpstreamError>(i))];
    }
    EXPECT_EQ(names.size(), static_cast<std::size_t>(UpstreamError::count_));
    EXPECT_EQ(names.count("unknown"), 0u);
}

}  // namespace
}  // namespace sluice::telemetry
