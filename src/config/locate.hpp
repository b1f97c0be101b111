// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <span>
#include <string>
#include <unordered_map>

#include "config/node.hpp"

namespace sluice::config {

/// The trees of all files, to find the exact place of a key once the model is checked.
class Locator {
public:
    /// Keeps the tree; the reference stays valid.
    const Node& keep(const std::string& file, Node root);

    /// The value `below` the map that starts at `from`: each word is a key of a map or the text
    /// of an item of a list. As far as that leads.
    Location locate(const Location& from, std::span<const std::string> below) const;

private:
    void index(const std::string& file, const Node& node);
    static std::string name(const std::string& file, int line, int column);

    std::deque<Node> roots_{};
    std::unordered_map<std::string, const Node*> maps_{};
};

}  // namespace sluice::config
