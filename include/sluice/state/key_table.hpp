// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <utility>
#include <vector>

#include "sluice/base/prefetch.hpp"
#include "sluice/state/key_digest.hpp"

namespace sluice::state {

/// Records by API key value, without the values. A record lies beside its key's digest: with 40
/// bytes or fewer both are one cache line. Immutable once built.
template <class Record>
class KeyTable {
public:
    class Builder;
    /// A search that was begun.
    class Search {
        friend class KeyTable;
        std::optional<KeyDigest> digest_{};
    };

    KeyTable() = default;

    /// Hashes the value and asks for its place in the table, which find() then reads: in between
    /// there is time for something else. No allocation after a thread's first call.
    Search begin(std::string_view value) const {
        Search search;
        if (slots_.empty()) return search;
        search.digest_ = KeyDigest::of(value);
        if (search.digest_) prefetch(&slots_[place_of(*search.digest_)], sizeof(Slot));
        return search;
    }
    /// Null: there is none. The search must have been begun in this table.
    const Record* find(const Search& search) const {
        if (!search.digest_) return nullptr;
        // How many places are looked at depends on the salted digest, which no caller knows.
        const Slot& slot = slots_[look_for(*search.digest_)];
        return slot.is_taken ? &slot.record : nullptr;
    }
    const Record* find(std::string_view value) const { return find(begin(value)); }
    std::size_t size() const { return size_; }

private:
    struct alignas(64) Slot {
        KeyDigest digest{};
        bool is_taken = false;
        Record record{};
    };
    std::size_t place_of(const KeyDigest& digest) const {
        return digest.place_among(slots_.size());
    }
    /// The place that holds the digest, or the free one where it would go.
    std::size_t look_for(const KeyDigest& digest) const {
        std::size_t p = place_of(digest);
        while (slots_[p].is_taken && slots_[p].digest != digest) {
            if (++p == slots_.size()) p = 0;
        }
        return p;
    }

    std::vector<Slot> slots_{};
    std::size_t size_ = 0;
};

template <class Record>
class KeyTable<Record>::Builder {
public:
    /// False: the value is there already (its record stays). Throws when OpenSSL cannot hash.
    bool add(std::string_view value, Record record) {
        const auto digest = KeyDigest::of(value);
        if (!digest) throw std::runtime_error("SHA-256 is not available");
        if ((table_.size_ + 1) * 10 > table_.slots_.size() * 7) grow();
        Slot& slot = table_.slots_[table_.look_for(*digest)];
        if (slot.is_taken) return false;
        slot = {*digest, true, std::move(record)};
        ++table_.size_;
        return true;
    }
    KeyTable build() && { return std::move(table_); }

private:
    void grow() {
        std::vector<Slot> before(std::max<std::size_t>(table_.slots_.size() * 2, 16));
        before.swap(table_.slots_);
        for (Slot& slot : before) {
            if (slot.is_taken) table_.slots_[table_.look_for(slot.digest)] = std::move(slot);
        }
    }
    KeyTable table_{};
};

}  // namespace sluice::state
