// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "gateway/filter_entry.hpp"

namespace sluice::filters {

/// Finds the caller and the usage plan behind the x-api-key field (aws-semantics 2.2 to 2.4).
/// Only on methods with apiKeyRequired: elsewhere a key that is sent means nothing.
class ApiKey final : public Filter {
public:
    static constexpr std::string_view kName = "api_key";
    static FilterPtr make(const gateway::MethodBuild&);

    Verdict on_request(Exchange&) const override;
};

}  // namespace sluice::filters
