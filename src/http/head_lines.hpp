// SPDX-License-Identifier: Apache-2.0
//
// The lines of a head. Every function looks at bytes from left to right and decides on the first
// offence, so a head read byte by byte is judged exactly as the same head read at once.
//
// The scan also takes the fields out, which halves the cost of doing both with Boost.Beast's
// parser behind it (bench/micro/http_bench.cpp). Beast is the second opinion of the fuzz targets:
// what is accepted here, Beast must read the same way.
#pragma once

#include <algorithm>
#include <cstring>
#include <string_view>

#include "http/scan.hpp"
#include "http/strict.hpp"
#include "sluice/http/head.hpp"

namespace sluice::http::strict {

/// Where a reader stands in the bytes of one head.
struct Cursor : scan::Window {
    explicit Cursor(std::string_view bytes)
        : Window{bytes.data(), bytes.data() + bytes.size()}, at{begin} {}
    const char* at;
};

/// True if `text` stands at `at`. The compiler knows its length and compares words.
template <std::size_t kSize>
bool starts_with(const Cursor& in, const char* at, const char (&text)[kSize]) {
    constexpr std::size_t length = kSize - 1;
    return in.end - at >= static_cast<std::ptrdiff_t>(length) && std::memcmp(at, text, length) == 0;
}

/// The first byte at or behind `at` that no token has, or the end.
inline const char* find_token_end(const Cursor& in, const char* at) {
    at = scan::over_word(at, in);
    while (at != in.end && is(*at, kToken))
        ++at;
    return at;
}

/// The first control byte other than HTAB at or behind `at`, or the end.
inline const char* find_control(const Cursor& in, const char* at) {
    at = scan::over_text(at, in);
    while (at != in.end && !is(*at, kControl))
        ++at;
    return at;
}

/// What is wrong at `stop`, where neither CRLF nor a part of it stands; `other` if no line ends.
const Fault* fault_at_end(const Cursor& in, const char* stop, const Fault& other);

/// `stop` is where a line's content ended; moves past CRLF there.
inline const Fault* end_line(Cursor& in, const char* stop, const Fault& other) {
    if (!starts_with(in, stop, "\r\n")) return fault_at_end(in, stop, other);
    in.at = stop + 2;
    return nullptr;
}

/// What is wrong with a name that ends at `stop` without a colon, or with one more name.
const Fault* fault_in_name(const Cursor& in, const char* stop, bool too_many);

/// The field line from `start` to the CR at `stop`, all of whose bytes are allowed.
inline HeaderField take_field(const char* start, const char* colon, const char* stop) {
    const std::string_view name{start, static_cast<std::size_t>(colon - start)};
    const char* first = colon + 1;
    while (is_blank(*first))  // the CR is none
        ++first;
    while (first != stop && is_blank(stop[-1]))
        --stop;
    return {field_id(name), name, {first, static_cast<std::size_t>(stop - first)}};
}

/// Reads field lines and the empty line that ends them. `weigh` may refuse a field before it is
/// kept, and is asked before the next line is looked at.
template <class Weigh>
const Fault* read_fields(Cursor& in, std::size_t most, FieldList& fields, Weigh weigh) {
    while (!starts_with(in, in.at, "\r\n")) {
        const char* const start = in.at;
        const char* const colon = find_token_end(in, start);
        const bool too_many = fields.size() >= most;
        if (too_many || colon == start || colon == in.end || *colon != ':') {
            return fault_in_name(in, colon, too_many);
        }
        const char* const stop = find_control(in, colon + 1);
        if (const Fault* fault = end_line(in, stop, kBadValue)) return fault;
        const HeaderField field = take_field(start, colon, stop);
        if (const Fault* fault = weigh(field)) return fault;
        fields.push(field);
    }
    in.at += 2;
    return nullptr;
}

}  // namespace sluice::http::strict
