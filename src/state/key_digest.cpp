// SPDX-License-Identifier: Apache-2.0
#include "sluice/state/key_digest.hpp"

// SHA256_Init and its kin are deprecated for EVP, which since OpenSSL 3 allocates its state anew
// for every digest: one heap allocation per request that carries a key.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/rand.h>
#include <openssl/sha.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>

namespace sluice::state {

namespace {

using Salt = std::array<std::uint8_t, 16>;
/// What fits one block of SHA-256 beside the salt and a byte for the length.
constexpr std::size_t kOneBlock = SHA256_CBLOCK - sizeof(Salt) - 1;

const Salt& salt() {
    static const Salt drawn = [] {
        Salt bytes{};
        if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1) {
            throw std::runtime_error("no random bytes for the key table");
        }
        return bytes;
    }();
    return drawn;
}

}  // namespace

std::optional<KeyDigest> KeyDigest::of(std::string_view value) {
    const Salt& salted = salt();
    KeyDigest digest;
    SHA256_CTX state;
    if (SHA256_Init(&state) != 1) return std::nullopt;
    if (value.size() > kOneBlock) {
        std::array<std::uint8_t, SHA256_DIGEST_LENGTH> whole;
        const bool hashed = SHA256_Update(&state, salted.data(), salted.size()) == 1 &&
                            SHA256_Update(&state, value.data(), value.size()) == 1 &&
                            SHA256_Final(whole.data(), &state) == 1;
        if (!hashed) return std::nullopt;
        std::copy_n(whole.begin(), digest.bytes_.size(), digest.bytes_.begin());
        return digest;
    }
    // Salt, value and its length, compressed as they are: buffering and wiping, which the calls
    // above do besides, cost as much again.
    std::array<std::uint8_t, SHA256_CBLOCK> block{};
    std::memcpy(block.data(), salted.data(), salted.size());
    std::memcpy(block.data() + salted.size(), value.data(), value.size());
    block.back() = static_cast<std::uint8_t>(value.size());
    SHA256_Transform(&state, block.data());
    std::memcpy(digest.bytes_.data(), state.h, digest.bytes_.size());
    return digest;
}

std::size_t KeyDigest::place_among(std::size_t places) const {
    __extension__ using Wide = unsigned __int128;
    std::uint64_t head = 0;
    std::memcpy(&head, bytes_.data(), sizeof head);
    return static_cast<std::size_t>((Wide{head} * places) >> 64);
}

bool operator==(const KeyDigest& a, const KeyDigest& b) {
    std::array<std::uint32_t, sizeof a.bytes_ / 4> left, right;
    std::memcpy(left.data(), a.bytes_.data(), sizeof left);
    std::memcpy(right.data(), b.bytes_.data(), sizeof right);
    std::uint32_t differs = 0;
    for (std::size_t i = 0; i < left.size(); ++i)
        differs |= left[i] ^ right[i];
    return differs == 0;
}

}  // namespace sluice::state
