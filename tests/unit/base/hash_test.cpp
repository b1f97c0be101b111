// SPDX-License-Identifier: Apache-2.0
#include "base/hash.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <string>

namespace sluice {
namespace {

std::string ascending(std::size_t length) {
    std::string text;
    for (std::size_t i = 0; i < length; ++i) {
        text.push_back(static_cast<char>(i));
    }
    return text;
}

constexpr HashKey kPaperKey{0x0706050403020100, 0x0f0e0d0c0b0a0908};

// The paper's appendix and vectors_sip64 of the reference implementation: key 00..0f, message
// 00, 01, ... of every length; the digests as little-endian words.
TEST(SipHash, AgreesWithTheReferenceVectorsOf24) {
    constexpr std::array<std::uint64_t, 16> kDigests{
        0x726fdb47dd0e0e31, 0x74f839c593dc67fd, 0x0d6c8009d9a94f5a, 0x85676696d7fb7e2d,
        0xcf2794e0277187b7, 0x18765564cd99a68d, 0xcbc9466e58fee3ce, 0xab0200f58b01d137,
        0x93f5f5799a932462, 0x9e0082df0ba9e4b0, 0x7a5dbbc594ddb9f3, 0xf4b32f46226bada7,
        0x751e8fbc860ee5fb, 0x14ea5627c0843d90, 0xf723ca908e7af2ee, 0xa129ca6149be45e5};
    for (std::size_t length = 0; length < kDigests.size(); ++length) {
        EXPECT_EQ(siphash24(kPaperKey, ascending(length)), kDigests[length]) << length;
    }
}

// What CPython 3.11 (hash algorithm "siphash13", PYTHONHASHSEED=0: key zero) answers for hash().
TEST(SipHash, AgreesWithCPythonOn13) {
    EXPECT_EQ(siphash13({}, "a"), 0x407448d2b89b1813U);
    EXPECT_EQ(siphash13({}, "hello world"), 0xb1b1f2e707e4ac8aU);
    EXPECT_EQ(siphash13({}, ascending(15)), 0xf30eb725bb91c9eaU);
    EXPECT_EQ(siphash13({}, ascending(64)), 0x75e05fd5bbc870c6U);
}

TEST(SipHash, DependsOnTheKeyAndOnEveryByte) {
    const std::string text = ascending(40);
    const auto whole = siphash13(kPaperKey, text);
    EXPECT_NE(whole, siphash13({kPaperKey.k0 + 1, kPaperKey.k1}, text));
    EXPECT_NE(whole, siphash13({kPaperKey.k0, kPaperKey.k1 + 1}, text));
    for (std::size_t at = 0; at < text.size(); ++at) {
        std::string changed = text;
        changed[at] = static_cast<char>(changed[at] ^ 1);
        EXPECT_NE(whole, siphash13(kPaperKey, changed)) << at;
    }
    EXPECT_NE(siphash13(kPaperKey, ""), siphash13(kPaperKey, std::string(1, '\0')));
}

TEST(ProcessHashKey, IsDrawnOnceAndIsNotZero) {
    const HashKey& key = process_hash_key();
    EXPECT_EQ(&key, &process_hash_key());
    EXPECT_TRUE(key.k0 != 0 || key.k1 != 0);
}

}  // namespace
}  // namespace sluice
