// SPDX-License-Identifier: Apache-2.0
#include "gateway/router.hpp"

#include <algorithm>
#include <utility>

namespace sluice::gateway {

namespace {

constexpr std::array<std::string_view, 8> kMethodNames = {"ANY",    "GET",   "POST",    "PUT",
                                                          "DELETE", "PATCH", "OPTIONS", "HEAD"};
constexpr std::size_t kAny = 0;

/// One "/"-separated part of a resource path.
struct Part {
    enum class Kind { literal, variable, greedy, malformed };
    Kind kind = Kind::literal;
    std::string_view text{};  ///< the literal, or the parameter's name
};

Part read_part(std::string_view text) {
    const bool braces = text.starts_with('{') && text.ends_with('}');
    if (!braces) {
        // A parameter is a whole segment or none (aws-semantics 1.3).
        const bool plain = !text.empty() && text.find_first_of("{}?#") == std::string_view::npos;
        return {plain ? Part::Kind::literal : Part::Kind::malformed, text};
    }
    text = text.substr(1, text.size() - 2);
    const bool greedy = text.ends_with('+');
    if (greedy) text.remove_suffix(1);
    if (text.empty() || text.find_first_of("{}+") != std::string_view::npos) {
        return {Part::Kind::malformed, text};
    }
    return {greedy ? Part::Kind::greedy : Part::Kind::variable, text};
}

}  // namespace

const PathParam* PathParams::find(std::string_view name) const {
    for (const PathParam& p : all()) {
        if (p.name == name) return &p;
    }
    return nullptr;
}

ResourceTree::ResourceTree() : nodes_(1) {}

std::optional<std::size_t> ResourceTree::slot_of(std::string_view method) {
    const auto* const found = std::find(kMethodNames.begin(), kMethodNames.end(), method);
    if (found == kMethodNames.end()) return std::nullopt;
    return static_cast<std::size_t>(found - kMethodNames.begin());
}

/// kMethods for what no resource can serve, ANY included (aws-semantics 1.4).
std::size_t ResourceTree::slot_of(http::Verb verb) {
    switch (verb) {
        case http::Verb::get:
            return 1;
        case http::Verb::post:
            return 2;
        case http::Verb::put:
            return 3;
        case http::Verb::delete_:
            return 4;
        case http::Verb::patch:
            return 5;
        case http::Verb::options:
            return 6;
        case http::Verb::head:
            return 7;
        default:
            return kMethods;
    }
}

/// Checks a declared path against the tree without changing it: `add` is all or nothing.
bool ResourceTree::accepts(std::string_view path) const {
    std::size_t params = 0;
    std::optional<std::uint32_t> node = 0;  // empty: below what exists
    for (auto rest = path; !rest.empty();) {
        const bool last = rest.find('/') == std::string_view::npos;
        const Part part = read_part(take_segment(rest));
        if (part.kind == Part::Kind::malformed || (!last && rest.empty())) return false;
        if (part.kind == Part::Kind::literal) {
            if (part.text.size() > SegmentTable::kMaxLiteral) return false;
            if (node) node = literals_.find(*node, part.text, {.decode = true});
            continue;
        }
        if (part.kind == Part::Kind::greedy && !last) return false;
        if (++params > PathParams::kMax) return false;
        if (!node) continue;
        const Node& parent = nodes_[*node];
        const auto child = part.kind == Part::Kind::greedy ? parent.greedy : parent.variable;
        if (child != kNone && names_[nodes_[child].name] != part.text) return false;
        node = child == kNone ? std::nullopt : std::optional{child};
    }
    return true;
}

bool ResourceTree::add(std::string_view path, std::string_view method, std::uint32_t index) {
    const auto slot = slot_of(method);
    if (!slot || !path.starts_with('/')) return false;
    path.remove_prefix(1);
    if (!accepts(path)) return false;
    std::uint32_t node = 0;
    for (auto rest = path; !rest.empty();) {
        node = child_for(node, take_segment(rest));
    }
    return add_method(nodes_[node], *slot, index);
}

bool ResourceTree::add_method(Node& node, std::size_t slot, std::uint32_t index) {
    if (node.methods == kNone) {
        node.methods = index;
        node.only = static_cast<std::uint8_t>(slot);
        return true;
    }
    if (node.only == slot) return false;
    if (node.only != kSeveral) {
        Methods& several = methods_.emplace_back();
        several.fill(kNone);
        several[std::exchange(node.only, kSeveral)] = node.methods;
        node.methods = static_cast<std::uint32_t>(methods_.size() - 1);
    }
    auto& entry = methods_[node.methods][slot];
    if (entry != kNone) return false;
    entry = index;
    return true;
}

std::uint32_t ResourceTree::child_for(std::uint32_t parent, std::string_view text) {
    const Part part = read_part(text);
    if (part.kind != Part::Kind::literal) {
        return variable_child(parent, part.text, part.kind == Part::Kind::greedy);
    }
    const auto next = static_cast<std::uint32_t>(nodes_.size());
    const auto child = literals_.insert(parent, part.text, next).value_or(kNone);
    nodes_[parent].has_literals = true;
    if (child == next) nodes_.emplace_back();
    return child;
}

std::uint32_t ResourceTree::variable_child(std::uint32_t parent, std::string_view name,
                                           bool greedy) {
    const auto known = greedy ? nodes_[parent].greedy : nodes_[parent].variable;
    if (known != kNone) return known;
    const auto child = static_cast<std::uint32_t>(nodes_.size());
    (greedy ? nodes_[parent].greedy : nodes_[parent].variable) = child;
    nodes_.emplace_back().name = intern(name);
    return child;
}

std::uint32_t ResourceTree::intern(std::string_view name) {
    const auto known = std::find(names_.begin(), names_.end(), name);
    const auto index = static_cast<std::uint32_t>(known - names_.begin());
    if (known == names_.end()) names_.emplace_back(name);
    return index;
}

/// What stays the same during one walk through the tree, and its result.
struct ResourceTree::Walk {
    SegmentTable::Reading reading;
    std::size_t slot;
    const char* end;  ///< of what a greedy parameter takes
    Match& match;
};

/// Explicit method before ANY on the same resource.
bool ResourceTree::serve(Walk& walk, const Node& node) const {
    if (node.methods == kNone) return false;
    if (node.only != kSeveral) {
        walk.match.index = node.methods;
        return node.only == walk.slot || node.only == kAny;
    }
    const Methods& methods = methods_[node.methods];
    walk.match.index = methods[walk.slot] != kNone ? methods[walk.slot] : methods[kAny];
    return walk.match.index != kNone;
}

/// Depth first: literal, {param}, {param+}. A node is reached by one sequence of choices only,
/// its own path from the root, and so is visited at most once per request however the path
/// looks: the walk costs at most the number of declared resources, typically their depth. The
/// recursion is as deep as the deepest declared path, not as the request's.
bool ResourceTree::descend(Walk& walk, std::uint32_t at, std::string_view rest) const {
    const Node& node = nodes_[at];
    if (rest.empty()) return serve(walk, node);  // nothing ends in a slash here

    auto behind = rest;
    const auto segment = take_segment(behind);
    if (node.has_literals) {
        const auto child = literals_.find(at, segment, walk.reading);
        if (child && descend(walk, *child, behind)) return true;
    }
    PathParams& params = walk.match.params;
    if (node.variable != kNone && !segment.empty()) {
        const auto count = params.size();
        params.push({names_[nodes_[node.variable].name], segment});
        if (descend(walk, node.variable, behind)) return true;
        params.truncate(count);
    }
    if (node.greedy == kNone || !serve(walk, nodes_[node.greedy])) return false;
    const auto size = static_cast<std::size_t>(walk.end - rest.data());
    params.push({names_[nodes_[node.greedy].name], {rest.data(), size}});
    return true;
}

bool ResourceTree::find(std::string_view path, http::Verb verb, Compatibility personality,
                        Match& match) const {
    const auto slot = slot_of(verb);
    if (slot == kMethods) return false;
    const auto reading = SegmentTable::reading_of(path, personality);
    // A segment of nothing but ";parameters" is an empty one to backends that strip them, and
    // could carry a request past the resource it is meant for.
    if (reading.cut_parameters && path.find("/;") != std::string_view::npos) return false;
    path = without_leading_slashes(path);
    const char* const end = path.data() + path.size();
    path = without_trailing_slashes(path);
    // A slash at the end means something to backends: what takes the rest of the path takes it
    // too. AWS drops it (aws-semantics 1.5).
    const bool keeps_slash = personality == Compatibility::standard;
    Walk walk{reading, slot, keeps_slash ? end : path.data() + path.size(), match};
    return descend(walk, 0, path);
}

/// The result is made in its place first: an empty optional zeroes all that it could hold.
std::optional<ResourceTree::Match> ResourceTree::match(std::string_view path, http::Verb verb,
                                                       Compatibility personality) const {
    std::optional<Match> result{std::in_place};
    if (!find(path, verb, personality, *result)) result.reset();
    return result;
}

}  // namespace sluice::gateway
