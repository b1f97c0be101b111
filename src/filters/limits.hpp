// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "gateway/filter_entry.hpp"

namespace sluice::filters {

/// Quota and every throttle level as one decision, all or nothing (aws-semantics 3.4, 4.2).
/// Waits only for limits shared by several gateways, when this one holds nothing of them.
class Limits final : public Filter {
public:
    static constexpr std::string_view kName = "limits";
    static FilterPtr make(const gateway::MethodBuild&);

    Limits(std::optional<gateway::SharedBucket> stage, bool by_source)
        : stage_{std::move(stage)}, by_source_{by_source} {}

    Verdict on_request(Exchange&) const override;
    Task<Verdict> on_request_async(Exchange&) const override;

private:
    struct Charges;
    Verdict decide(Charges&, Exchange&) const;
    Verdict decide_by_source(Charges&, Exchange&, std::size_t next) const;

    std::optional<gateway::SharedBucket> stage_;  ///< of this method in this stage
    bool by_source_;  ///< plans that meter callers without a key by their address
};

}  // namespace sluice::filters
