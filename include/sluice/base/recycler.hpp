// SPDX-License-Identifier: Apache-2.0
//
// Memory that comes and goes with every request (coroutine frames, receive buffers) is kept in
// short per-thread lists, so that a request in the steady state allocates nothing.
#pragma once

#include <cstddef>

namespace sluice::recycler {

/// `size` rounded up to the next class. Blocks must be returned on the thread that took them.
void* allocate(std::size_t size);
void release(void* block, std::size_t size) noexcept;

/// The number of bytes `allocate(size)` really provides.
std::size_t usable(std::size_t size);

}  // namespace sluice::recycler
