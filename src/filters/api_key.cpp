// SPDX-License-Identifier: Apache-2.0
#include "filters/api_key.hpp"

#include "sluice/base/prefetch.hpp"

namespace sluice::filters {
namespace {

constexpr std::string_view kField = "x-api-key";
constexpr std::size_t kLongest = 256;  // robustness 1.11; no configured key is longer than 128

/// The key the client sent; empty when there is none, or when there are several and it is not
/// clear which one counts (contract 9: the last in `aws`, refused in `standard`).
std::string_view sent_key(Exchange& x) {
    x.key_fault = KeyFault::missing;
    std::string_view value;
    bool seen = false;
    for (const http::HeaderField& field : x.request.head.fields.all()) {
        if (field.id != http::Field::unknown || !http::iequals(field.name, kField)) continue;
        if (seen && x.snapshot.compatibility == config::Compatibility::standard) {
            x.key_fault = KeyFault::repeated;
            return {};
        }
        seen = true;
        value = field.value;
    }
    return value.size() <= kLongest ? value : std::string_view{};
}

Verdict refuse(Exchange& x, KeyFault fault) {
    x.key_fault = fault;
    return x.reply(Reply::invalid_api_key);
}

}  // namespace

FilterPtr ApiKey::make(const gateway::MethodBuild& build) {
    static const auto filter = std::make_shared<const ApiKey>();
    return build.method_config.api_key_required ? filter : nullptr;
}

Verdict ApiKey::on_request(Exchange& x) const {
    const std::string_view value = x.sent_key = sent_key(x);
    if (value.empty()) return x.reply(Reply::invalid_api_key);
    const auto index = x.snapshot.key_table->find(value);
    if (!index) return refuse(x, KeyFault::unknown);
    const gateway::KeyRecord& key = x.snapshot.keys[*index];
    prefetch(&key, sizeof key);
    if (!key.enabled) return refuse(x, KeyFault::disabled);
    for (const gateway::PlanUse& use : key.plans) {
        prefetch(use.plan, sizeof(gateway::Plan));
        if (!use.plan->covers(x.stage->index)) continue;
        x.key = &key;
        x.plan_use = &use;
        x.plan_id = use.plan->id;
        x.key_fault = KeyFault::none;
        return Verdict::pass;
    }
    return refuse(x, KeyFault::no_plan);
}

}  // namespace sluice::filters
