// SPDX-License-Identifier: Apache-2.0
#include "sluice/http/chunked.hpp"

#include <algorithm>
#include <charconv>
#include <limits>

#include "http/strict.hpp"

namespace sluice::http {
namespace {

constexpr std::uint32_t kMaxDigits = 16;                 // robustness 1.5 rule 5
constexpr std::uint32_t kMaxSizeLine = 256;              // robustness 2
constexpr std::uint32_t kMaxExtensionBytes = 16 * 1024;  // robustness 1.5 rule 5
constexpr std::uint32_t kMaxTrailerBytes = 8 * 1024;     // robustness 2

// As for Content-Length: sums of sizes must not overflow in whoever counts them.
constexpr std::uint64_t kMaxChunk = std::numeric_limits<std::int64_t>::max();

bool may_stand_in_line(char c) {
    const auto u = static_cast<unsigned char>(c);
    return (u >= 0x20 && u != 0x7f) || c == '\t';
}

}  // namespace

// The line states take one byte per turn: size lines are a few bytes long, and whatever is long
// (data) is taken in one piece.
ChunkedDecoder::Step ChunkedDecoder::next(std::string_view input) {
    std::size_t used = 0;
    while (used < input.size() && at_ != At::done && at_ != At::malformed) {
        if (at_ == At::data) {
            const std::uint64_t size = std::min<std::uint64_t>(left_, input.size() - used);
            const std::string_view piece = input.substr(used, static_cast<std::size_t>(size));
            left_ -= size;
            if (left_ == 0) at_ = At::data_cr;
            return {State::more, used + piece.size(), piece};
        }
        at_ = after(input[used]);
        if (at_ != At::malformed) ++used;
    }
    if (at_ == At::malformed) return {State::malformed, used, {}};
    return {done() ? State::done : State::more, used, {}};
}

ChunkedDecoder::At ChunkedDecoder::after(char c) {
    switch (at_) {
        case At::size_first:
        case At::size:
        case At::extension:
        case At::size_lf:
            return after_in_size_line(c);
        case At::data_cr:
            return c == '\r' ? At::data_lf : At::malformed;
        case At::data_lf:
            digits_ = 0;
            return c == '\n' ? At::size_first : At::malformed;
        case At::trailer_start:
        case At::trailer_name:
        case At::trailer_value:
        case At::trailer_lf:
        case At::end_lf:
            return after_in_trailer(c);
        default:
            return At::malformed;
    }
}

ChunkedDecoder::At ChunkedDecoder::after_in_size_line(char c) {
    if (at_ == At::size_lf) {
        if (c != '\n') return At::malformed;
        return left_ == 0 ? At::trailer_start : At::data;
    }
    if (at_ == At::extension) {
        if (c == '\r') return At::size_lf;
        const bool fits = ++digits_ <= kMaxSizeLine && ++extension_bytes_ <= kMaxExtensionBytes;
        return fits && may_stand_in_line(c) ? At::extension : At::malformed;
    }
    if (strict::is(c, strict::kHex)) {
        if (++digits_ > kMaxDigits || left_ > kMaxChunk >> 4U) return At::malformed;
        left_ = left_ << 4U | strict::hex_value(c);
        return At::size;
    }
    if (at_ == At::size_first) return At::malformed;
    if (c == '\r') return At::size_lf;
    if (c != ';') return At::malformed;
    ++digits_;
    return ++extension_bytes_ <= kMaxExtensionBytes ? At::extension : At::malformed;
}

ChunkedDecoder::At ChunkedDecoder::after_in_trailer(char c) {
    if (at_ == At::end_lf) return c == '\n' ? At::done : At::malformed;
    if (at_ == At::trailer_start && c == '\r') return At::end_lf;
    if (++trailer_bytes_ > kMaxTrailerBytes) return At::malformed;
    if (at_ == At::trailer_lf) return c == '\n' ? At::trailer_start : At::malformed;
    if (at_ == At::trailer_value) {
        if (c == '\r') return At::trailer_lf;
        return may_stand_in_line(c) ? At::trailer_value : At::malformed;
    }
    if (strict::is(c, strict::kToken)) return At::trailer_name;
    return at_ == At::trailer_name && c == ':' ? At::trailer_value : At::malformed;
}

bool ChunkedDecoder::done() const { return at_ == At::done; }

std::size_t write_chunk_header(char* out, std::uint64_t size) {
    char* const end = std::to_chars(out, out + 16, size, 16).ptr;
    end[0] = '\r';
    end[1] = '\n';
    return static_cast<std::size_t>(end + 2 - out);
}

}  // namespace sluice::http
