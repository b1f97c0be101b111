// SPDX-License-Identifier: Apache-2.0
#include "filters/api_key.hpp"

#include "sluice/base/prefetch.hpp"

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
    if (x.sent_key.record() == nullptr) return refuse(x, x.sent_key.fault());
    const gateway::KeyRecord& key = *x.sent_key.record();
    if (!key.enabled) return refuse(x, KeyFault::disabled);
    for (const gateway::PlanUse& use : key.plans) {
        prefetch(use.plan, sizeof(gateway::Plan));
        if (!use.plan->covers(x.stage->index)) continue;
        x.key = &key;
        x.plan_use = &use;
        x.plan_id = use.plan->id;
        return Verdict::pass;
    }
    return refuse(x, KeyFault::no_plan);
}

}  // namespace sluice::filters
