// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "net/transport.hpp"

namespace sluice::net {

/// recv and send on the descriptor itself, keeping the channel's flags right.
IoResult raw_read(Channel&, char* into, std::size_t size);
IoResult raw_write(Channel&, std::span<const iovec> parts);
/// Asks the socket itself, whatever events have told: nothing has come and it is not closed.
bool raw_is_silent(const Channel&);

}  // namespace sluice::net
