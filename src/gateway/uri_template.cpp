// SPDX-License-Identifier: Apache-2.0
#include "gateway/uri_template.hpp"

#include <array>
#include <charconv>
#include <utility>

#include "base/put.hpp"

namespace sluice::gateway {

namespace {

constexpr std::size_t kEscaped = 3;  // "%26"

bool is_hex(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/// Bytes that may stand in a path as they are: RFC 3986 3.3 with "%" and the brackets and bars
/// that clients send unescaped.
constexpr std::array<bool, 256> path_bytes() {
    std::array<bool, 256> allowed{};
    for (unsigned c = 0x21; c < 0x7f; ++c) {
        allowed[c] = c != '?' && c != '#' && c != '\\';
    }
    return allowed;
}
constexpr auto kPathBytes = path_bytes();

/// Bytes that stand in the value of a template's query as they are; "&", "=", "+", ";", "?" would
/// change which parameters the backend sees.
constexpr std::array<bool, 256> query_value_bytes() {
    auto allowed = kPathBytes;
    for (const char c : {'&', '=', '+', ';'}) {
        allowed[static_cast<unsigned char>(c)] = false;
    }
    return allowed;
}
constexpr auto kQueryValueBytes = query_value_bytes();

bool allowed_in_path(char c) { return kPathBytes[static_cast<unsigned char>(c)]; }

/// Takes "." or "%2e" off the front.
bool take_dot(std::string_view& s) {
    if (s.starts_with('.')) {
        s.remove_prefix(1);
        return true;
    }
    if (!s.starts_with("%2e") && !s.starts_with("%2E")) return false;
    s.remove_prefix(3);
    return true;
}

bool is_dot_segment(std::string_view segment) {
    segment = segment.substr(0, segment.find(';'));  // "..;x" is ".." to servers that cut there
    if (!take_dot(segment)) return false;
    if (segment.empty()) return true;
    return take_dot(segment) && segment.empty();
}

/// A value that leaves the structure of a path as it is. Values come from a normalised path, so
/// this holds; it is checked again because what is sent is what the backend trusts.
bool is_harmless(std::string_view value) {
    bool allowed = true;
    bool may_hold_dots = false;
    for (const char c : value) {
        allowed &= allowed_in_path(c);
        may_hold_dots |= c == '.' || c == '%';
    }
    if (!allowed || !may_hold_dots) return allowed;
    for (auto rest = value; !rest.empty();) {
        if (is_dot_segment(take_segment(rest))) return false;
    }
    return true;
}

char* put_escaped(char* out, std::string_view value) {
    constexpr std::string_view kDigits = "0123456789ABCDEF";
    for (const char c : value) {
        const auto byte = static_cast<unsigned char>(c);
        if (kQueryValueBytes[byte]) {
            *out++ = c;
            continue;
        }
        *out++ = '%';
        *out++ = kDigits[byte >> 4];
        *out++ = kDigits[byte & 15];
    }
    return out;
}

Error failure(std::string_view code, std::string detail) {
    return Error{.origin = Origin::internal, .code = code, .detail = std::move(detail)};
}

bool declares(std::string_view resource_path, std::string_view name) {
    for (auto rest = resource_path; !rest.empty();) {
        auto part = take_segment(rest);
        if (!part.starts_with('{') || !part.ends_with('}')) continue;
        part = part.substr(1, part.size() - 2);
        if (part.ends_with('+')) part.remove_suffix(1);
        if (part == name) return true;
    }
    return false;
}

}  // namespace

/// The stages of compile(): stage variables, then scheme and authority, then pieces.
struct UriTemplate::Compiler {
    const Scope& scope;
    UriTemplate result{};
    Error error{};

    bool fail(std::string_view code, std::string detail) {
        error = failure(code, std::move(detail));
        return false;
    }

    /// An undefined variable is empty (aws-semantics 7.2), which mostly makes the host bad.
    bool substitute(std::string_view uri, std::string& out) {
        constexpr std::string_view kOpen = "${stageVariables.";
        for (auto at = uri.find(kOpen); at != std::string_view::npos; at = uri.find(kOpen)) {
            const auto end = uri.find('}', at);
            if (end == std::string_view::npos) return fail("bad_uri", "unterminated ${");
            out.append(uri.substr(0, at));
            const std::string name{uri.substr(at + kOpen.size(), end - at - kOpen.size())};
            if (scope.stage_variables != nullptr) {
                const auto found = scope.stage_variables->find(name);
                if (found != scope.stage_variables->end()) out.append(found->second);
            }
            uri.remove_prefix(end + 1);
        }
        out.append(uri);
        return true;
    }

    bool read_scheme(std::string_view& uri) {
        result.https_ = uri.starts_with("https://");
        if (!result.https_ && !uri.starts_with("http://")) {
            return fail("bad_uri", "the uri has to start with http:// or https://");
        }
        uri.remove_prefix(result.https_ ? 8 : 7);
        return true;
    }

    bool read_port(std::string_view text) {
        const auto* const end = text.data() + text.size();
        const auto [stop, problem] = std::from_chars(text.data(), end, result.port_);
        if (problem != std::errc{} || stop != end || result.port_ == 0) {
            return fail("bad_host", "\"" + std::string{text} + "\" is not a port");
        }
        return true;
    }

    bool read_authority(std::string_view& uri) {
        const auto authority = uri.substr(0, uri.find_first_of("/?#"));
        uri.remove_prefix(authority.size());
        result.authority_ = authority;
        auto host = authority;
        const bool literal = authority.starts_with('[');
        const auto colon = literal ? authority.find(':', authority.find(']')) : authority.find(':');
        if (colon != std::string_view::npos) {
            if (!read_port(authority.substr(colon + 1))) return false;
            host = authority.substr(0, colon);
        }
        if (literal) {
            if (!host.ends_with(']')) return fail("bad_host", "unterminated [");
            host = host.substr(1, host.size() - 2);
        }
        if (host.empty()) return fail("bad_host", "the uri names no host");
        for (const char c : host) {
            const bool alphanumeric =
                (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
            const bool mark = c == '-' || c == '.' || c == '_' || (literal && c == ':');
            if (!alphanumeric && !mark) {
                return fail("bad_host", "\"" + std::string{host} + "\" is not a host");
            }
        }
        result.host_ = host;
        return true;
    }

    bool check_text(std::string_view text, bool query) {
        for (std::size_t i = 0; i < text.size(); ++i) {
            const char c = text[i];
            if (!allowed_in_path(c) && !(query && c == '?')) {
                return fail("bad_uri", "the uri holds a byte that has to be escaped");
            }
            if (c == '%' &&
                (i + 2 >= text.size() || !is_hex(text[i + 1]) || !is_hex(text[i + 2]))) {
                return fail("bad_uri", "\"%\" without two hex digits");
            }
        }
        return true;
    }

    /// Where a placeholder's value comes from: a mapping, else the path parameter of its name
    /// (aws-semantics 7.2). A literal becomes text.
    bool resolve(std::string_view name, Piece& piece) {
        constexpr std::string_view kPath = "method.request.path.";
        constexpr std::string_view kStage = "stageVariables.";
        std::string_view param = name;
        if (scope.request_parameters != nullptr) {
            const auto mapped =
                scope.request_parameters->find("integration.request.path." + std::string{name});
            if (mapped != scope.request_parameters->end()) {
                const std::string_view source = mapped->second;
                if (source.size() >= 2 && source.starts_with('\'') && source.ends_with('\'')) {
                    piece.text.append(source.substr(1, source.size() - 2));
                    return true;
                }
                if (source.starts_with(kStage)) return append_variable(source, kStage, piece);
                if (!source.starts_with(kPath)) {
                    return fail("unsupported_mapping", std::string{source});
                }
                param = source.substr(kPath.size());
            }
        }
        if (!declares(scope.resource_path, param)) {
            return fail("unknown_placeholder",
                        "{" + std::string{name} + "} is no path parameter of this resource");
        }
        piece.param = param;
        return true;
    }

    bool append_variable(std::string_view source, std::string_view prefix, Piece& piece) {
        if (scope.stage_variables == nullptr) return true;
        const auto found = scope.stage_variables->find(std::string{source.substr(prefix.size())});
        if (found != scope.stage_variables->end()) piece.text.append(found->second);
        return true;
    }

    bool read_pieces(std::string_view text, bool query, std::vector<Piece>& pieces) {
        Piece piece;
        while (true) {
            const auto brace = text.find_first_of("{}");
            piece.text.append(text.substr(0, brace));
            if (brace == std::string_view::npos) break;
            const auto end = text.find('}', brace);
            if (text[brace] == '}' || end == std::string_view::npos) {
                return fail("bad_uri", "unbalanced braces");
            }
            auto name = text.substr(brace + 1, end - brace - 1);
            if (name.ends_with('+')) name.remove_suffix(1);
            text.remove_prefix(end + 1);
            if (!resolve(name, piece)) return false;
            if (!piece.param.empty()) pieces.push_back(std::exchange(piece, {}));
        }
        pieces.push_back(std::move(piece));
        for (const Piece& p : pieces) {
            if (!check_text(p.text, query)) return false;
            result.fixed_ += p.text.size();
        }
        return true;
    }

    /// Values are never empty and never dot segments, so only text in front of a value could make
    /// one ("/.{x}" with ";y"): such a template is refused.
    bool check_segments() {
        std::string whole;
        for (const Piece& p : result.path_) {
            whole += p.text;
            if (!p.param.empty()) whole += '\n';  // any value, never empty
        }
        for (std::string_view rest = whole; !rest.empty();) {
            const auto segment = take_segment(rest);
            if (is_dot_segment(segment.substr(0, segment.find('\n')))) {
                return fail("bad_uri", "a segment of the path may become \".\" or \"..\"");
            }
        }
        return true;
    }

    bool run(std::string_view uri) {
        std::string substituted;
        if (!substitute(uri, substituted)) return false;
        std::string_view rest = substituted;
        if (!read_scheme(rest) || !read_authority(rest)) return false;
        const auto mark = rest.find('?');
        std::string path{rest.substr(0, mark)};
        if (path.empty()) path = "/";
        if (!read_pieces(path, false, result.path_) || !check_segments()) return false;
        if (mark == std::string_view::npos) return true;
        result.has_query_ = true;
        return read_pieces(rest.substr(mark + 1), true, result.query_);
    }
};

Result<UriTemplate> UriTemplate::compile(std::string_view uri, const Scope& scope) {
    Compiler compiler{.scope = scope};
    if (!compiler.run(uri)) return std::move(compiler.error);
    return std::move(compiler.result);
}

std::size_t UriTemplate::bound(const PathParams& params, std::string_view query) const {
    std::size_t values = 0;
    for (const PathParam& p : params.all()) {
        values += p.value.size();
    }
    return fixed_ + values * (path_.size() + kEscaped * query_.size()) + query.size() + 2;
}

char* UriTemplate::write(char* out, const PathParams& params, bool has_query,
                         std::string_view query) const {
    const char* const start = out;
    for (const Piece& piece : path_) {
        out = put(out, piece.text);
        if (piece.param.empty()) continue;
        const PathParam* const param = params.find(piece.param);
        if (param == nullptr || !is_harmless(param->value)) return nullptr;
        auto value = param->value;
        // "//host/x" would read as another authority to some backends.
        if (out - start == 1) value = without_leading_slashes(value);
        out = put(out, value);
    }
    if (has_query_) *out++ = '?';
    for (const Piece& piece : query_) {
        out = put(out, piece.text);
        if (piece.param.empty()) continue;
        const PathParam* const param = params.find(piece.param);
        if (param == nullptr || !is_harmless(param->value)) return nullptr;
        out = put_escaped(out, param->value);
    }
    if (has_query_ ? query.empty() : !has_query) return out;
    if (!has_query_) *out++ = '?';
    if (has_query_ && out[-1] != '?' && out[-1] != '&') *out++ = '&';
    return put(out, query);
}

bool UriTemplate::append(std::string& out, const PathParams& params, bool has_query,
                         std::string_view query) const {
    const auto before = out.size();
    out.resize(before + bound(params, query));
    const char* const end = write(out.data() + before, params, has_query, query);
    out.resize(end == nullptr ? before : static_cast<std::size_t>(end - out.data()));
    return end != nullptr;
}

}  // namespace sluice::gateway
