// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "sluice/base/ip_address.hpp"
#include "sluice/http/head.hpp"

namespace sluice::gateway {

/// The client's address: the peer, or, when the peer is a trusted proxy, the right-most address
/// of X-Forwarded-For that is not one itself (robustness 1.10). Never the left-most.
IpAddress client_address(const IpAddress& peer, bool trusted_peer, const IpSet& trusted,
                         const http::FieldList&);

}  // namespace sluice::gateway
