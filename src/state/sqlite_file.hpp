// SPDX-License-Identifier: Apache-2.0
//
// The file the usage store keeps its tables in: opened by one process, brought to the present
// schema, checked for damage.
#pragma once

#include <filesystem>
#include <string>

#include "sluice/base/result.hpp"
#include "state/file_lock.hpp"
#include "state/sqlite.hpp"

namespace sluice::state {

struct SqliteFile {
    FileLock lock{};
    Database database{};
    std::filesystem::path set_aside{};  ///< where a damaged file was put; see SqliteUsageStore
    std::string damage{};
};
/// Codes as open_sqlite_usage_store() says.
Result<SqliteFile> open_sqlite_file(const std::filesystem::path&);

/// What the connection said last.
Error sqlite_error(sqlite3*, const std::filesystem::path&);

}  // namespace sluice::state
