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

std::uint64_t mix(std::uint64_t h, std::uint64_t word) {
    h = (h ^ word) * 0x9fb21c651e98df25ULL;
    return h ^ (h >> 32);
}

/// Eight bytes at a time. Unseeded on purpose: only configuration enters the table, so a client
/// cannot lengthen its probe sequences.
std::uint32_t hash_of(std::uint32_t parent, std::string_view literal) {
    std::uint64_t h = mix(0x2545f4914f6cdd1dULL + parent, literal.size());
    const char* p = literal.data();
    std::size_t left = literal.size();
    for (; left >= 8; p += 8, left -= 8) {
        std::uint64_t word;
        std::memcpy(&word, p, 8);
        h = mix(h, word);
    }
    std::uint64_t tail = 0;
    for (std::size_t i = 0; i < left; ++i) {
        tail = tail << 8 | static_cast<unsigned char>(p[i]);
    }
    return static_cast<std::uint32_t>(mix(h, tail));
}

}  // namespace

std::string_view without_leading_slashes(std::string_view path) {
    while (path.starts_with('/')) {
        path.remove_prefix(1);
    }
    return path;
}

std::string_view without_trailing_slashes(std::string_view path) {
    while (path.ends_with('/')) {
        path.remove_suffix(1);
    }
    return path;
}

std::string_view take_segment(std::string_view& rest) {
    const auto slash = rest.find('/');
    const auto segment = rest.substr(0, slash);
    rest = slash == std::string_view::npos ? rest.substr(rest.size()) : rest.substr(slash + 1);
    return segment;
}

SegmentTable::Reading SegmentTable::reading_of(std::string_view path, Compatibility personality) {
    return {.decode = path.find('%') != std::string_view::npos,
            .cut_parameters =
                personality == Compatibility::standard && path.find(';') != std::string_view::npos};
}

SegmentTable::SegmentTable() : slots_(16) {}

std::optional<std::uint32_t> SegmentTable::find_literal(std::uint32_t parent,
                                                        std::string_view literal) const {
    const std::uint32_t hash = hash_of(parent, literal);
    const std::size_t mask = slots_.size() - 1;
    for (std::size_t i = hash & mask; slots_[i].parent != kFree; i = (i + 1) & mask) {
        const Slot& slot = slots_[i];
        if (slot.hash == hash && slot.parent == parent && slot.length == literal.size() &&
            std::memcmp(literals_.data() + slot.offset, literal.data(), literal.size()) == 0) {
            return slot.child;
        }
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
    place({.hash = hash_of(parent, text),
           .parent = parent,
           .child = next,
           .offset = static_cast<std::uint32_t>(literals_.size()),
           .length = static_cast<std::uint32_t>(text.size())});
    ++used_;
    literals_.append(text);
    return next;
}

void SegmentTable::place(const Slot& slot) {
    const std::size_t mask = slots_.size() - 1;
    std::size_t i = slot.hash & mask;
    while (slots_[i].parent != kFree) {
        i = (i + 1) & mask;
    }
    slots_[i] = slot;
}

void SegmentTable::grow() {
    const auto old = std::exchange(slots_, std::vector<Slot>(slots_.size() * 2));
    for (const Slot& slot : old) {
        if (slot.parent != kFree) place(slot);
    }
}

}  // namespace sluice::gateway
