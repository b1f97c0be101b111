// SPDX-License-Identifier: Apache-2.0
//
// From path and method to a method index: the resource tree of one API (aws-semantics 1.4).
// Pure; matching allocates nothing and is safe from every worker at once.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/segments.hpp"
#include "sluice/base/inline_list.hpp"
#include "sluice/http/head.hpp"

namespace sluice::gateway {

/// `name` belongs to the tree, `value` is the client's raw bytes (still percent-encoded).
struct PathParam {
    std::string_view name{};
    std::string_view value{};
};

/// The path parameters of one match, in order of their place in the path.
class PathParams : public InlineList<PathParam, 16> {
public:
    PathParams() noexcept {}  // NOLINT: a defaulted one would zero the slots in "PathParams{}"
    const PathParam* find(std::string_view name) const;
};

class ResourceTree {
public:
    struct Match {
        Match() noexcept {}  // NOLINT: a defaulted one would zero the slots of the parameters

        std::uint32_t index = 0;
        PathParams params{};
    };

    ResourceTree();

    /// Declares that `method` (GET, PUT, POST, DELETE, PATCH, OPTIONS, HEAD or ANY) of `path`
    /// ("/pets/{petId}", "/{proxy+}", "/") is `index`. False, and nothing declared, when the
    /// path or method is malformed, was declared before, has more than PathParams::kMax
    /// parameters, or names a parameter differently than an earlier path does in that place.
    bool add(std::string_view path, std::string_view method, std::uint32_t index);

    /// What serves `path` (normalised, behind base path and stage). Empty: answer
    /// Reply::missing_authentication_token. The match views `path` and the tree.
    std::optional<Match> match(std::string_view path, http::Verb, Compatibility) const;

private:
    static constexpr std::uint32_t kNone = 0xffffffff;
    static constexpr std::size_t kMethods = 8;  // ANY and the seven of aws-semantics 1.4

    static constexpr std::uint8_t kSeveral = 0xff;

    using Methods = std::array<std::uint32_t, kMethods>;
    /// Twenty bytes, so that thousands of resources stay in the processor's cache.
    struct Node {
        std::uint32_t variable = kNone;  ///< child behind {name}
        std::uint32_t greedy = kNone;    ///< child behind {name+}; a leaf
        std::uint32_t methods = kNone;   ///< index of the only method, or of several in methods_
        std::uint32_t name = kNone;      ///< in names_: of the parameter that leads here
        std::uint8_t only = kSeveral;    ///< slot of the only method
        bool has_literals = false;
    };
    static_assert(sizeof(Node) == 20);
    struct Walk;

    std::uint32_t child_for(std::uint32_t parent, std::string_view part);
    std::uint32_t variable_child(std::uint32_t parent, std::string_view name, bool greedy);
    bool accepts(std::string_view path) const;
    bool find(std::string_view path, http::Verb, Compatibility, Match&) const;
    bool descend(Walk&, std::uint32_t node, std::string_view rest) const;
    bool serve(Walk&, const Node&) const;
    bool add_method(Node&, std::size_t slot, std::uint32_t index);
    static std::optional<std::size_t> slot_of(std::string_view method);
    static std::size_t slot_of(http::Verb);

    std::uint32_t intern(std::string_view name);

    std::vector<Node> nodes_;
    std::vector<Methods> methods_;
    std::vector<std::string> names_;  // each once
    SegmentTable literals_;
};

}  // namespace sluice::gateway
