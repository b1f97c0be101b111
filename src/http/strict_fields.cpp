// SPDX-License-Identifier: Apache-2.0
#include <cstring>

#include "sluice/http/head.hpp"

namespace sluice::http {
namespace {

constexpr std::uint64_t kOnes = 0x0101010101010101ULL;

/// Eight bytes with capital letters made small, all at once.
std::uint64_t lower(std::uint64_t word) {
    const std::uint64_t low_bits = word & kOnes * 0x7f;
    const std::uint64_t from_a = low_bits + kOnes * (0x80 - 'A');  // sets the highest bits
    const std::uint64_t behind_z = low_bits + kOnes * (0x7f - 'Z');
    const std::uint64_t capitals = (from_a ^ behind_z) & ~word & kOnes * 0x80;
    return word | capitals >> 2;
}

bool is_alike(std::uint64_t a, std::uint64_t b) { return a == b || lower(a) == lower(b); }

template <class Word>
std::uint64_t load(const char* from) {
    Word word;
    std::memcpy(&word, from, sizeof word);
    return word;
}

/// All of fewer than eight bytes; some of them twice.
std::uint64_t load_short(const char* from, std::size_t n) {
    if (n >= 4) return load<std::uint32_t>(from) << 32 | load<std::uint32_t>(from + n - 4);
    std::uint64_t word = 0;
    for (std::size_t i = 0; i < n; ++i)
        word = word << 8 | static_cast<unsigned char>(from[i]);
    return word;
}

}  // namespace

bool iequals(std::string_view a, std::string_view b) {
    const std::size_t n = a.size();
    if (n != b.size()) return false;
    if (n < 8) return is_alike(load_short(a.data(), n), load_short(b.data(), n));
    for (std::size_t i = 0; i + 8 < n; i += 8) {
        if (!is_alike(load<std::uint64_t>(a.data() + i), load<std::uint64_t>(b.data() + i))) {
            return false;
        }
    }
    const std::size_t last = n - 8;
    return is_alike(load<std::uint64_t>(a.data() + last), load<std::uint64_t>(b.data() + last));
}

const HeaderField* FieldList::find(Field id) const {
    for (const HeaderField& field : all()) {
        if (field.id == id) return &field;
    }
    return nullptr;
}

const HeaderField* FieldList::find(std::string_view name) const {
    for (const HeaderField& field : all()) {
        if (field.name.size() == name.size() && iequals(field.name, name)) return &field;
    }
    return nullptr;
}

}  // namespace sluice::http
