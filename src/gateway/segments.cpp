// SPDX-License-Identifier: Apache-2.0
#include "gateway/segments.hpp"

#include <array>
#include <cstring>
#include <utility>

namespace sluice::gateway {

namespace {

int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    const char lower = static_cast<char>(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/// Decodes into `out` and returns the length; empty when it does not fit. A "%" without two hex
/// digits stays as it is: the request line's reader refuses those before.
std::optional<std::size_t> decode(std::string_view in,
                                  std::array<char, SegmentTable::kMaxLiteral>& out) {
    std::size_t length = 0;
    for (std::size_t i = 0; i < in.size(); ++i) {
        if (length == out.size()) return std::nullopt;
        char byte = in[i];
        if (byte == '%' && i + 2 < in.size()) {
            const int high = hex_digit(in[i + 1]);
            const int low = hex_digit(in[i + 2]);
            if (high >= 0 && low >= 0) {
                byte = static_cast<char>(high * 16 + low);
                i += 2;
            }
        }
        out[length++] = byte;
    }
    return length;
}

/// Folds the high half down before and after the product: the bytes that tell literals apart
/// ("items-17", "items-18") are the last ones, in the high bits of a word, and a product alone
/// carries only upwards.
std::uint64_t mix(std::uint64_t h, std::uint64_t word) {
    h ^= word;
    h ^= h >> 32;
    h *= 0x9fb21c651e98df25ULL;
    return h ^ (h >> 32);
}

std::uint64_t load(const char* p, std::size_t bytes) {
    std::uint64_t word = 0;
    std::memcpy(&word, p, bytes);
    return word;
}

/// Eight bytes at a time, the last eight overlapping. Unseeded on purpose: only configuration
/// enters the table, so a client cannot lengthen its probe sequences.
std::uint64_t hash_of(std::uint32_t parent, std::string_view literal) {
    const char* const p = literal.data();
    const std::size_t size = literal.size();
    std::uint64_t h = mix(0x2545f4914f6cdd1dULL + parent, size);
    if (size >= 8) {
        for (std::size_t i = 0; i + 8 < size; i += 8) {
            h = mix(h, load(p + i, 8));
        }
        h = mix(h, load(p + size - 8, 8));
    } else if (size >= 4) {
        h = mix(h, load(p, 4) << 32 | load(p + size - 4, 4));
    } else if (size > 0) {
        h = mix(h, load(p, 1) << 16 | load(p + size / 2, 1) << 8 | load(p + size - 1, 1));
    }
    return h;
}

std::uint16_t tag_of(std::uint64_t hash) { return static_cast<std::uint16_t>(hash >> 48); }

}  // namespace

SegmentTable::Reading SegmentTable::reading_of(std::string_view path, Compatibility personality) {
    bool escapes = false;
    bool parameters = false;
    for (const char c : path) {
        escapes |= c == '%';
        parameters |= c == ';';
    }
    return {.decode = escapes,
            .cut_parameters = parameters && personality == Compatibility::standard};
}

SegmentTable::SegmentTable() : slots_(16) {}

std::string_view SegmentTable::text_of(const Slot& slot) const {
    if (slot.length <= Slot::kShort) return {slot.start.data(), slot.length};
    std::uint32_t offset = 0;
    std::memcpy(&offset, slot.start.data(), sizeof offset);
    return {long_.data() + offset, slot.length};
}

std::optional<std::uint32_t> SegmentTable::find_literal(std::uint32_t parent,
                                                        std::string_view literal) const {
    const std::uint64_t hash = hash_of(parent, literal);
    const std::uint16_t tag = tag_of(hash);
    const std::size_t mask = slots_.size() - 1;
    for (std::size_t i = hash & mask; slots_[i].parent != kFree; i = (i + 1) & mask) {
        const Slot& slot = slots_[i];
        if (slot.tag == tag && slot.parent == parent && text_of(slot) == literal) return slot.child;
    }
    return std::nullopt;
}

std::optional<std::uint32_t> SegmentTable::find(std::uint32_t parent, std::string_view segment,
                                                Reading reading) const {
    if (reading.cut_parameters) segment = segment.substr(0, segment.find(';'));
    if (!reading.decode || segment.find('%') == std::string_view::npos) {
        return find_literal(parent, segment);
    }
    std::array<char, kMaxLiteral> decoded;
    const auto length = decode(segment, decoded);
    if (!length) return std::nullopt;  // longer than any literal
    return find_literal(parent, {decoded.data(), *length});
}

std::optional<std::uint32_t> SegmentTable::insert(std::uint32_t parent, std::string_view literal,
                                                  std::uint32_t next) {
    std::array<char, kMaxLiteral> decoded;
    const auto length = decode(literal, decoded);
    if (!length) return std::nullopt;
    const std::string_view text{decoded.data(), *length};
    if (const auto known = find_literal(parent, text)) return known;
    if (2 * (used_ + 1) > slots_.size()) grow();
    const auto hash = hash_of(parent, text);
    Slot slot{.parent = parent,
              .child = next,
              .length = static_cast<std::uint16_t>(text.size()),
              .tag = tag_of(hash)};
    if (text.size() <= Slot::kShort) {
        text.copy(slot.start.data(), text.size());
    } else {
        const auto offset = static_cast<std::uint32_t>(long_.size());
        std::memcpy(slot.start.data(), &offset, sizeof offset);
        long_.append(text);
    }
    place(slot, hash);
    ++used_;
    return next;
}

void SegmentTable::place(const Slot& slot, std::uint64_t hash) {
    const std::size_t mask = slots_.size() - 1;
    std::size_t i = hash & mask;
    while (slots_[i].parent != kFree) {
        i = (i + 1) & mask;
    }
    slots_[i] = slot;
}

void SegmentTable::grow() {
    const auto old = std::exchange(slots_, std::vector<Slot>(slots_.size() * 2));
    for (const Slot& slot : old) {
        if (slot.parent == kFree) continue;
        place(slot, hash_of(slot.parent, text_of(slot)));
    }
}

}  // namespace sluice::gateway
