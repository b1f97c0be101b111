// SPDX-License-Identifier: Apache-2.0
#include "gateway/domains.hpp"

#include <algorithm>

namespace sluice::gateway {

namespace {

constexpr std::string_view kApiPathPrefix = "_apis";

bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }

/// What of an authority is the host, and whether its case matters to a comparison.
struct Host {
    std::string_view text{};
    bool has_upper = false;
};

Host host_of(std::string_view authority) {
    Host host{authority};
    for (std::size_t i = 0; i < authority.size(); ++i) {
        const char c = authority[i];
        if (c < ':' || c > ']') continue;  // most bytes: neither ":", "]" nor a capital
        if (c == ':') host.text = authority.substr(0, i);
        if (c == ']') host.text = authority;  // "[::1]" has colons that start no port
        host.has_upper |= is_upper(c);
    }
    if (host.text.ends_with('.')) host.text.remove_suffix(1);
    return host;
}

/// The rest of a path as the resource tree gets it: one slash in front (aws-semantics 1.5:
/// "/stage//x" is "/x"). `rest` lies behind a slash of the same path, or is empty.
std::string_view as_path(std::string_view rest) {
    rest = without_leading_slashes(rest);
    if (rest.empty()) return "/";
    return {rest.data() - 1, rest.size() + 1};
}

}  // namespace

std::string_view normalise_host(std::string_view authority, std::string& scratch) {
    const Host host = host_of(authority);
    if (!host.has_upper) return host.text;
    scratch.assign(host.text);
    for (char& c : scratch) {
        if (is_upper(c)) c = static_cast<char>(c | 0x20);
    }
    return scratch;
}

DomainTable::DomainTable() = default;

std::uint32_t DomainTable::add_node() {
    nodes_.emplace_back();
    return static_cast<std::uint32_t>(nodes_.size() - 1);
}

void DomainTable::add_stage(std::string_view api_id, std::string_view stage_name,
                            std::uint32_t stage) {
    const auto known = apis_.find(api_id);
    const auto api = known == apis_.end() ? add_node() : known->second;
    if (known == apis_.end()) apis_.emplace(api_id, api);
    const auto next = static_cast<std::uint32_t>(nodes_.size());
    const auto child = segments_.insert(api, stage_name, next);
    if (child != next) return;  // a name longer than any that may exist, or known already
    nodes_[add_node()].stage = stage;
}

void DomainTable::add_domain(std::string_view domain) {
    has_domains_ = true;
    if (domain == "*") {
        if (any_host_ == kNone) any_host_ = add_node();
        return;
    }
    const bool wildcard = domain.starts_with("*.");
    if (wildcard) domain.remove_prefix(2);
    auto& table = wildcard ? wildcard_ : exact_;
    if (!table.contains(domain)) table.emplace(domain, add_node());
}

bool DomainTable::add_mapping(std::string_view domain, std::string_view base_path,
                              std::uint32_t stage) {
    add_domain(domain);
    auto node = domain == "*"              ? any_host_
                : domain.starts_with("*.") ? wildcard_.find(domain.substr(2))->second
                                           : exact_.find(domain)->second;
    for (auto rest = base_path; !rest.empty();) {
        const auto next = static_cast<std::uint32_t>(nodes_.size());
        const auto child = segments_.insert(node, take_segment(rest), next);
        if (!child) return false;
        if (*child == next) add_node();
        nodes_[node].has_children = true;
        node = *child;
    }
    if (nodes_[node].stage != kNone) return false;
    nodes_[node].stage = stage;
    nodes_[node].base_path = base_path;
    return true;
}

/// An exact entry beats a wildcard, which covers one label, which beats "*".
std::uint32_t DomainTable::domain_of(std::string_view host) const {
    if (!has_domains_) return kNone;
    if (!exact_.empty()) {
        if (const auto exact = exact_.find(host); exact != exact_.end()) return exact->second;
    }
    const auto dot = wildcard_.empty() ? std::string_view::npos : host.find('.');
    if (dot != std::string_view::npos && dot > 0) {
        const auto wildcard = wildcard_.find(host.substr(dot + 1));
        if (wildcard != wildcard_.end()) return wildcard->second;
    }
    return any_host_;
}

std::optional<DomainTable::Found> DomainTable::find(std::string_view host, std::string_view path,
                                                    Compatibility personality) const {
    if (!path.starts_with('/')) return std::nullopt;  // "*" of OPTIONS
    auto rest = without_leading_slashes(path);
    if (rest.starts_with(kApiPathPrefix) && take_segment(rest) == kApiPathPrefix) {
        rest = without_leading_slashes(rest);
        const auto api = apis_.find(take_segment(rest));
        if (api == apis_.end()) return std::nullopt;
        return find_stage(api->second, rest, Door::api_path, personality);
    }
    const auto domain = domain_of(host);
    if (domain != kNone) return find_mapping(domain, path, personality);
    const auto named = apis_.find(host.substr(0, host.find('.')));
    if (named != apis_.end()) {
        return find_stage(named->second, path, Door::api_host, personality);
    }
    if (has_domains_ || apis_.size() != 1) return std::nullopt;
    return find_stage(apis_.begin()->second, path, Door::only_api, personality);
}

/// The longest base path that is a whole-segment prefix; resources play no part in the choice
/// (aws-semantics 1.2).
std::optional<DomainTable::Found> DomainTable::find_mapping(std::uint32_t domain,
                                                            std::string_view path,
                                                            Compatibility personality) const {
    auto rest = without_leading_slashes(path);
    std::optional<Found> longest;
    SegmentTable::Reading reading;
    if (nodes_[domain].has_children) reading = SegmentTable::reading_of(path, personality);
    for (auto node = std::optional{domain}; node;) {
        const Node& place = nodes_[*node];
        if (place.stage != kNone) {
            longest = {place.stage, Door::custom_domain, place.base_path, as_path(rest)};
        }
        if (rest.empty() || !place.has_children) break;
        node = segments_.find(*node, take_segment(rest), reading);
    }
    return longest;
}

std::optional<DomainTable::Found> DomainTable::find_stage(std::uint32_t api, std::string_view path,
                                                          Door door,
                                                          Compatibility personality) const {
    const auto reading = SegmentTable::reading_of(path, personality);
    auto rest = without_leading_slashes(path);
    if (rest.empty()) return std::nullopt;
    const auto stage = segments_.find(api, take_segment(rest), reading);
    if (!stage) return std::nullopt;
    return Found{nodes_[*stage].stage, door, {}, as_path(rest)};
}

}  // namespace sluice::gateway
