// SPDX-License-Identifier: Apache-2.0
#include "telemetry/trace_exporter.hpp"

#include <pthread.h>

#include "base/random.hpp"
#include "sluice/telemetry/log.hpp"
#include "telemetry/otlp_client.hpp"
#include "telemetry/otlp_encode.hpp"
#include "telemetry/quiet_thread.hpp"

namespace sluice::telemetry {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// As OpenTelemetry's SDKs retry: 1 s, 1.5 times longer each time, 5 s at most, five tries.
constexpr int kTries = 5;
constexpr milliseconds kFirstPause{1000};
constexpr milliseconds kLongestPause{5000};

/// The OTLP specification's list of answers that another try may change.
bool may_retry(int status) {
    return status == 0 || status == 429 || status == 502 || status == 503 || status == 504;
}

milliseconds pause_after(int attempt) {
    auto pause = kFirstPause;
    for (int i = 0; i < attempt && pause < kLongestPause; ++i)
        pause = pause * 3 / 2;
    thread_local Random random;
    const auto jitter = static_cast<int>(random.next() % 41) - 20;  // per cent
    pause = std::min(pause, kLongestPause);
    return pause + pause * jitter / 100;
}

}  // namespace

void TraceExporter::use(const config::Tracing& settings) {
    queue_.set_limit(settings.max_queue_size);
    {
        const std::lock_guard lock{mutex_};
        settings_ = std::make_shared<const config::Tracing>(settings);
    }
    if (thread_.joinable()) return;
    thread_ = quiet_thread([this] { run(); });
    ::pthread_setname_np(thread_.native_handle(), "sluice-traces");
}

void TraceExporter::stop() {
    if (!thread_.joinable()) return;
    stop_by_ = (steady_clock::now() + kFlushBound).time_since_epoch().count();
    stopping_ = true;
    queue_.close();
    thread_.join();
}

TraceExporter::Stats TraceExporter::stats() const {
    return {exported_.load(), queue_.dropped(), failed_.load()};
}

TraceExporter::Settings TraceExporter::settings() {
    const std::lock_guard lock{mutex_};
    return settings_;
}

bool TraceExporter::is_out_of_time() const {
    return stopping_ && steady_clock::now().time_since_epoch().count() >= stop_by_;
}

void TraceExporter::run() {
    for (;;) {
        const Settings now = settings();
        const auto batch = queue_.take(now->max_export_batch_size, now->schedule_delay);
        if (batch.empty()) return;
        try {
            send(batch);
        } catch (const std::exception& e) {
            failed_ += batch.size();
            log::error("traces: {}", e.what());
        }
    }
}

void TraceExporter::send(const std::vector<Span>& batch) {
    const Settings now = settings();
    const std::string message = encode_spans(batch, *now);
    const TimePoint give_up = steady_clock::now() + now->export_timeout;
    for (int attempt = 0; attempt < kTries; ++attempt) {
        if (is_out_of_time()) break;
        const auto pause = send_once(*now, message, batch.size(), attempt);
        if (!pause) return;
        if (attempt + 1 == kTries || steady_clock::now() + *pause >= give_up) break;
        rest(*pause);
    }
    failed_ += batch.size();
}

/// The end of the program cuts it short.
void TraceExporter::rest(Duration pause) {
    if (!queue_.wait_closed(pause)) return;
    // There is time for another quick try then, not for patience.
    std::this_thread::sleep_for(std::min<Duration>(pause, milliseconds{100}));
}

std::optional<Duration> TraceExporter::send_once(const config::Tracing& now,
                                                 const std::string& message, std::size_t spans,
                                                 int attempt) {
    const OtlpAnswer answer = post_otlp(now, message, steady_clock::now() + now.timeout,
                                        [this] { return !is_out_of_time(); });
    if (answer.status >= 200 && answer.status < 300) {
        const Rejection rejection = decode_rejection(answer.body);
        const auto refused = std::min<std::uint64_t>(rejection.spans, spans);
        exported_ += spans - refused;
        failed_ += refused;
        note(now, refused == 0 ? "" : "spans refused: " + rejection.why);
        return {};
    }
    note(now, answer.status == 0 ? answer.error : "status " + std::to_string(answer.status));
    if (!may_retry(answer.status)) {
        failed_ += spans;
        return {};
    }
    return answer.retry_after ? Duration{*answer.retry_after} : Duration{pause_after(attempt)};
}

void TraceExporter::note(const config::Tracing& now, const std::string& problem) {
    if (problem.empty() == problem_.empty()) {
        problem_ = problem;
        return;
    }
    problem_ = problem;
    if (problem.empty())
        log::info("traces: {} takes spans again", now.endpoint);
    else
        log::warn("traces: {}: {}", now.endpoint, problem);
}

}  // namespace sluice::telemetry
