// SPDX-License-Identifier: Apache-2.0
#include "telemetry/prometheus_text.hpp"

#include <charconv>
#include <cmath>

#include "sluice/telemetry/metrics.hpp"
#include "telemetry/utf8.hpp"

namespace sluice::telemetry {
namespace {

constexpr std::uint64_t kNanosPerSecond = 1'000'000'000;

/// HELP knows two escapes, label values know the quote too.
void append_escaped(std::string& out, std::string_view text, bool quotes) {
    for (const char c : text) {
        if (c == '\\') {
            out += "\\\\";
        } else if (c == '\n') {
            out += "\\n";
        } else if (c == '"' && quotes) {
            out += "\\\"";
        } else {
            out += c;
        }
    }
}

}  // namespace

std::string valid_utf8(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
        const std::size_t length = utf8_length(text);
        if (length == 0) {
            out += "\xEF\xBF\xBD";  // U+FFFD
        } else {
            out += text.substr(0, length);
        }
        text.remove_prefix(length == 0 ? 1 : length);
    }
    return out;
}

void append_label(std::string& out, std::string_view name, std::string_view value) {
    out += name;
    out += "=\"";
    append_escaped(out, value, true);
    out += '"';
}

void append_number(std::string& out, std::uint64_t value) {
    char digits[20];
    const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
    out.append(digits, end);
}

void append_number(std::string& out, double value) {
    if (std::isnan(value)) {
        out += "NaN";
    } else if (std::isinf(value)) {
        out += value > 0 ? "+Inf" : "-Inf";
    } else {
        // 2^53: up to here every whole number is exact and reads better without an exponent.
        const bool whole = std::abs(value) < 9007199254740992.0 && std::trunc(value) == value;
        // "0.0005" is how a bucket bound is written elsewhere; tiny numbers keep an exponent.
        const bool readable = std::abs(value) >= 1e-6 && std::abs(value) < 1e15;
        const auto format = readable ? std::chars_format::fixed : std::chars_format::general;
        char digits[64];
        const auto end =
            whole ? std::to_chars(digits, digits + sizeof digits, static_cast<std::int64_t>(value))
                  : std::to_chars(digits, digits + sizeof digits, value, format);
        out.append(digits, end.ptr);
    }
}

void append_seconds(std::string& out, std::uint64_t nanoseconds) {
    append_number(out, nanoseconds / kNanosPerSecond);
    std::uint64_t fraction = nanoseconds % kNanosPerSecond;
    if (fraction == 0) return;
    char digits[10] = ".";
    std::size_t used = 1;
    for (std::uint64_t unit = kNanosPerSecond / 10; fraction != 0; unit /= 10) {
        digits[used++] = static_cast<char>('0' + fraction / unit);
        fraction %= unit;
    }
    out.append(digits, used);
}

void write_family(std::string& out, std::string_view name, std::string_view type,
                  std::string_view help) {
    out += "# HELP ";
    out += name;
    out += ' ';
    append_escaped(out, help, false);
    out += "\n# TYPE ";
    out += name;
    out += ' ';
    out += type;
    out += '\n';
}

void write_sample(std::string& out, std::string_view name,
                  std::initializer_list<std::pair<std::string_view, std::string_view>> labels,
                  double value) {
    out += name;
    if (labels.size() != 0) {
        char before = '{';
        for (const auto& [label, text] : labels) {
            out += before;
            append_label(out, label, valid_utf8(text));
            before = ',';
        }
        out += '}';
    }
    out += ' ';
    append_number(out, value);
    out += '\n';
}

}  // namespace sluice::telemetry
