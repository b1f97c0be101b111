// SPDX-License-Identifier: Apache-2.0
#include "admin/page.hpp"

#include <algorithm>

namespace sluice::admin {
namespace {

/// Nothing but the page's own files, no inline code, no frames, and nowhere to send anything but
/// back here.
constexpr std::string_view kPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

std::string_view content_type(std::string_view name) {
    if (name.ends_with(".html")) return "text/html; charset=utf-8";
    if (name.ends_with(".css")) return "text/css; charset=utf-8";
    if (name.ends_with(".js")) return "text/javascript; charset=utf-8";
    return "image/svg+xml";
}

}  // namespace

Reply page_reply(std::string_view name) {
    if (name.empty()) name = "index.html";
    const auto files = page_files();
    const auto found =
        std::find_if(files.begin(), files.end(), [&](const PageFile& f) { return f.name == name; });
    if (found == files.end()) return error_reply(404, "NotFoundException", "Not Found");
    Reply reply{.body = std::string{found->text}, .content_type = std::string{content_type(name)}};
    reply.fields.emplace_back("Content-Security-Policy", kPolicy);
    reply.fields.emplace_back("Referrer-Policy", "no-referrer");
    reply.fields.emplace_back("X-Frame-Options", "DENY");
    return reply;
}

}  // namespace sluice::admin
