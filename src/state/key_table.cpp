// SPDX-License-Identifier: Apache-2.0
#include "sluice/state/key_table.hpp"

// SHA256_Init and its kin are deprecated for EVP, which since OpenSSL 3 allocates its state anew
// for every digest: one heap allocation per request that carries a key.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/rand.h>
#include <openssl/sha.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <utility>

#include "sluice/base/prefetch.hpp"

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

template <class Digest>
std::uint64_t head_of(const Digest& digest) {
    std::uint64_t head = 0;
    std::memcpy(&head, digest.data(), sizeof head);
    return head;
}

/// Looks at every byte whatever it finds, a word at a time.
template <class Digest>
bool is_same(const Digest& a, const Digest& b) {
    std::array<std::uint32_t, sizeof(Digest) / 4> left, right;
    std::memcpy(left.data(), a.data(), sizeof left);
    std::memcpy(right.data(), b.data(), sizeof right);
    std::uint32_t differs = 0;
    for (std::size_t i = 0; i < left.size(); ++i)
        differs |= left[i] ^ right[i];
    return differs == 0;
}

}  // namespace

bool KeyTable::digest_of(std::string_view value, Digest& digest) {
    const Salt& salted = salt();
    SHA256_CTX state;
    if (SHA256_Init(&state) != 1) return false;
    if (value.size() > kOneBlock) {
        std::array<std::uint8_t, SHA256_DIGEST_LENGTH> whole;
        const bool hashed = SHA256_Update(&state, salted.data(), salted.size()) == 1 &&
                            SHA256_Update(&state, value.data(), value.size()) == 1 &&
                            SHA256_Final(whole.data(), &state) == 1;
        std::copy_n(whole.begin(), digest.size(), digest.begin());
        return hashed;
    }
    // Salt, value and its length, compressed as they are: buffering and wiping, which the calls
    // above do besides, cost as much again.
    std::array<std::uint8_t, SHA256_CBLOCK> block{};
    std::memcpy(block.data(), salted.data(), salted.size());
    std::memcpy(block.data() + salted.size(), value.data(), value.size());
    block.back() = static_cast<std::uint8_t>(value.size());
    SHA256_Transform(&state, block.data());
    std::memcpy(digest.data(), state.h, digest.size());
    return true;
}

std::size_t KeyTable::place_of(const Digest& digest) const {
    __extension__ using Wide = unsigned __int128;
    return static_cast<std::size_t>((Wide{head_of(digest)} * slots_.size()) >> 64);
}

KeyTable::Search KeyTable::begin(std::string_view value) const {
    Search search;
    search.is_on_ = !slots_.empty() && digest_of(value, search.digest_);
    if (search.is_on_) prefetch(&slots_[place_of(search.digest_)], sizeof(Slot));
    return search;
}

std::optional<std::uint32_t> KeyTable::find(const Search& search) const {
    if (!search.is_on_) return std::nullopt;
    // How many places are looked at depends on the salted digest, which no caller knows.
    for (std::size_t p = place_of(search.digest_); slots_[p].index_plus_1 != 0;) {
        const Slot& slot = slots_[p];
        if (is_same(slot.digest, search.digest_)) {
            prefetch(slot.companion, kCompanionSize);
            return slot.index_plus_1 - 1;
        }
        if (++p == slots_.size()) p = 0;
    }
    return std::nullopt;
}

bool KeyTable::Builder::add(std::string_view value, std::uint32_t index, const void* companion) {
    Digest digest;
    if (!digest_of(value, digest)) throw std::runtime_error("SHA-256 is not available");
    if ((table_.size_ + 1) * 10 > table_.slots_.size() * 7) grow();
    std::vector<Slot>& slots = table_.slots_;
    std::size_t p = table_.place_of(digest);
    while (slots[p].index_plus_1 != 0) {
        if (slots[p].digest == digest) return false;
        if (++p == slots.size()) p = 0;
    }
    slots[p] = {digest, index + 1, companion};
    ++table_.size_;
    return true;
}

void KeyTable::Builder::grow() {
    const std::vector<Slot> before = std::exchange(table_.slots_, {});
    table_.slots_.resize(std::max<std::size_t>(before.size() * 2, 16));
    for (const Slot& slot : before) {
        if (slot.index_plus_1 == 0) continue;
        std::size_t p = table_.place_of(slot.digest);
        while (table_.slots_[p].index_plus_1 != 0) {
            if (++p == table_.slots_.size()) p = 0;
        }
        table_.slots_[p] = slot;
    }
}

KeyTable KeyTable::Builder::build() && { return std::move(table_); }

}  // namespace sluice::state
