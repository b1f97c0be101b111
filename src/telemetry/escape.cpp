// SPDX-License-Identifier: Apache-2.0
#include "telemetry/escape.hpp"

#include <cstdint>

#include "telemetry/byte_block.hpp"
#include "telemetry/utf8.hpp"

namespace sluice::telemetry {
namespace {

constexpr char kHex[] = "0123456789ABCDEF";

constexpr CleanBytes clean_except(std::string_view dirty) {
    CleanBytes clean;
    for (std::size_t c = 0x20; c < 0x7F; ++c)
        clean.table[c] = true;
    for (const char c : dirty)
        clean.table[static_cast<unsigned char>(c)] = false;
    for (std::size_t i = 0; i < clean.dirty.size(); ++i) {
        clean.dirty[i] = static_cast<unsigned char>(dirty[i < dirty.size() ? i : 0]);
    }
    return clean;
}

/// Control characters and what splits lines in tools that know Unicode (C1, U+2028, U+2029).
bool is_control(std::uint32_t c) {
    return c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0x2028 || c == 0x2029;
}

void append_hex(std::string& out, std::uint32_t value, int digits) {
    for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4)
        out += kHex[value >> shift & 0xF];
}

void append_bytes_in_hex(std::string& out, std::string_view bytes) {
    for (const char c : bytes) {
        out += "\\x";
        append_hex(out, static_cast<unsigned char>(c), 2);
    }
}

/// Calls `one(sequence, code_point, valid)` for each UTF-8 sequence or stray byte.
template <class One>
void for_each_character(std::string_view text, One one) {
    while (!text.empty()) {
        const std::size_t length = utf8_length(text);
        const std::string_view sequence = text.substr(0, length == 0 ? 1 : length);
        const std::uint32_t point =
            length == 0 ? static_cast<unsigned char>(text[0]) : utf8_code_point(text, length);
        one(sequence, point, length != 0);
        text.remove_prefix(sequence.size());
    }
}

void append_json_control(std::string& out, std::uint32_t c) {
    switch (c) {
        case '\b':
            out += "\\b";
            return;
        case '\f':
            out += "\\f";
            return;
        case '\n':
            out += "\\n";
            return;
        case '\r':
            out += "\\r";
            return;
        case '\t':
            out += "\\t";
            return;
        default:
            out += "\\u";
            append_hex(out, c, 4);
    }
}

std::string_view xml_entity(std::uint32_t c) {
    switch (c) {
        case '&':
            return "&amp;";
        case '<':
            return "&lt;";
        case '>':
            return "&gt;";
        case '"':
            return "&quot;";
        case '\'':
            return "&apos;";
        default:
            return {};
    }
}

/// XML 1.0, production Char.
bool xml_can_hold(std::uint32_t c) {
    return (c >= 0x20 || c == '\t' || c == '\n' || c == '\r') && c != 0xFFFE && c != 0xFFFF;
}

/// Lanes of all ones where a byte is dirty.
auto dirty_lanes(Block b, const std::array<unsigned char, 6>& d) {
    return (b < 0x20) | (b > 0x7E) | (b == d[0]) | (b == d[1]) | (b == d[2]) | (b == d[3]) |
           (b == d[4]) | (b == d[5]);
}

}  // namespace

constinit const CleanBytes kCleanJson = clean_except("\"\\");
constinit const CleanBytes kCleanXml = clean_except("&<>\"'");
constinit const CleanBytes kCleanCsv = clean_except("\",\\");

CleanBytes clean_plain(std::string_view delimiters) {
    return clean_except("\"\\" + std::string(delimiters.substr(0, 2)));
}

bool is_clean(std::string_view text, const CleanBytes& clean) {
    if (text.size() < sizeof(Block)) {
        bool all = true;
        for (const char c : text)
            all &= clean.table[static_cast<unsigned char>(c)];
        return all;
    }
    const char* const last = text.data() + text.size() - sizeof(Block);
    auto dirty = dirty_lanes(load_block(last), clean.dirty);  // overlaps the block before
    for (const char* at = text.data(); at < last; at += sizeof(Block)) {
        dirty |= dirty_lanes(load_block(at), clean.dirty);
    }
    return !any(dirty);
}

void append_json(std::string& out, std::string_view text) {
    if (is_clean(text, kCleanJson)) {
        out += text;
        return;
    }
    for_each_character(text, [&](std::string_view sequence, std::uint32_t c, bool valid) {
        if (c == '"' || c == '\\') {
            out += '\\';
            out += sequence;
        } else if (!valid || is_control(c)) {
            append_json_control(out, c);
        } else {
            out += sequence;
        }
    });
}

void append_xml(std::string& out, std::string_view text) {
    if (is_clean(text, kCleanXml)) {
        out += text;
        return;
    }
    for_each_character(text, [&](std::string_view sequence, std::uint32_t c, bool valid) {
        if (const std::string_view entity = xml_entity(c); !entity.empty()) {
            out += entity;
        } else if (!xml_can_hold(c)) {
            out += "&#xFFFD;";
        } else if (!valid || is_control(c)) {
            out += "&#x";
            append_hex(out, c, c > 0xFF ? 4 : 2);
            out += ';';
        } else {
            out += sequence;
        }
    });
}

void append_plain(std::string& out, std::string_view text, const CleanBytes& clean) {
    if (is_clean(text, clean)) {
        out += text;
        return;
    }
    for (const char& c : text) {
        if (clean.table[static_cast<unsigned char>(c)]) {
            out += c;
        } else {
            append_bytes_in_hex(out, {&c, 1});
        }
    }
}

void append_text(std::string& out, std::string_view text) {
    for_each_character(text, [&](std::string_view sequence, std::uint32_t c, bool valid) {
        if (valid && !is_control(c)) {
            out += sequence;
        } else {
            append_bytes_in_hex(out, sequence);
        }
    });
}

void append_csv(std::string& out, std::string_view text, bool quoted) {
    if (is_clean(text, kCleanCsv)) {
        out += text;
        return;
    }
    const bool add_quotes = !quoted && text.find_first_of(",\"\r\n") != std::string_view::npos;
    if (add_quotes) out += '"';
    for_each_character(text, [&](std::string_view sequence, std::uint32_t c, bool valid) {
        if (c == '"') {
            out += "\"\"";
        } else if (!valid || is_control(c) || c == '\\') {
            append_bytes_in_hex(out, sequence);
        } else {
            out += sequence;
        }
    });
    if (add_quotes) out += '"';
}

}  // namespace sluice::telemetry
