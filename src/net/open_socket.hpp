// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "net/resolver.hpp"

namespace sluice::net {

/// A TCP socket for this address, to connect to it or to listen on it: not blocking, closed on
/// exec, sending at once. What it accepts inherits the options. -1 with errno.
///
/// On a loopback address it uses the kernel's plainest congestion control whatever the system's
/// default is: there is no queue to learn about, and a default that paces (BBR) sets timers for
/// every answer.
int open_socket(const Endpoint&);

}  // namespace sluice::net
