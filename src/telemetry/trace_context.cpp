// SPDX-License-Identifier: Apache-2.0
#include "telemetry/trace_context.hpp"

#include <algorithm>

#include "base/random.hpp"

namespace sluice::telemetry {
namespace {

constexpr std::size_t kLongestAmzn = 256;
constexpr std::size_t kLongestState =
    512;  // what must be passed on at least, trace-context 3.3.1.5

/// W3C wants lower case only; AWS's form is read in either.
std::optional<std::uint64_t> hex(std::string_view digits, bool upper_too) {
    std::uint64_t value = 0;
    for (const char c : digits) {
        std::uint64_t digit = 0;
        if (c >= '0' && c <= '9')
            digit = static_cast<std::uint64_t>(c - '0');
        else if (c >= 'a' && c <= 'f')
            digit = static_cast<std::uint64_t>(c - 'a' + 10);
        else if (upper_too && c >= 'A' && c <= 'F')
            digit = static_cast<std::uint64_t>(c - 'A' + 10);
        else
            return std::nullopt;
        value = value << 4 | digit;
    }
    return value;
}

/// "1-5759e988-bd862e3fe1be46a994272793"
std::optional<TraceId> read_root(std::string_view text) {
    if (text.size() != kRootSize || !text.starts_with("1-") || text[10] != '-') return {};
    const auto seconds = hex(text.substr(2, 8), true);
    const auto upper = hex(text.substr(11, 8), true);
    const auto low = hex(text.substr(19, 16), true);
    if (!seconds || !upper || !low) return {};
    const TraceId id{*seconds << 32 | *upper, *low};
    if (!id.is_set()) return {};
    return id;
}

bool is_printable(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7F; });
}

std::string_view trimmed(std::string_view text) {
    while (text.starts_with(' '))
        text.remove_prefix(1);
    while (text.ends_with(' '))
        text.remove_suffix(1);
    return text;
}

/// Appends `form` and returns where it stands, for its blanks to be filled in.
char* written(ByteWriter& out, std::string_view form) {
    out.text(form);
    return out.end() - form.size();
}

}  // namespace

std::optional<RemoteContext> read_traceparent(std::string_view text) {
    constexpr std::size_t kSize = 55;
    if (text.size() < kSize || text[2] != '-' || text[35] != '-' || text[52] != '-') return {};
    const auto version = hex(text.substr(0, 2), false);
    const auto high = hex(text.substr(3, 16), false);
    const auto low = hex(text.substr(19, 16), false);
    const auto parent = hex(text.substr(36, 16), false);
    const auto flags = hex(text.substr(53, 2), false);
    if (!version || !high || !low || !parent || !flags) return {};
    if (*version == 0xff || (*high | *low) == 0 || *parent == 0) return {};
    if (text.size() > kSize && (*version == 0 || text[kSize] != '-')) return {};
    return RemoteContext{{*high, *low}, *parent, (*flags & 1) != 0};
}

std::optional<AmznTrace> read_amzn_trace(std::string_view text) {
    if (text.size() > kLongestAmzn || !is_printable(text)) return {};
    AmznTrace out;
    const char* rest_from = nullptr;
    bool in_order = true;  // known fields first: then what follows is one piece
    for (std::string_view left = text; !left.empty();) {
        const std::string_view field = trimmed(left.substr(0, left.find(';')));
        const std::string_view value = field.substr(std::min(field.size(), field.find('=') + 1));
        if (field.starts_with("Root=")) {
            const auto id = read_root(value);
            if (!id) return {};
            out.context.id = *id;
            in_order = in_order && rest_from == nullptr;
        } else if (field.starts_with("Parent=")) {
            const auto parent = value.size() == 16 ? hex(value, true) : std::nullopt;
            if (parent && *parent != 0) out.context.parent = *parent;
            in_order = in_order && rest_from == nullptr;
        } else if (field.starts_with("Sampled=")) {
            if (value == "0" || value == "1") out.context.sampled = value == "1";
            in_order = in_order && rest_from == nullptr;
        } else if (!field.empty()) {
            if (value.size() + 1 >= field.size() || value.empty()) return {};  // no name=value
            if (rest_from == nullptr) rest_from = field.data();
        }
        left.remove_prefix(std::min(left.size(), left.find(';')));
        if (!left.empty()) left.remove_prefix(1);
    }
    if (rest_from != nullptr && in_order) {
        out.rest = trimmed(text.substr(static_cast<std::size_t>(rest_from - text.data())));
    } else if (rest_from != nullptr && text.starts_with("Self=")) {
        // Load balancers put their own field first: Self=1-...;Root=1-...
        out.rest = text.substr(0, text.find(';'));
    }
    out.is_complete =
        out.context.id.is_set() && out.context.parent != 0 && out.context.sampled.has_value();
    return out;
}

bool is_tracestate(std::string_view text) {
    return !text.empty() && text.size() <= kLongestState && is_printable(text);
}

void write_root(char* out, TraceId id) {
    out[0] = '1';
    out[1] = out[10] = '-';
    write_hex(out + 2, id.high >> 32, 8);
    write_hex(out + 11, id.high, 8);
    write_hex(out + 19, id.low, 16);
}

void write_traceparent(ByteWriter& out, TraceId id, std::uint64_t parent, bool sampled) {
    constexpr std::string_view form =
        "traceparent: 00-00000000000000000000000000000000-0000000000000000-00\r\n";
    char* const text = written(out, form) + form.find("00-");
    write_hex(text + 3, id.high, 16);
    write_hex(text + 19, id.low, 16);
    write_hex(text + 36, parent, 16);
    if (sampled) text[54] = '1';
}

void write_amzn_trace(ByteWriter& out, TraceId id, std::uint64_t parent, bool sampled,
                      std::string_view rest) {
    constexpr std::string_view form =
        "X-Amzn-Trace-Id: "
        "Root=1-00000000-000000000000000000000000;Parent=0000000000000000;Sampled=0";
    char* const text = written(out, form) + form.find("Root");
    write_root(text + 5, id);
    write_hex(text + 48, parent, 16);
    if (sampled) out.end()[-1] = '1';
    if (!rest.empty()) out.text(";").text(rest);
    out.text("\r\n");
}

}  // namespace sluice::telemetry
