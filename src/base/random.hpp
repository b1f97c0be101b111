// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <string_view>

#include "base/hex.hpp"

namespace sluice {

/// Fast pseudo-random numbers of one thread (xoshiro256**, Blackman and Vigna), seeded by the
/// kernel. For identifiers that must differ, not for secrets.
class Random {
public:
    Random();
    std::uint64_t next() {
        const std::uint64_t result = std::rotl(s_[1] * 5, 7) * 9;
        const std::uint64_t t = s_[1] << 17;
        s_[2] ^= s_[0];
        s_[3] ^= s_[1];
        s_[1] ^= s_[2];
        s_[0] ^= s_[3];
        s_[2] ^= t;
        s_[3] = std::rotl(s_[3], 45);
        return result;
    }

private:
    std::array<std::uint64_t, 4> s_;
};

/// A version 4 UUID in its text form, kept in place.
struct Uuid {
    std::array<char, 36> text{};
    std::string_view view() const { return {text.data(), text.size()}; }
    static Uuid make(Random&);
    static bool is_uuid(std::string_view);
};

/// x-amz-apigw-id (aws-semantics 7.7): 12 bytes in base64, of which 64 bits are random (the
/// letters A to P).
struct ExtendedId {
    SixteenChars text{};
    std::string_view view() const { return {text.data(), text.size()}; }
    static ExtendedId make(Random&);
};

}  // namespace sluice
