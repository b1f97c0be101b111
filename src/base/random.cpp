// SPDX-License-Identifier: Apache-2.0
#include "base/random.hpp"

#include <sys/random.h>

#include <cstring>
#include <stdexcept>

namespace sluice {

Random::Random() : s_{} {
    if (::getrandom(s_.data(), sizeof s_, 0) != static_cast<ssize_t>(sizeof s_)) {
        throw std::runtime_error("the kernel gave no random numbers");
    }
}

Uuid Uuid::make(Random& random) {
    const SixteenChars high = hex_digits((random.next() & ~0xf000ULL) | 0x4000);  // version 4
    const SixteenChars low =
        hex_digits((random.next() & ~(3ULL << 62)) | (2ULL << 62));  // RFC 9562 variant
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

ExtendedId ExtendedId::make(Random& random) { return {letter_digits(random.next())}; }

}  // namespace sluice
