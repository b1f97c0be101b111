// SPDX-License-Identifier: Apache-2.0
#include "sluice/http/target.hpp"

#include <algorithm>
#include <array>

#include "http/target_segment.hpp"

namespace sluice::http {
namespace {

using config::Compatibility;

/// Merges slashes and decodes escapes of unreserved characters. `path` has passed the checks.
void rewrite(std::string_view path, std::string& out) {
    out.clear();
    for (std::size_t i = 0; i < path.size(); ++i) {
        if (path[i] == '/' && !out.empty() && out.back() == '/') continue;
        if (path[i] == '%') {
            const char decoded = decode_escape(path.substr(i));
            if (strict::is(decoded, strict::kUnreserved)) {
                out.push_back(decoded);
            } else {
                out.append(path, i, 3);
            }
            i += 2;
            continue;
        }
        out.push_back(path[i]);
    }
}

NormalTarget refused(std::string_view reason) { return {.reason = reason}; }

/// Bytes that mean nothing in a path but themselves, whatever stands around them.
constexpr std::array<bool, 256> ordinary_bytes() {
    std::array<bool, 256> ordinary{};
    for (std::size_t c = 0; c < ordinary.size(); ++c) {
        const char byte = static_cast<char>(c);
        const bool has_meaning = byte == '/' || byte == '.' || byte == ';' || byte == '?';
        ordinary[c] = strict::is(byte, strict::kTarget) && !has_meaning;
    }
    return ordinary;
}
constexpr auto kOrdinaryBytes = ordinary_bytes();

/// Where the path ends when one look says that the checks let it through unchanged: no escapes
/// or parameters, and no segment is empty or starts with a dot. Else npos.
std::size_t end_of_plain_path(std::string_view origin_form) {
    if (!origin_form.starts_with('/')) return std::string_view::npos;
    for (std::size_t i = 1; i < origin_form.size(); ++i) {
        const char c = origin_form[i];
        if (kOrdinaryBytes[static_cast<unsigned char>(c)]) continue;
        if (c == '?') return i;
        const bool inside = (c == '/' || c == '.') && origin_form[i - 1] != '/';
        if (!inside) return std::string_view::npos;
    }
    return origin_form.size();
}

NormalTarget split(std::string_view origin_form, std::size_t mark) {
    NormalTarget result{.ok = true, .path = origin_form.substr(0, mark)};
    if (mark < origin_form.size()) {
        result.has_query = true;
        result.query = origin_form.substr(mark + 1);
    }
    return result;
}

}  // namespace

NormalTarget normalise(std::string_view origin_form, Compatibility compatibility,
                       std::string& scratch) {
    const std::size_t plain = end_of_plain_path(origin_form);
    if (plain != std::string_view::npos) return split(origin_form, plain);
    NormalTarget result = split(origin_form, std::min(origin_form.find('?'), origin_form.size()));
    if (origin_form == "*") return result;
    if (!result.path.starts_with('/')) return refused("not_origin_form");

    const bool standard = compatibility == Compatibility::standard;
    bool changes = false;
    std::string_view rest = result.path.substr(1);
    for (bool last = false; !last;) {
        const std::size_t slash = std::min(rest.find('/'), rest.size());
        last = slash == rest.size();
        const SegmentCheck check = check_segment(rest.substr(0, slash), standard, scratch);
        if (!check.fault.empty()) return refused(check.fault);
        changes = changes || check.has_unreserved_escape || (slash == 0 && !last);
        if (!last) rest.remove_prefix(slash + 1);
    }
    if (standard && changes) {
        rewrite(result.path, scratch);
        result.path = scratch;
    }
    return result;
}

}  // namespace sluice::http
