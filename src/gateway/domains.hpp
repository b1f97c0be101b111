// SPDX-License-Identifier: Apache-2.0
//
// From Host and path to a stage: custom domains, base paths and the default forms (contract 3,
// aws-semantics 1.1, 1.2). Pure; lookups allocate nothing.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "gateway/segments.hpp"

namespace sluice::gateway {

/// The host of an authority ("API.example.com.:8080" -> "api.example.com"): lower case, without
/// port and trailing dot; IPv6 literals keep their brackets. Views `authority` when nothing has
/// to change but its ends, else `scratch`.
std::string_view normalise_host(std::string_view authority, std::string& scratch);

class DomainTable {
public:
    /// Which way a request came in.
    enum class Door : std::uint8_t {
        custom_domain,  ///< an entry of domainNames and one of its base paths
        api_host,       ///< {api-id}.anything/{stage}/...
        only_api,       ///< any host, /{stage}/..., the one API there is and no domainNames
        api_path,       ///< /_apis/{api-id}/{stage}/...
    };
    struct Found {
        std::uint32_t stage = 0;  ///< index given to add_stage or add_mapping
        Door door = Door::custom_domain;
        std::string_view base_path{};  ///< as configured; empty = "(none)" or no custom domain
        std::string_view path{};       ///< what is left for the resource tree, starts with "/"
    };

    DomainTable();

    /// Every stage of every API, for the default forms.
    void add_stage(std::string_view api_id, std::string_view stage_name, std::uint32_t stage);
    /// "api.example.com", "*.example.com" or "*"; known even without a mapping.
    void add_domain(std::string_view domain);
    /// One base path of a domain ("orders/v1", "" = catch-all). False when it exists already.
    bool add_mapping(std::string_view domain, std::string_view base_path, std::uint32_t stage);

    /// `host` as normalise_host gives it, `path` as http::normalise gives it. Empty: answer
    /// Reply::forbidden (aws-semantics 1.6). The result views `path` and the table.
    std::optional<Found> find(std::string_view host, std::string_view path, Compatibility) const;

    /// Whether an entry of domainNames covers this host (/ping and /sping are reserved there).
    bool is_custom_domain(std::string_view host) const { return domain_of(host) != kNone; }

private:
    static constexpr std::uint32_t kNone = 0xffffffff;

    struct TextHash {
        using is_transparent = void;
        std::size_t operator()(std::string_view s) const {
            return std::hash<std::string_view>{}(s);
        }
    };
    template <class T>
    using TextMap = std::unordered_map<std::string, T, TextHash, std::equal_to<>>;

    /// A place in the tree of base paths (below a domain) or of stages (below an API).
    struct Node {
        std::uint32_t stage = kNone;
        bool has_children = false;  ///< below a domain only
        std::string base_path{};
    };

    std::uint32_t domain_of(std::string_view host) const;
    std::uint32_t add_node();
    std::optional<Found> find_mapping(std::uint32_t domain, std::string_view path,
                                      Compatibility) const;
    std::optional<Found> find_stage(std::uint32_t api, std::string_view path, Door,
                                    Compatibility) const;

    std::vector<Node> nodes_;
    SegmentTable segments_;
    TextMap<std::uint32_t> exact_;     // host -> node
    TextMap<std::uint32_t> wildcard_;  // "example.com" of "*.example.com" -> node
    std::uint32_t any_host_ = kNone;
    TextMap<std::uint32_t> apis_;  // id -> node
    bool has_domains_ = false;
};

}  // namespace sluice::gateway
