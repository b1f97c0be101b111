// SPDX-License-Identifier: Apache-2.0
//
// Trace identity on the wire: W3C traceparent and AWS's X-Amzn-Trace-Id (aws-semantics 15.5,
// https://www.w3.org/TR/trace-context/). Pure. What is malformed is as if it were not there.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "sluice/base/byte_writer.hpp"

namespace sluice::telemetry {

struct TraceId {
    std::uint64_t high = 0, low = 0;
    bool is_set() const { return (high | low) != 0; }
    bool operator==(const TraceId&) const = default;
};

/// What a request says about the trace it belongs to.
struct RemoteContext {
    TraceId id{};
    std::uint64_t parent = 0;       ///< 0: none was named
    std::optional<bool> sampled{};  ///< the caller's decision
};

/// "00-<32 hex>-<16 hex>-<2 hex>"; later versions may have more behind it.
std::optional<RemoteContext> read_traceparent(std::string_view);

/// "Root=1-<8 hex>-<24 hex>;Parent=<16 hex>;Sampled=0|1" in any order. `rest`: fields besides
/// these, such as Self and Lineage, which go on unchanged.
struct AmznTrace {
    RemoteContext context{};
    std::string_view rest{};
    bool is_complete = false;  ///< Root, Parent and Sampled are all there: may go on as it is
};
std::optional<AmznTrace> read_amzn_trace(std::string_view);

/// Good enough to go on: printable, not too long. Its list is not taken apart.
bool is_tracestate(std::string_view);

/// "1-<8 hex>-<24 hex>", as X-Ray writes trace ids.
inline constexpr std::size_t kRootSize = 35;
void write_root(char* out, TraceId);

void write_traceparent(ByteWriter&, TraceId, std::uint64_t parent, bool sampled);
void write_amzn_trace(ByteWriter&, TraceId, std::uint64_t parent, bool sampled,
                      std::string_view rest);

}  // namespace sluice::telemetry
