// SPDX-License-Identifier: Apache-2.0
#include "base/random.hpp"

#include <sys/random.h>

#include <bit>
#include <stdexcept>

namespace sluice {
namespace {

constexpr char kHex[] = "0123456789abcdef";
constexpr char kBase64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

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
    for (int i = digits - 1; i >= 0; --i) {
        out[i] = kHex[value & 15];
        value >>= 4;
    }
}

Uuid Uuid::make(Random& random) {
    const std::uint64_t high = (random.next() & ~0xf000ULL) | 0x4000;          // version 4
    const std::uint64_t low = (random.next() & ~(3ULL << 62)) | (2ULL << 62);  // RFC 9562 variant
    Uuid id;
    char* p = id.text.data();
    write_hex(p, high >> 32, 8);
    write_hex(p + 9, high >> 16, 4);
    write_hex(p + 14, high, 4);
    write_hex(p + 19, low >> 48, 4);
    write_hex(p + 24, low, 12);
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
    std::uint64_t bits = random.next();
    ExtendedId id;
    for (std::size_t i = 0; i < id.text.size(); ++i) {
        if (i == 8) bits = random.next();
        id.text[i] = kBase64[bits & 63];
        bits >>= 6;
    }
    return id;
}

}  // namespace sluice
