// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

#include "sluice/http/head.hpp"
#include "sluice/state/key_table.hpp"

namespace sluice {

/// Why the key of a request was not good enough; clients only see 403.
enum class KeyFault : std::uint8_t { none, missing, repeated, unknown, disabled, no_plan };

namespace gateway {

struct KeyRecord;
struct Snapshot;

/// The API key that came with a request, looked up while the request is routed. With many keys used
/// at random the table, the record and the counts of each come from memory; each step asks for
/// what the next one reads, so that routing passes the time instead of waiting.
///
/// Says who is calling, not whether the method may be called: that is up to the api_key filter.
class SentKey {
public:
    /// Reads the x-api-key field and begins the search. The fields outlive this.
    void begin(const Snapshot&, const http::FieldList&);
    /// Ends the search.
    void find(const Snapshot&);

    /// Empty when there is none, or when there are several and it is not clear which one counts
    /// (contract 9: the last in `aws`, refused in `standard`). A secret.
    std::string_view value() const { return value_; }
    /// Null when no key has this value; fault() then says why.
    const KeyRecord* record() const { return record_; }
    /// none, missing, repeated or unknown.
    KeyFault fault() const { return fault_; }

private:
    KeyFault fault_ = KeyFault::missing;
    std::string_view value_{};
    state::KeyTable<KeyRecord>::Search search_{};
    const KeyRecord* record_ = nullptr;
};

}  // namespace gateway
}  // namespace sluice
