// SPDX-License-Identifier: Apache-2.0
#include "filters/api_key.hpp"

namespace sluice::filters {
namespace {

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
    const gateway::KeyRecord* key = x.sent_key.record();
    if (key == nullptr) return refuse(x, x.sent_key.fault());
    if (!key->enabled) return refuse(x, KeyFault::disabled);
    x.plan_use = key->use_at(x.stage->index);
    if (x.plan_use == nullptr) return refuse(x, KeyFault::no_plan);
    x.plan_id = x.plan_use->plan->id;
    return Verdict::pass;
}

}  // namespace sluice::filters
