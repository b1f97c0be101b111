// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "telemetry/trace_context.hpp"

namespace sluice::telemetry {

struct SpanAttribute {
    std::string_view key{};  ///< a literal
    std::variant<std::string, std::int64_t> value{};
};

/// A finished span as plain data; OTLP's field of the same name says what each means.
struct Span {
    enum class Kind : std::uint8_t { server, client };

    TraceId trace{};
    std::uint64_t id = 0;
    std::uint64_t parent = 0;  ///< 0: a root
    bool parent_is_remote = false;
    Kind kind = Kind::server;
    bool failed = false;
    std::string name{};
    std::string trace_state{};
    std::int64_t start = 0, end = 0;  ///< nanoseconds since 1970
    std::vector<SpanAttribute> attributes{};

    /// Empty text is no attribute. What is not UTF-8, or a control character, is escaped: OTLP
    /// allows text only.
    void add(std::string_view key, std::string_view text);
    void add(std::string_view key, std::int64_t number) { attributes.push_back({key, number}); }
};

}  // namespace sluice::telemetry
