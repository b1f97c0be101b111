// SPDX-License-Identifier: Apache-2.0
#include "base/hash.hpp"

#include <sys/random.h>

#include <bit>
#include <cerrno>
#include <cstring>
#include <random>

namespace sluice {
namespace {

struct SipState {
    std::uint64_t v0, v1, v2, v3;

    explicit SipState(const HashKey& key)
        : v0(key.k0 ^ 0x736f6d6570736575),
          v1(key.k1 ^ 0x646f72616e646f6d),
          v2(key.k0 ^ 0x6c7967656e657261),
          v3(key.k1 ^ 0x7465646279746573) {}

    void round() {
        v0 += v1;
        v1 = std::rotl(v1, 13) ^ v0;
        v0 = std::rotl(v0, 32);
        v2 += v3;
        v3 = std::rotl(v3, 16) ^ v2;
        v0 += v3;
        v3 = std::rotl(v3, 21) ^ v0;
        v2 += v1;
        v1 = std::rotl(v1, 17) ^ v2;
        v2 = std::rotl(v2, 32);
    }

    template <int kRounds>
    void absorb(std::uint64_t word) {
        v3 ^= word;
        for (int i = 0; i < kRounds; ++i) {
            round();
        }
        v0 ^= word;
    }
};

std::uint64_t load_little_endian(const char* from) {
    std::uint64_t word = 0;
    std::memcpy(&word, from, sizeof word);
    if constexpr (std::endian::native == std::endian::big) {
        word = __builtin_bswap64(word);
    }
    return word;
}

template <int kCompress, int kFinish>
std::uint64_t siphash(const HashKey& key, std::string_view text) {
    SipState state(key);
    const char* at = text.data();
    const char* const words_end = at + (text.size() & ~std::size_t{7});
    for (; at != words_end; at += 8) {
        state.absorb<kCompress>(load_little_endian(at));
    }
    // The last word: what is left, and the length's low byte on top.
    std::uint64_t last = static_cast<std::uint64_t>(text.size()) << 56;
    for (std::size_t i = 0; i < (text.size() & 7); ++i) {
        last |= static_cast<std::uint64_t>(static_cast<unsigned char>(at[i])) << (8 * i);
    }
    state.absorb<kCompress>(last);
    state.v2 ^= 0xff;
    for (int i = 0; i < kFinish; ++i) {
        state.round();
    }
    return state.v0 ^ state.v1 ^ state.v2 ^ state.v3;
}

HashKey draw_key() {
    HashKey key;
    ssize_t got = 0;
    do {
        got = ::getrandom(&key, sizeof key, 0);
    } while (got < 0 && errno == EINTR);
    if (got == static_cast<ssize_t>(sizeof key)) {
        return key;
    }
    std::random_device device;  // a sandbox may forbid the call; this has other sources
    const auto word = [&device] { return std::uint64_t{device()} << 32 | device(); };
    return {word(), word()};
}

}  // namespace

std::uint64_t siphash13(const HashKey& key, std::string_view text) {
    return siphash<1, 3>(key, text);
}

std::uint64_t siphash24(const HashKey& key, std::string_view text) {
    return siphash<2, 4>(key, text);
}

const HashKey& process_hash_key() {
    static const HashKey key = draw_key();
    return key;
}

}  // namespace sluice
