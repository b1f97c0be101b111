// SPDX-License-Identifier: Apache-2.0
//
// Names of fields: comparison without case, and the way from a name to its id. Beast's own
// string_to_field() folds and compares byte by byte; it costs as much as reading the whole field.
#include <array>
#include <cstring>

#include "http/strict.hpp"

namespace sluice::http {
namespace {

constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; }

template <class Word>
std::uint64_t load(const char* from) {
    Word word;
    std::memcpy(&word, from, sizeof word);
    return word;
}

/// First and last bytes of a name with bit 5 set; up to 16 bytes that is all of it. Every known
/// name is made of letters, digits and '-', and among token bytes only a letter's other case
/// folds onto those, so for tokens equal keys mean equal names.
struct Key {
    std::uint64_t head = 0;
    std::uint64_t tail = 0;
    bool operator==(const Key&) const = default;
};

Key key_of(std::string_view name) {
    constexpr std::uint64_t fold = 0x2020202020202020ULL;
    const char* const p = name.data();
    const std::size_t n = name.size();
    if (n >= 8) {
        return {load<std::uint64_t>(p) | fold, load<std::uint64_t>(p + n - 8) | fold};
    }
    if (n >= 4) {
        return {load<std::uint32_t>(p) | fold, load<std::uint32_t>(p + n - 4) | fold};
    }
    if (n == 0) return {};
    return {load<std::uint8_t>(p) | fold,
            (load<std::uint8_t>(p + n / 2) | load<std::uint8_t>(p + n - 1) << 8U) | fold};
}

class KnownNames {
public:
    KnownNames() {
        for (unsigned i = 1; i < kCount; ++i) {
            const auto view = boost::beast::http::to_string(static_cast<Field>(i));
            names_[i] = {view.data(), view.size()};
            keys_[i] = key_of(names_[i]);
            std::size_t slot = slot_of(keys_[i], names_[i].size());
            while (slots_[slot] != 0)
                slot = (slot + 1) % kSlots;
            slots_[slot] = static_cast<std::uint16_t>(i);
        }
    }
    Field find(std::string_view name) const {
        const Key key = key_of(name);
        for (std::size_t slot = slot_of(key, name.size()); slots_[slot] != 0;
             slot = (slot + 1) % kSlots) {
            const std::size_t i = slots_[slot];
            if (keys_[i] != key || names_[i].size() != name.size()) continue;
            if (name.size() <= 16 || iequals(names_[i], name)) return static_cast<Field>(i);
        }
        return Field::unknown;
    }

private:
    static constexpr std::size_t kCount = static_cast<std::size_t>(Field::xref) + 1;
    static constexpr std::size_t kSlots = 2048;

    static std::size_t slot_of(const Key& key, std::size_t length) {
        const std::uint64_t mixed =
            (key.head ^ (key.tail << 23U | key.tail >> 41U) ^ length) * 0x9e3779b97f4a7c15ULL;
        return mixed >> (64U - 11U);
    }

    std::array<std::uint16_t, kSlots> slots_{};
    std::array<Key, kCount> keys_{};
    std::array<std::string_view, kCount> names_{};
};

}  // namespace

Field field_id(std::string_view name) {
    static const KnownNames known;
    return known.find(name);
}

bool iequals(std::string_view a, std::string_view b) {
    if (a.size() != b.size()) return false;
    for (std::size_t i = 0; i < a.size(); ++i) {
        if (lower(a[i]) != lower(b[i])) return false;
    }
    return true;
}

const HeaderField* FieldList::find(Field id) const {
    for (const HeaderField& field : all()) {
        if (field.id == id) return &field;
    }
    return nullptr;
}

const HeaderField* FieldList::find(std::string_view name) const {
    for (const HeaderField& field : all()) {
        if (iequals(field.name, name)) return &field;
    }
    return nullptr;
}

}  // namespace sluice::http
