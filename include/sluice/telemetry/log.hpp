// SPDX-License-Identifier: Apache-2.0
//
// The program's own log: log::info("listening on {}:{}", address, port). A call never waits for
// the disk; when lines come faster than they can be written, the oldest waiting ones are dropped
// and counted. Before `start` and after `stop` lines go to standard error at once.
#pragma once

#include <fmt/core.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "sluice/config/model.hpp"

namespace sluice::log {

using Level = config::LogLevel;

/// Starts, or changes to new settings. False with `error` set when the file cannot be opened; the
/// log then goes on as before.
bool start(const config::Log&, std::string& error);
/// USR1: later lines go to a file newly opened at the same path.
void reopen();
/// Blocks until every line so far is written.
void flush();
/// Writes what waits and ends the thread. Also what to call before exiting on an error.
void stop();
/// Lines lost so far: overrun, or the file did not take them.
std::uint64_t dropped();

bool enabled(Level);
/// One line; control characters in it are escaped, so that what a client sent cannot forge one.
void write(Level, std::string_view text);

template <class... Args>
void print(Level level, fmt::format_string<Args...> format, Args&&... args) {
    if (enabled(level)) write(level, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void debug(fmt::format_string<Args...> format, Args&&... args) {
    print(Level::debug, format, std::forward<Args>(args)...);
}
template <class... Args>
void info(fmt::format_string<Args...> format, Args&&... args) {
    print(Level::info, format, std::forward<Args>(args)...);
}
template <class... Args>
void warn(fmt::format_string<Args...> format, Args&&... args) {
    print(Level::warn, format, std::forward<Args>(args)...);
}
template <class... Args>
void error(fmt::format_string<Args...> format, Args&&... args) {
    print(Level::error, format, std::forward<Args>(args)...);
}

}  // namespace sluice::log
