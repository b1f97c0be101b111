// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "gateway/filter_entry.hpp"
#include "upstream/backend.hpp"

namespace sluice::integrations {

/// Finds or makes the backend an integration's authority names.
using BackendLookup = std::function<std::shared_ptr<const upstream::Backend>(
    std::string_view authority, std::string_view host, std::uint16_t port, bool secure)>;

/// The integration of a method; the error says what is wrong with its configuration.
Result<IntegrationPtr> make_integration(const gateway::MethodBuild&, const BackendLookup&);

}  // namespace sluice::integrations
