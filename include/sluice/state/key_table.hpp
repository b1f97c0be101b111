// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace sluice::state {

/// API key values to indexes, without the values: SHA-256 with a random salt of this process. A
/// look at memory or at timing tells nothing about a key. Immutable once built.
class KeyTable {
    // 160 bits of SHA-256 are more than enough, and leave room for the rest: a slot then never lies
    // across two cache lines.
    using Digest = std::array<std::uint8_t, 20>;

public:
    class Builder;
    class Search {
        friend class KeyTable;
        Digest digest_;  // unset while it is off
        bool is_on_ = false;
    };
    static constexpr std::size_t kCompanionSize = 128;
    KeyTable() = default;

    /// Hashes the value and asks for its place in the table, which find() then reads: in between
    /// there is time for something else. No allocation after a thread's first call.
    Search begin(std::string_view value) const;
    /// The search must have been begun in this table. Asks for the found key's companion.
    std::optional<std::uint32_t> find(const Search&) const;
    std::optional<std::uint32_t> find(std::string_view value) const { return find(begin(value)); }
    std::size_t size() const { return size_; }

private:
    struct alignas(32) Slot {
        Digest digest{};
        std::uint32_t index_plus_1 = 0;  // 0 = free
        const void* companion = nullptr;
    };
    static_assert(sizeof(Slot) == 32);
    static bool digest_of(std::string_view value, Digest&);
    std::size_t place_of(const Digest&) const;

    std::vector<Slot> slots_{};
    std::size_t size_ = 0;
};

class KeyTable::Builder {
public:
    /// False: the value is there already (its index stays). Throws when OpenSSL cannot hash.
    /// `companion`: kCompanionSize bytes that whoever finds the key will read. They are on their
    /// way from memory when find() returns, before the record of the index is even looked at.
    bool add(std::string_view value, std::uint32_t index, const void* companion = nullptr);
    KeyTable build() &&;

private:
    void grow();
    KeyTable table_{};
};

}  // namespace sluice::state
