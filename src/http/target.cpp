// SPDX-License-Identifier: Apache-2.0
#include "sluice/http/target.hpp"

#include <algorithm>

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

}  // namespace

NormalTarget normalise(std::string_view origin_form, Compatibility compatibility,
                       std::string& scratch) {
    const std::size_t mark = std::min(origin_form.find('?'), origin_form.size());
    NormalTarget result{.ok = true, .path = origin_form.substr(0, mark)};
    if (mark < origin_form.size()) {
        result.has_query = true;
        result.query = origin_form.substr(mark + 1);
    }
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
