// SPDX-License-Identifier: Apache-2.0
//
// The few words of SQLite that the usage store speaks.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace sluice::state {

struct CloseDatabase {
    void operator()(sqlite3* database) const { sqlite3_close_v2(database); }
};
using Database = std::unique_ptr<sqlite3, CloseDatabase>;

/// A prepared statement. Text bound to it must outlive the step.
class Statement {
public:
    Statement() = default;
    /// `status` says whether it can be used.
    Statement(sqlite3* database, const char* sql) {
        sqlite3_stmt* made = nullptr;
        status_ = sqlite3_prepare_v3(database, sql, -1, SQLITE_PREPARE_PERSISTENT, &made, nullptr);
        statement_.reset(made);
    }
    int status() const { return status_; }

    template <class... Values>
    void bind(const Values&... values) {
        int place = 0;
        (bind_at(++place, values), ...);
    }
    /// SQLITE_ROW, SQLITE_DONE or an error.
    int step() { return sqlite3_step(statement_.get()); }
    void reset() { sqlite3_reset(statement_.get()); }
    /// For statements without rows.
    int run() {
        const int result = step();
        reset();
        return result;
    }
    std::int64_t integer(int column) const {
        return sqlite3_column_int64(statement_.get(), column);
    }
    std::string text(int column) const {
        const auto* bytes = sqlite3_column_text(statement_.get(), column);
        const int size = sqlite3_column_bytes(statement_.get(), column);
        if (bytes == nullptr) return {};
        return {reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size)};
    }

private:
    struct Finalize {
        void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
    };
    void bind_at(int place, std::int64_t value) {
        sqlite3_bind_int64(statement_.get(), place, value);
    }
    void bind_at(int place, std::string_view value) {
        sqlite3_bind_text(statement_.get(), place, value.data(), static_cast<int>(value.size()),
                          SQLITE_STATIC);
    }

    std::unique_ptr<sqlite3_stmt, Finalize> statement_{};
    int status_ = SQLITE_MISUSE;
};

}  // namespace sluice::state
