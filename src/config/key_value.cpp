// SPDX-License-Identifier: Apache-2.0
#include "config/key_value.hpp"

#include <openssl/evp.h>
#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <stdexcept>

namespace sluice::config {

std::string generate_key_value() {
    constexpr std::string_view kAlphabet =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    constexpr std::size_t kLength = 40;
    // Bytes from here on would make the first letters of the alphabet likelier.
    constexpr std::size_t kUnbiased = 256 / kAlphabet.size() * kAlphabet.size();
    std::string value;
    while (value.size() < kLength) {
        std::array<unsigned char, 64> bytes{};
        if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1) {
            throw std::runtime_error("the system gives no random bytes");
        }
        for (const unsigned char byte : bytes) {
            if (byte < kUnbiased && value.size() < kLength) {
                value += kAlphabet[byte % kAlphabet.size()];
            }
        }
    }
    return value;
}

std::string key_id(std::string_view value) {
    constexpr std::string_view kAlphabet = "abcdefghijklmnopqrstuvwxyz0123456789";
    constexpr std::size_t kLength = 10;
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned length = 0;
    if (EVP_Digest(value.data(), value.size(), digest.data(), &length, EVP_sha256(), nullptr) !=
        1) {
        throw std::runtime_error("SHA-256 is not available");
    }
    std::uint64_t number = 0;
    for (std::size_t i = 0; i < sizeof number; ++i)
        number = number << 8U | digest[i];
    std::string id;
    for (std::size_t i = 0; i < kLength; ++i, number /= kAlphabet.size()) {
        id += kAlphabet[number % kAlphabet.size()];
    }
    return id;
}

bool is_key_value(std::string_view value) {
    return std::all_of(value.begin(), value.end(), [](char c) {
        return c > ' ' && c <= '~' && c != ',' && c != '"' && c != '\'';
    });
}

}  // namespace sluice::config
