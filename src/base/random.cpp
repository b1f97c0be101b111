// SPDX-License-Identifier: Apache-2.0
#include "base/random.hpp"

#include <sys/random.h>

#include <bit>
#include <cstring>
#include <stdexcept>

namespace sluice {
namespace {

constexpr std::uint64_t kLetterA = 0x0101010101010101ULL * 'A';

using Hex = std::array<char, 16>;

/// The eight nibbles of the lower half of `value`, one in each byte, the first in the highest.
std::uint64_t nibbles(std::uint64_t value) {
    std::uint64_t x = (value & 0xffffU) | (value & 0xffff0000U) << 16;
    x = (x & 0x000000ff000000ffULL) | (x & 0x0000ff000000ff00ULL) << 8;
    return (x & 0x000f000f000f000fULL) | (x & 0x00f000f000f000f0ULL) << 4;
}

/// The same as hexadecimal digits, all at once; the first in the lowest address.
std::uint64_t digits_of(std::uint64_t value) {
    std::uint64_t x = nibbles(value);
    const std::uint64_t letters = ((x + 0x0606060606060606ULL) >> 4) & 0x0101010101010101ULL;
    x += 0x3030303030303030ULL + letters * ('a' - '0' - 10);
    return std::endian::native == std::endian::little ? __builtin_bswap64(x) : x;
}

/// All sixteen digits.
Hex hex(std::uint64_t value) {
    Hex text;
    const std::uint64_t halves[] = {digits_of(value >> 32), digits_of(value)};
    std::memcpy(text.data(), halves, text.size());
    return text;
}

}  // namespace

Random::Random() : s_{} {
    if (::getrandom(s_.data(), sizeof s_, 0) != static_cast<ssize_t>(sizeof s_)) {
        throw std::runtime_error("the kernel gave no random numbers");
    }
}

std::uint64_t Random::next() {
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

void write_hex(char* out, std::uint64_t value, int digits) {
    const Hex text = hex(value);
    std::memcpy(out, text.data() + text.size() - digits, static_cast<std::size_t>(digits));
}

Uuid Uuid::make(Random& random) {
    const Hex high = hex((random.next() & ~0xf000ULL) | 0x4000);          // version 4
    const Hex low = hex((random.next() & ~(3ULL << 62)) | (2ULL << 62));  // RFC 9562 variant
    Uuid id;
    char* p = id.text.data();
    std::memcpy(p, high.data(), 8);
    std::memcpy(p + 9, high.data() + 8, 4);
    std::memcpy(p + 14, high.data() + 12, 4);
    std::memcpy(p + 19, low.data(), 4);
    std::memcpy(p + 24, low.data() + 4, 12);
    p[8] = p[13] = p[18] = p[23] = '-';
    return id;
}

bool Uuid::is_uuid(std::string_view s) {
    if (s.size() != 36) return false;
    for (std::size_t i = 0; i < s.size(); ++i) {
        const char c = s[i];
        const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        const bool hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
        if (dash ? c != '-' : !hex) return false;
    }
    return true;
}

ExtendedId ExtendedId::make(Random& random) {
    const std::uint64_t bits = random.next();
    const std::uint64_t letters[] = {nibbles(bits >> 32) + kLetterA, nibbles(bits) + kLetterA};
    ExtendedId id;
    std::memcpy(id.text.data(), letters, sizeof letters);
    return id;
}

}  // namespace sluice
