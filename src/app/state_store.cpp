// SPDX-License-Identifier: Apache-2.0
#include "app/state_store.hpp"

#include <filesystem>

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

state::UsageWriter::Options say_when_saving_fails() {
    state::UsageWriter::Options options;
    options.on_failure = [](const Error& e) {
        log::error("usage could not be saved ({}); keeping it and trying again", e.detail);
    };
    options.on_recovery = [] { log::info("usage is being saved again"); };
    return options;
}

}  // namespace

std::optional<StateStore> open_state_store(const config::State& settings,
                                           state::LimitRegistry& limits) {
    StateStore opened;
    opened.store = settings.store == config::StoreKind::memory ? state::make_memory_usage_store()
                                                               : open_database(settings.path);
    if (!opened.store) return std::nullopt;
    opened.writer =
        std::make_unique<state::UsageWriter>(limits, *opened.store, say_when_saving_fails());
    if (auto restored = opened.writer->restore(); !restored) {
        log::error("state store: {}", restored.error().detail);
        return std::nullopt;
    }
    return opened;
}

}  // namespace sluice::app
