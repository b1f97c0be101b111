// SPDX-License-Identifier: Apache-2.0
//
// What counting and logging add to a request, and what a scrape costs.
#include <benchmark/benchmark.h>

#include <atomic>
#include <chrono>
#include <string>

#include "sluice/telemetry/access_log.hpp"
#include "sluice/telemetry/metrics.hpp"

namespace {

using namespace sluice::telemetry;
using namespace std::chrono_literals;

AccessRecord typical_record() {
    return {.request_id = "c6af9ac6-7b61-11e6-9a41-93e8deadbeef",
            .extended_request_id = "JKJaXmPLvHcESHA=",
            .api_id = "petstore",
            .stage = "prod",
            .resource_id = "a1b2c3",
            .resource_path = "/pets/{petId}",
            .http_method = "GET",
            .path = "/prod/pets/12345",
            .protocol = "HTTP/1.1",
            .domain_name = "api.example.com",
            .source_ip = "203.0.113.178",
            .user_agent = "Mozilla/5.0 (X11; Linux x86_64; rv:109.0) Gecko/20100101 Firefox/115.0",
            .api_key_id = "k1",
            .api_key = {},
            .error_message = {},
            .error_response_type = {},
            .integration_error = {},
            .cache_status = "MISS",
            .throttle_level = {},
            .usage_plan_id = "gold",
            .base_path_matched = {},
            .trace_id = "1-58406520-a006649127e371903a2de979",
            .request_time = sluice::WallTime(1700000000123ms),
            .status = 200,
            .response_length = 1543,
            .response_latency = 12ms,
            .integration_status = 200,
            .integration_latency = 11ms};
}

void format_line(benchmark::State& state, const char* name) {
    std::string error;
    const auto format = AccessLogFormat::compile(name, error);
    const AccessRecord record = typical_record();
    std::string out;
    out.reserve(1 << 17);
    for (auto _ : state) {
        format->append(record, out);
        if (out.size() > 65'536) out.clear();
    }
    out.clear();
    format->append(record, out);
    state.counters["bytes"] = static_cast<double>(out.size());
}
BENCHMARK_CAPTURE(format_line, CLF, "CLF");
BENCHMARK_CAPTURE(format_line, JSON, "JSON");
BENCHMARK_CAPTURE(format_line, XML, "XML");
BENCHMARK_CAPTURE(format_line, CSV, "CSV");
BENCHMARK_CAPTURE(format_line, with_user_agent,
                  R"($context.requestId $context.identity.apiKeyId $context.usagePlanId )"
                  R"($context.path $context.status $context.responseLatency )"
                  R"($context.integrationLatency "$context.identity.userAgent")");

void write_line_to_file(benchmark::State& state) {
    std::string error;
    std::atomic<std::uint64_t> dropped{0};
    AccessLogs logs(1, dropped);
    const auto file = logs.open("/dev/null", error);
    const auto format = AccessLogFormat::compile("CLF", error);
    const AccessRecord record = typical_record();
    for (auto _ : state) {
        format->append(record, file->buffer(0));
        file->filled(0);
    }
    logs.drain();
    state.counters["dropped"] = static_cast<double>(dropped);
}
BENCHMARK(write_line_to_file)->UseRealTime();

void count(benchmark::State& state) {
    Counter counter;
    for (auto _ : state) {
        counter.add();
        benchmark::ClobberMemory();
    }
}
BENCHMARK(count);

void record_latency(benchmark::State& state) {
    Histogram histogram;
    std::uint32_t random = 1;
    for (auto _ : state) {
        random = random * 1664525 + 1013904223;
        histogram.record(std::chrono::nanoseconds(random));  // up to 4.3 s, spread evenly
    }
}
BENCHMARK(record_latency);

void count_status(benchmark::State& state) {
    SeriesCells cells;
    for (auto _ : state)
        cells.count_status(200);
}
BENCHMARK(count_status);

/// All a request of one method counts.
void count_request(benchmark::State& state) {
    SeriesCells cells;
    for (auto _ : state) {
        cells.requests.add();
        cells.cache_misses.add();
        cells.count_status(200);
        cells.latency.record(12ms);
        cells.integration_latency.record(11ms);
        benchmark::ClobberMemory();
    }
}
BENCHMARK(count_request);

/// range(0): sets of labels; each is some 60 sample lines.
void render(benchmark::State& state) {
    Metrics metrics(2);
    for (int i = 0; i < state.range(0); ++i) {
        auto& cells = metrics.series({"PetStore", "prod", "/pets/" + std::to_string(i), "GET"});
        for (unsigned worker = 0; worker < 2; ++worker) {
            cells.cells(worker).requests.add(12'345);
            cells.cells(worker).count_status(200);
            cells.cells(worker).latency.record(12ms);
        }
    }
    std::size_t bytes = 0, lines = 0;
    for (auto _ : state) {
        const std::string text = metrics.render();
        bytes = text.size();
        benchmark::DoNotOptimize(text.data());
    }
    const std::string text = metrics.render();
    for (const char c : text)
        lines += c == '\n' ? 1 : 0;
    state.counters["lines"] = static_cast<double>(lines);
    state.counters["bytes"] = static_cast<double>(bytes);
}
BENCHMARK(render)->Arg(175)->Arg(10'000)->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
