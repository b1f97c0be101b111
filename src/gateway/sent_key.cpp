// SPDX-License-Identifier: Apache-2.0
#include "gateway/sent_key.hpp"

#include "gateway/snapshot.hpp"
#include "sluice/base/prefetch.hpp"

namespace sluice::gateway {
namespace {

constexpr std::string_view kField = "x-api-key";
constexpr std::size_t kLongest = 256;  // robustness 1.11; no configured key is longer than 128

}  // namespace

void SentKey::begin(const Snapshot& snapshot, const http::FieldList& fields) {
    bool seen = false;
    for (const http::HeaderField& field : fields.all()) {
        if (field.id != http::Field::unknown || !http::iequals(field.name, kField)) continue;
        if (seen && snapshot.compatibility == config::Compatibility::standard) {
            fault_ = KeyFault::repeated;
            value_ = {};
            return;
        }
        seen = true;
        value_ = field.value;
    }
    if (value_.size() > kLongest) value_ = {};
    if (value_.empty()) return;
    fault_ = KeyFault::unknown;
    search_ = snapshot.key_table->begin(value_);
}

void SentKey::find(const Snapshot& snapshot) {
    if (fault_ != KeyFault::unknown) return;
    const auto index = snapshot.key_table->find(search_);
    if (!index) return;
    record_ = &snapshot.keys[*index];
    fault_ = KeyFault::none;
    prefetch(record_, sizeof *record_);
}

}  // namespace sluice::gateway
