// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "gateway/filter_entry.hpp"

namespace sluice::filters {

/// Whether the key that was found (gateway/sent_key.hpp) may call this method, and by which usage
/// plan (aws-semantics 2.2 to 2.4).
/// Only on methods with apiKeyRequired: elsewhere a key that is sent means nothing.
class ApiKey final : public Filter {
public:
    static constexpr std::string_view kName = "api_key";
    static FilterPtr make(const gateway::MethodBuild&);

    Verdict on_request(Exchange&) const override;
};

}  // namespace sluice::filters
