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
    search_ = snapshot.keys.begin(value_);
}

void SentKey::find(const Snapshot& snapshot) {
    if (fault_ != KeyFault::unknown) return;
    record_ = snapshot.keys.find(search_);
    if (record_ == nullptr) return;
    fault_ = KeyFault::none;
    prefetch(record_->first.plan, sizeof(Plan));
    prefetch(record_->first.use.get(), sizeof(state::KeyUse));
}

}  // namespace sluice::gateway
