// SPDX-License-Identifier: Apache-2.0
//
// A YAML document as a plain tree with positions. Aliases are expanded, within limits.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sluice/config/load.hpp"

namespace sluice::config {

inline constexpr std::size_t kMaxFileBytes = 64 * 1024 * 1024;
inline constexpr std::size_t kMaxNodes = 4'000'000;     // several hundred thousand API keys
inline constexpr std::size_t kMaxAliasNodes = 100'000;  // what anchors and aliases may add
inline constexpr std::size_t kMaxDepth = 64;            // the model itself needs ten

struct Node {
    enum class Kind { null, scalar, list, map };

    Kind kind = Kind::null;
    int line = 0;
    int column = 0;
    std::string text{};         ///< of a scalar, as written (quotes and escapes resolved)
    bool plain = true;          ///< a scalar without quotes
    std::vector<Node> keys{};   ///< of a map, beside `items`
    std::vector<Node> items{};  ///< of a list or map
    std::size_t size = 1;       ///< nodes in this tree

    bool is_null() const { return kind == Kind::null; }
    bool is_scalar() const { return kind == Kind::scalar; }
    bool is_list() const { return kind == Kind::list; }
    bool is_map() const { return kind == Kind::map; }
};

/// One document. What is wrong with the YAML itself is added to `problems`; duplicate keys
/// keep their first value, everything else leaves an empty tree.
Node parse_yaml(const std::string& text, const std::string& file, Problems& problems);

}  // namespace sluice::config
