// SPDX-License-Identifier: Apache-2.0
//
// SipHash (Aumasson, Bernstein): a keyed hash for tables whose keys a client can choose. Who does
// not know the key cannot produce collisions.
#pragma once

#include <cstdint>
#include <string_view>

namespace sluice {

struct HashKey {
    std::uint64_t k0 = 0;
    std::uint64_t k1 = 0;
};

/// SipHash-1-3, the variant meant for hash tables.
std::uint64_t siphash13(const HashKey&, std::string_view);
/// SipHash-2-4, the conservative original.
std::uint64_t siphash24(const HashKey&, std::string_view);

/// Drawn from the operating system once per process.
const HashKey& process_hash_key();

}  // namespace sluice
