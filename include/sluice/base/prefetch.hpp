// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

namespace sluice {

/// Asks for the cache lines of an object without waiting for them. With thousands of methods and
/// keys used at random nearly everything that belongs to one of them comes from memory; asked for
/// as soon as it is known, it is there when a later step of the request reads it.
inline void prefetch(const void* object, std::size_t bytes) {
    constexpr std::size_t kLine = 64;
    const auto* const at = static_cast<const char*>(object);
    for (std::size_t i = 0; i < bytes; i += kLine)
        __builtin_prefetch(at + i);
}

}  // namespace sluice
