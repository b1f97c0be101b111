// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace sluice {

/// Fast pseudo-random numbers of one thread (xoshiro256**, Blackman and Vigna), seeded by the
/// kernel. For identifiers that must differ, not for secrets.
class Random {
public:
    Random();
    std::uint64_t next();

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
    std::array<char, 16> text{};
    std::string_view view() const { return {text.data(), text.size()}; }
    static ExtendedId make(Random&);
};

/// `digits` hexadecimal digits of `value`, lower case.
void write_hex(char* out, std::uint64_t value, int digits);

}  // namespace sluice
