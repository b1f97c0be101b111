// SPDX-License-Identifier: Apache-2.0
//
// The lines of an execution log: "(<request id>) <text>" (aws-semantics 15.4). Whatever a client
// or a backend sent, one call makes one line of bounded length.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "sluice/base/time.hpp"

namespace sluice::telemetry {

inline constexpr std::size_t kLongestExecutionText = 1024;  // aws-semantics 15.1
inline constexpr std::size_t kLongestExecutionMap = 998;    // aws-semantics 15.4
inline constexpr std::string_view kTruncated = " [TRUNCATED]";

/// All but the last six characters as asterisks (aws-semantics 2.5); short text entirely.
std::string masked(std::string_view secret);

/// Text as "{name=value, other=value}".
class MapText {
public:
    void add(std::string_view name, std::string_view value);
    /// Nothing more would be shown.
    bool is_full() const { return text_.size() > kLongestExecutionMap; }
    std::string_view view();

private:
    std::string text_ = "{";
    bool closed_ = false;
};

class ExecutionLines {
public:
    /// Appends to `out`.
    ExecutionLines(std::string& out, std::string_view request_id, bool timestamps)
        : out_{out}, request_id_{request_id}, timestamps_{timestamps} {}

    /// The time of the lines that follow.
    void at(WallTime time) { time_ = time; }
    /// One line of text and numbers.
    template <class... Parts>
    void line(const Parts&... parts) {
        begin();
        (part(parts), ...);
        end(kLongestExecutionText);
    }
    /// A line that ends in a map or in a map's first part.
    void map(std::string_view label, std::string_view map);

private:
    void begin();
    void part(std::string_view);
    void part(std::int64_t);
    void end(std::size_t longest);

    std::string& out_;
    std::string_view request_id_;
    bool timestamps_;
    WallTime time_{};
    std::size_t text_from_ = 0;  ///< where this line's text begins
};

}  // namespace sluice::telemetry
