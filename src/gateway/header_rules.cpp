// SPDX-License-Identifier: Apache-2.0
#include "gateway/header_rules.hpp"

#include <algorithm>

namespace sluice::gateway {

using http::Field;
using http::HeaderField;
using http::iequals;

namespace {

constexpr std::string_view kForwardedPrefix = "x-forwarded";  // X-Forwarded-*, X-Forwarded

/// Spoken by proxies to name the client or the original target (robustness 1.10 and kin).
/// Forwarded and X-Forwarded-* are recognised before.
constexpr std::string_view kForwardingNames[] = {"x-real-ip",
                                                 "x-client-ip",
                                                 "true-client-ip",
                                                 "cf-connecting-ip",
                                                 "cf-connecting-ipv6",
                                                 "front-end-https",
                                                 "x-original-url",
                                                 "x-rewrite-url",
                                                 "x-cluster-client-ip",
                                                 "fastly-client-ip",
                                                 "x-original-forwarded-for",
                                                 "x-original-host",
                                                 "x-original-uri",
                                                 "x-proxyuser-ip",
                                                 "x-remote-ip",
                                                 "x-remote-addr",
                                                 "x-originating-ip",
                                                 "x-host",
                                                 "x-envoy-external-address",
                                                 "x-azure-clientip",
                                                 "wl-proxy-client-ip",
                                                 "client-ip"};

/// Written by the gateway itself on every request it forwards (contract 5).
constexpr std::string_view kOwnRequestNames[] = {"x-amzn-requestid", "x-amzn-trace-id",
                                                 "x-amzn-apigateway-api-id", "x-amz-apigw-id"};

/// With "_" for "-" these may never pass: backends fold the two together (robustness 1.3).
constexpr std::string_view kProtectedNames[] = {"host",
                                                "content-length",
                                                "transfer-encoding",
                                                "connection",
                                                "te",
                                                "trailer",
                                                "upgrade",
                                                "expect",
                                                "keep-alive",
                                                "proxy-connection",
                                                "forwarded",
                                                "authorization",
                                                "proxy-authorization",
                                                "x-api-key",
                                                "content-type",
                                                "set-cookie",
                                                "cookie"};

/// What the id of a field says about it.
enum class Rule : std::uint8_t {
    pass,
    drop,
    drop_in_aws,
    remap_in_aws,
    remap_or_drop,  ///< the former in `aws`, the latter in `standard`
    forwarded,      ///< passes from trusted peers
    authorization,  ///< in `aws`, what signed the request to the gateway stays behind
    by_name,        ///< no id: the name decides
};

constexpr Rule request_rule(Field id) {
    switch (id) {
        case Field::unknown:
            return Rule::by_name;
        // Framing and this hop's business: written afresh or not at all.
        case Field::host:
        case Field::content_length:
        case Field::transfer_encoding:
        case Field::connection:
        case Field::keep_alive:
        case Field::proxy_connection:
        case Field::proxy_authenticate:
        case Field::proxy_authorization:
        case Field::te:
        case Field::trailer:
        case Field::upgrade:
        case Field::http2_settings:
        case Field::expect:
            return Rule::drop;
        case Field::forwarded:
            return Rule::forwarded;
        // aws-semantics 7.4, the HTTP_PROXY column.
        case Field::content_encoding:
        case Field::content_md5:
        case Field::max_forwards:
        case Field::server:
        case Field::www_authenticate:
        case Field::via:
            return Rule::drop_in_aws;
        case Field::authorization:
            return Rule::authorization;
        default:
            return Rule::pass;
    }
}

constexpr Rule response_rule(Field id) {
    switch (id) {
        case Field::unknown:
            return Rule::by_name;
        case Field::transfer_encoding:
        case Field::keep_alive:
        case Field::proxy_connection:
        case Field::proxy_authenticate:
        case Field::proxy_authentication_info:
        case Field::te:
        case Field::trailer:
        case Field::upgrade:
        case Field::http2_settings:
            return Rule::drop;
        case Field::connection:
        case Field::content_length:
            return Rule::remap_or_drop;
        // aws-semantics 7.5, the HTTP_PROXY column; in `standard` end-to-end fields pass.
        case Field::date:
        case Field::server:
        case Field::authorization:
        case Field::content_md5:
        case Field::max_forwards:
        case Field::user_agent:
        case Field::www_authenticate:
            return Rule::remap_in_aws;
        case Field::expect:
        case Field::host:
        case Field::via:
            return Rule::drop_in_aws;
        default:
            return Rule::pass;
    }
}

/// The rules as tables: most fields pass, and a look-up costs less than a jump.
using RuleTable = std::array<Rule, static_cast<std::size_t>(Field::xref) + 1>;

constexpr RuleTable table_of(Rule (*rule)(Field)) {
    RuleTable table{};
    for (std::size_t id = 0; id < table.size(); ++id) {
        table[id] = rule(static_cast<Field>(id));
    }
    return table;
}
constexpr RuleTable kRequestTable = table_of(request_rule);
constexpr RuleTable kResponseTable = table_of(response_rule);

Rule rule_for(const RuleTable& table, Field id) { return table[static_cast<std::size_t>(id)]; }

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; }

/// Case-insensitive against a lower-case literal, "_" counting as "-".
bool folds_to(std::string_view name, std::string_view literal) {
    return std::equal(name.begin(), name.end(), literal.begin(), literal.end(),
                      [](char a, char b) { return (a == '_' ? '-' : lower(a)) == b; });
}

template <std::size_t N>
bool is_one_of(std::string_view name, const std::string_view (&list)[N]) {
    return std::any_of(std::begin(list), std::end(list),
                       [&](std::string_view entry) { return folds_to(name, entry); });
}

bool starts_as_forwarded(std::string_view name) {
    return name.size() >= kForwardedPrefix.size() &&
           folds_to(name.substr(0, kForwardedPrefix.size()), kForwardedPrefix);
}

/// The last letters of a list's names, by length: one look rules out most other names.
class Endings {
public:
    template <std::size_t N>
    constexpr explicit Endings(const std::string_view (&names)[N]) {
        for (const std::string_view name : names) {
            letters_[name.size()] |= bit_of(name);
        }
    }
    bool may_hold(std::string_view name) const {
        return name.size() < letters_.size() && (letters_[name.size()] & bit_of(name)) != 0;
    }

private:
    static constexpr std::uint32_t bit_of(std::string_view name) {
        return name.empty() ? 0 : 1U << (static_cast<unsigned char>(name.back()) & 31U);
    }
    std::array<std::uint32_t, 32> letters_{};
};
constexpr Endings kForwardingEndings{kForwardingNames};
constexpr Endings kOwnRequestEndings{kOwnRequestNames};

bool is_own(std::string_view name) {
    return kOwnRequestEndings.may_hold(name) && is_one_of(name, kOwnRequestNames);
}

bool is_forwarding(std::string_view name) {
    return starts_as_forwarded(name) ||
           (kForwardingEndings.may_hold(name) && is_one_of(name, kForwardingNames));
}

/// Every name this file's lists know starts with one of these letters: spares most fields the
/// comparisons.
bool may_be_special(std::string_view name) {
    switch (lower(name.empty() ? 'x' : name.front())) {
        case 'x':
        case 'p':
        case 't':
        case 'c':
        case 'f':
        case 'w':
            return true;
        default:
            return false;
    }
}

/// Written or merged by whoever writes the head, trusted peer or not.
bool is_rewritten_forwarding(std::string_view name) {
    constexpr std::string_view kRewritten[] = {"x-forwarded-for", "x-forwarded-proto",
                                               "x-forwarded-port", "x-forwarded-host"};
    return is_one_of(name, kRewritten);
}

Fate underscore_fate(std::string_view name, const RequestRules& rules) {
    const bool protected_name = is_forwarding(name) || is_own(name) ||
                                is_one_of(name, kProtectedNames) || folds_to(name, "proxy");
    if (protected_name) return Fate::drop;
    const bool pass = rules.compatibility == Compatibility::aws || rules.pass_underscores;
    return pass ? Fate::pass : Fate::drop;
}

/// Fields that no table of Beast's knows.
Fate unknown_towards_backend(std::string_view name, const RequestRules& rules) {
    if (name.find('_') != std::string_view::npos) return underscore_fate(name, rules);
    if (!may_be_special(name)) return Fate::pass;
    if (folds_to(name, "proxy")) return Fate::drop;  // CGI's HTTP_PROXY (robustness 1.7)
    if (is_own(name)) return Fate::drop;
    if (!is_forwarding(name)) return Fate::pass;
    return rules.trusted_peer && !is_rewritten_forwarding(name) ? Fate::pass : Fate::drop;
}

/// One of each leaves, the gateway's (aws-semantics 7.5, 7.7).
Fate unknown_towards_client(std::string_view name, bool aws) {
    if (iequals(name, "x-amzn-requestid")) return aws ? Fate::remap : Fate::drop;
    return iequals(name, "x-amz-apigw-id") ? Fate::drop : Fate::pass;
}

/// Options and fields that need no nomination to stay behind.
bool is_known_option(std::string_view token) {
    return iequals(token, "close") || iequals(token, "keep-alive");
}

bool may_not_be_nominated(std::string_view token) {
    return iequals(token, "host") || iequals(token, "content-length") ||
           iequals(token, "transfer-encoding") || iequals(token, "x-api-key");
}

std::string_view trimmed(std::string_view s) {
    const auto first = s.find_first_not_of(" \t");
    if (first == std::string_view::npos) return {};
    return s.substr(first, s.find_last_not_of(" \t") - first + 1);
}

void collect(std::string_view list, ConnectionTokens& out) {
    while (!list.empty()) {
        const auto comma = list.find(',');
        const auto token = trimmed(list.substr(0, comma));
        list.remove_prefix(comma == std::string_view::npos ? list.size() : comma + 1);
        if (token.empty() || is_known_option(token)) continue;
        if (iequals(token, "upgrade")) out.upgrade = true;
        // The others still count: a response goes on without them.
        if (may_not_be_nominated(token) || !out.names.push(token)) out.malformed = true;
    }
}

}  // namespace

bool ConnectionTokens::holds(std::string_view name) const {
    const auto all = names.all();
    return std::any_of(all.begin(), all.end(), [&](auto n) { return iequals(n, name); });
}

ConnectionTokens connection_tokens(const http::FieldList& fields) {
    ConnectionTokens tokens;
    for (const HeaderField& f : fields.all()) {
        if (f.id == Field::connection) collect(f.value, tokens);
    }
    return tokens;
}

Fate towards_backend(const HeaderField& field, const RequestRules& rules,
                     const ConnectionTokens& tokens) {
    if (tokens.nominates(field.name)) return Fate::drop;
    const bool aws = rules.compatibility == Compatibility::aws;
    switch (rule_for(kRequestTable, field.id)) {
        case Rule::pass:
            return Fate::pass;
        case Rule::drop:
            return Fate::drop;
        case Rule::drop_in_aws:
            return aws ? Fate::drop : Fate::pass;
        case Rule::forwarded:
            return rules.trusted_peer ? Fate::pass : Fate::drop;
        case Rule::authorization:
            return aws && field.value.starts_with("AWS4-HMAC-SHA256") ? Fate::drop : Fate::pass;
        default:
            return unknown_towards_backend(field.name, rules);
    }
}

Fate towards_client(const HeaderField& field, Compatibility personality,
                    const ConnectionTokens& tokens) {
    if (tokens.nominates(field.name)) return Fate::drop;
    const bool aws = personality == Compatibility::aws;
    switch (rule_for(kResponseTable, field.id)) {
        case Rule::pass:
            return Fate::pass;
        case Rule::drop:
            return Fate::drop;
        case Rule::drop_in_aws:
            return aws ? Fate::drop : Fate::pass;
        case Rule::remap_in_aws:
            return aws ? Fate::remap : Fate::pass;
        case Rule::remap_or_drop:
            return aws ? Fate::remap : Fate::drop;
        default:
            return unknown_towards_client(field.name, aws);
    }
}

}  // namespace sluice::gateway
