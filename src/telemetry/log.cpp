// SPDX-License-Identifier: Apache-2.0
//
// The only file that knows spdlog.
#include "sluice/telemetry/log.hpp"

#include <spdlog/async.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <utility>

#include "telemetry/escape.hpp"
#include "telemetry/output.hpp"
#include "telemetry/quiet_thread.hpp"

namespace sluice::log {
namespace {

constexpr std::size_t kQueueLines = 8192;
constexpr char kTextPattern[] = "%Y-%m-%dT%H:%M:%S.%eZ %l %v";
constexpr char kJsonPattern[] = R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l","message":"%v"})";

spdlog::level::level_enum to_spdlog(Level level) {
    switch (level) {
        case Level::trace:
            return spdlog::level::trace;
        case Level::debug:
            return spdlog::level::debug;
        case Level::info:
            return spdlog::level::info;
        case Level::warn:
            return spdlog::level::warn;
        case Level::error:
            return spdlog::level::err;
        case Level::off:
            break;
    }
    return spdlog::level::off;
}

std::unique_ptr<spdlog::formatter> make_formatter(config::LogFormat format) {
    return std::make_unique<spdlog::pattern_formatter>(
        format == config::LogFormat::json ? kJsonPattern : kTextPattern,
        spdlog::pattern_time_type::utc, "\n");
}

/// Lines to one output; the base class holds its mutex around each call.
class Sink final : public spdlog::sinks::base_sink<std::mutex> {
public:
    Sink(const std::string& path, std::atomic<std::uint64_t>& lost)
        : output_(path, /*standard error*/ 2), lost_(lost) {}

    bool open(std::string& error) {
        const std::lock_guard lock(mutex_);
        return output_.open(error);
    }
    /// Stops waiting for a reader of standard error, if it is a pipe.
    void hurry() { hurry_ = true; }

    std::uint64_t flushes() {
        const std::lock_guard lock(flush_mutex_);
        return flushes_;
    }
    bool wait_for_flush_after(std::uint64_t seen, std::chrono::milliseconds limit) {
        std::unique_lock lock(flush_mutex_);
        return flushed_.wait_for(lock, limit, [&] { return flushes_ > seen; });
    }

protected:
    void sink_it_(const spdlog::details::log_msg& message) override {
        spdlog::memory_buf_t line;
        formatter_->format(message, line);
        lost_ += output_.write({line.data(), line.size()}, hurry_);
    }
    void flush_() override {
        const std::lock_guard lock(flush_mutex_);
        ++flushes_;
        flushed_.notify_all();
    }

private:
    telemetry::Output output_;
    std::atomic<std::uint64_t>& lost_;
    std::atomic<bool> hurry_{false};
    std::mutex flush_mutex_;
    std::condition_variable flushed_;
    std::uint64_t flushes_ = 0;
};

/// A sink, its thread and the logger in front. Destruction writes what is queued.
struct Running {
    config::Log settings;
    std::shared_ptr<Sink> sink;
    std::shared_ptr<spdlog::async_logger> logger;
    std::shared_ptr<spdlog::async_logger> flusher;  ///< waits for room and drops nothing
    /// Last, so it ends first: its thread is joined before the loggers that queued lines refer to.
    std::shared_ptr<spdlog::details::thread_pool> pool;

    /// Returns when every line queued before is written.
    void flush() const {
        constexpr auto kRetry = std::chrono::milliseconds(50);
        const std::uint64_t seen = sink->flushes();
        do {
            flusher->flush();  // again when later lines overran it
        } while (!sink->wait_for_flush_after(seen, kRetry));
    }
};

struct State {
    std::atomic<Level> level{Level::info};
    std::atomic<std::uint64_t> lost{0};  ///< not taken by the file, or overrun in an ended queue
    std::mutex mutex;                    ///< guards running
    std::shared_ptr<const Running> running;
};

/// Never destroyed: other threads and static objects may log to the very end.
State& state() {
    static State* const only = new State;
    return *only;
}

std::shared_ptr<const Running> running() {
    const std::lock_guard lock(state().mutex);
    return state().running;
}

std::shared_ptr<const Running> exchange_running(std::shared_ptr<const Running> next) {
    const std::lock_guard lock(state().mutex);
    return std::exchange(state().running, std::move(next));
}

/// Writes what `old` has queued and keeps its counts.
void finish(const std::shared_ptr<const Running>& old) {
    if (!old) return;
    old->sink->hurry();
    old->flush();
    state().lost += old->pool->overrun_counter();
}

std::shared_ptr<const Running> make_running(const config::Log& settings, std::string& error) {
    auto made = std::make_shared<Running>();
    made->settings = settings;
    made->sink = std::make_shared<Sink>(settings.file, state().lost);
    if (!made->sink->open(error)) return nullptr;
    made->sink->set_formatter(make_formatter(settings.format));
    {
        const telemetry::SignalsBlocked blocked;
        made->pool = std::make_shared<spdlog::details::thread_pool>(kQueueLines, 1);
    }
    const auto make_logger = [&](spdlog::async_overflow_policy policy) {
        return std::make_shared<spdlog::async_logger>("sluice", made->sink, made->pool, policy);
    };
    made->logger = make_logger(spdlog::async_overflow_policy::overrun_oldest);
    made->flusher = make_logger(spdlog::async_overflow_policy::block);
    made->logger->set_level(spdlog::level::trace);
    return made;
}

/// Before the start and after the end: straight to standard error.
spdlog::logger& early_logger() {
    static spdlog::logger* const only = [] {
        auto sink = std::make_shared<Sink>("-", state().lost);
        std::string error;
        sink->open(error);
        sink->hurry();
        sink->set_formatter(make_formatter(config::LogFormat::text));
        auto* logger = new spdlog::logger("early", std::move(sink));
        logger->set_level(spdlog::level::trace);
        return logger;
    }();
    return *only;
}

std::string escaped(std::string_view text, config::LogFormat format) {
    std::string out;
    out.reserve(text.size() + 16);
    if (format == config::LogFormat::json) {
        telemetry::append_json(out, text);
    } else {
        telemetry::append_text(out, text);
    }
    return out;
}

}  // namespace

bool start(const config::Log& settings, std::string& error) {
    const auto now = running();
    if (!now || now->settings.file != settings.file || now->settings.format != settings.format) {
        auto next = make_running(settings, error);
        if (!next) {
            error = settings.file + ": " + error;
            return false;
        }
        finish(exchange_running(std::move(next)));
    }
    state().level = settings.level;
    return true;
}

void reopen() {
    const auto now = running();
    if (!now || now->settings.file == "-") return;
    std::string problem;
    if (!now->sink->open(problem)) error("log {}: {}", now->settings.file, problem);
}

void flush() {
    if (const auto now = running()) now->flush();
}

void stop() { finish(exchange_running(nullptr)); }

std::uint64_t dropped() {
    const auto now = running();
    return state().lost + (now ? now->pool->overrun_counter() : 0);
}

bool enabled(Level level) { return level != Level::off && level >= state().level; }

void write(Level level, std::string_view text) {
    if (!enabled(level)) return;
    const auto now = running();
    const auto format = now ? now->settings.format : config::LogFormat::text;
    spdlog::logger& logger = now ? *now->logger : early_logger();
    logger.log(to_spdlog(level), spdlog::string_view_t(escaped(text, format)));
}

}  // namespace sluice::log
