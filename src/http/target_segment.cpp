// SPDX-License-Identifier: Apache-2.0
#include "http/target_segment.hpp"

namespace sluice::http {
namespace {

constexpr std::string_view kForbiddenByte = "forbidden_byte";
constexpr std::string_view kBackslash = "backslash";
constexpr std::string_view kBadEscape = "bad_escape";
constexpr std::string_view kEncodedNul = "encoded_nul";
constexpr std::string_view kEncodedControl = "encoded_control";
constexpr std::string_view kEncodedBackslash = "encoded_backslash";
constexpr std::string_view kBadUtf8 = "bad_utf8";
constexpr std::string_view kDotSegment = "dot_segment";
constexpr std::string_view kEmptySegment = "empty_segment";

/// Recognises dot and empty segments in a stream of bytes. ";parameters" do not count as part of
/// a segment: Tomcat and its kin cut them off before they resolve "..".
class SegmentShape {
public:
    void feed(char c) {
        if (c == '/') {
            close();
        } else if (c == ';') {
            in_parameters_ = true;
        } else if (!in_parameters_) {
            dots_ += c == '.' ? 1U : 0U;
            ++length_;
        }
    }
    void close() {
        has_dots_ = has_dots_ || (length_ == dots_ && (length_ == 1 || length_ == 2));
        has_empty_ = has_empty_ || length_ == 0;
        dots_ = length_ = 0;
        in_parameters_ = false;
    }
    bool has_dots() const { return has_dots_; }
    bool has_empty() const { return has_empty_; }

private:
    std::size_t dots_ = 0;
    std::size_t length_ = 0;
    bool in_parameters_ = false;
    bool has_dots_ = false;
    bool has_empty_ = false;
};

/// Well-formed UTF-8 (RFC 3629, Unicode table 3-7), one byte at a time.
class Utf8 {
public:
    bool feed(char c) {
        const auto u = static_cast<unsigned char>(c);
        if (pending_ > 0) {
            const bool fits = u >= low_ && u <= high_;
            low_ = 0x80;
            high_ = 0xbf;
            --pending_;
            return fits;
        }
        if (u < 0x80) return true;
        if (u < 0xc2 || u > 0xf4) return false;
        pending_ = u < 0xe0 ? 1 : u < 0xf0 ? 2 : 3;
        if (u == 0xe0) low_ = 0xa0;   // else overlong
        if (u == 0xed) high_ = 0x9f;  // else a surrogate
        if (u == 0xf0) low_ = 0x90;   // else overlong
        if (u == 0xf4) high_ = 0x8f;  // else above U+10FFFF
        return true;
    }
    bool complete() const { return pending_ == 0; }

private:
    int pending_ = 0;
    unsigned char low_ = 0x80;
    unsigned char high_ = 0xbf;
};

std::string_view fault_in_decoded(char c) {
    const auto u = static_cast<unsigned char>(c);
    if (u == 0) return kEncodedNul;
    if (u < 0x20 || u == 0x7f) return kEncodedControl;
    return c == '\\' ? kEncodedBackslash : std::string_view{};
}

bool starts_with_escape(std::string_view text) {
    return text.size() >= 3 && text[0] == '%' && strict::is(text[1], strict::kHex) &&
           strict::is(text[2], strict::kHex);
}

/// An overlong form of an ASCII character at the start of `text`, in bytes that may be decoded
/// more often than once. Merely invalid UTF-8 is no offence there: "5%25ad" says "5%ad".
bool starts_overlong(std::string_view text) {
    const auto at = [text](std::size_t i) {
        return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
    };
    const auto follows = [&at](std::size_t i, unsigned below = 0xc0) {
        return at(i) >= 0x80 && at(i) < below;
    };
    if (at(0) == 0xc0 || at(0) == 0xc1) return follows(1);
    if (at(0) == 0xe0) return follows(1, 0xa0) && follows(2);
    return at(0) == 0xf0 && follows(1, 0x90) && follows(2) && follows(3);
}

/// Decodes until nothing is left to decode, in one pass: a byte that completes an escape with the
/// two before it is taken together with them, as often as that goes on. What some number of
/// decodings reveals stays in the end result, because no decoding removes it again.
void decode_fully(std::string_view segment, std::string& out) {
    out.clear();
    for (char c : segment) {
        out.push_back(c);
        while (out.size() >= 3) {
            const std::string_view tail = std::string_view{out}.substr(out.size() - 3);
            if (!starts_with_escape(tail)) break;
            const char decoded = decode_escape(tail);
            out.resize(out.size() - 3);
            out.push_back(decoded);
        }
    }
}

std::string_view fault_in_nested(std::string_view segment, bool standard, std::string& scratch) {
    decode_fully(segment, scratch);
    const std::string_view bytes = scratch;
    SegmentShape shape;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        if (const auto fault = fault_in_decoded(bytes[i]); !fault.empty()) return fault;
        if (starts_overlong(bytes.substr(i))) return kBadUtf8;
        shape.feed(bytes[i] == '/' && !standard ? 'x' : bytes[i]);
    }
    shape.close();
    // An empty segment would take two decodings to appear: "http%253A%252F%252Fhost" is data.
    return shape.has_dots() ? kDotSegment : std::string_view{};
}

}  // namespace

SegmentCheck check_segment(std::string_view segment, bool standard, std::string& scratch) {
    SegmentCheck result;
    SegmentShape shape;
    Utf8 utf8;
    bool nested = false;
    for (std::size_t i = 0; i < segment.size(); ++i) {
        char c = segment[i];
        if (c == '%') {
            if (!starts_with_escape(segment.substr(i))) return {kBadEscape};
            c = decode_escape(segment.substr(i));
            i += 2;
            if (const auto fault = fault_in_decoded(c); !fault.empty()) return {fault};
            nested = nested || c == '%';
            if (strict::is(c, strict::kUnreserved)) result.has_unreserved_escape = true;
            // In `aws` an encoded slash is a byte of its segment, whatever stands beside it.
            if (c == '/' && !standard) c = 'x';
        } else if (!strict::is(c, strict::kTarget)) {
            return {c == '\\' ? kBackslash : kForbiddenByte};
        }
        if (!utf8.feed(c)) return {kBadUtf8};
        shape.feed(c);
    }
    if (!utf8.complete()) return {kBadUtf8};
    shape.close();
    if (shape.has_dots()) return {kDotSegment};
    // "//" is merged, but "/;x/" and "/a%2F/" would be empty only for some backends.
    if (standard && !segment.empty() && shape.has_empty()) return {kEmptySegment};
    if (nested) result.fault = fault_in_nested(segment, standard, scratch);
    return result;
}

}  // namespace sluice::http
