// SPDX-License-Identifier: Apache-2.0
#include "app/state_store.hpp"

#include <filesystem>

#include "app/redis_settings.hpp"
#include "sluice/telemetry/log.hpp"

namespace sluice::app {
namespace {

/// Nothing to go on with; worth a word, since it may have been there before.
bool is_new_or_empty(const std::filesystem::path& path) {
    std::error_code error;
    const auto size = std::filesystem::file_size(path, error);
    return error || size == 0;
}

std::unique_ptr<state::UsageStore> open_database(const std::filesystem::path& path) {
    const bool empty = is_new_or_empty(path);
    auto opened = state::open_sqlite_usage_store(path);
    if (!opened) {
        log::error("state store {}: {}", path.string(), opened.error().detail);
        return nullptr;
    }
    if (!opened->set_aside.empty()) {
        log::error(
            "state store {} was damaged ({}); it was moved to {} and counting starts from "
            "zero",
            path.string(), opened->damage, opened->set_aside.string());
    }
    if (empty) log::warn("state store {} is new: counting starts from zero", path.string());
    return std::move(opened->store);
}

std::unique_ptr<state::RedisState> open_redis(const config::Redis& settings) {
    auto redis = redis_settings(settings);
    if (!redis) {
        log::error("{}", redis.error().detail);
        return nullptr;
    }
    const std::string where = redis->host + ":" + redis->port;
    redis->on_away = [where, mode = settings.on_failure](const std::string& why) {
        const char* then = mode == config::RedisFailure::local ? "going on with this node's share"
                           : mode == config::RedisFailure::closed ? "refusing what has a limit"
                                                                  : "admitting, to count later";
        log::warn("redis {} is away ({}): {}", where, why, then);
    };
    redis->on_back = [where](std::chrono::milliseconds absence) {
        log::info("redis {} is back after {} ms: limits are shared again", where, absence.count());
    };
    auto opened = state::RedisState::open(std::move(*redis));
    if (!opened) {
        log::error("redis: {}", opened.error().detail);
        return nullptr;
    }
    if (opened->get()->stats().connected) log::info("limits are shared through redis {}", where);
    return std::move(*opened);
}

std::unique_ptr<state::UsageStore> open_store(const config::State& settings,
                                              state::RedisState* shared) {
    if (shared != nullptr) return shared->usage_store();
    return settings.store == config::StoreKind::memory ? state::make_memory_usage_store()
                                                       : open_database(settings.path);
}

state::UsageWriter::Options say_when_saving_fails() {
    state::UsageWriter::Options options;
    options.on_failure = [](const Error& e) {
        log::error("usage could not be saved ({}); keeping it and trying again", e.detail);
    };
    options.on_recovery = [] { log::info("usage is being saved again"); };
    return options;
}

/// Only reports read what is saved there, and that Redis is away has been said already.
state::UsageWriter::Options options_for_redis() {
    state::UsageWriter::Options options;
    options.interval = std::chrono::seconds{1};
    return options;
}

}  // namespace

Result<void> StateStore::stop() {
    auto saved = writer->stop();
    if (shared) shared->stop();
    return saved;
}

std::optional<StateStore> open_state_store(const config::State& settings,
                                           state::LimitRegistry& limits) {
    StateStore opened;
    if (settings.store == config::StoreKind::redis) {
        opened.shared = open_redis(settings.redis);
        if (!opened.shared) return std::nullopt;
    }
    opened.store = open_store(settings, opened.shared.get());
    if (!opened.store) return std::nullopt;
    auto options = opened.shared ? options_for_redis() : say_when_saving_fails();
    opened.writer = std::make_unique<state::UsageWriter>(limits, *opened.store, std::move(options));
    if (auto restored = opened.writer->restore(); !restored) {
        log::error("state store: {}", restored.error().detail);
        return std::nullopt;
    }
    return opened;
}

}  // namespace sluice::app
