// SPDX-License-Identifier: Apache-2.0
#include "config/locate.hpp"

namespace sluice::config {
namespace {

const Node* child(const Node& node, const std::string& word) {
    for (std::size_t i = 0; i < node.items.size(); ++i) {
        const Node& label = node.is_map() ? node.keys[i] : node.items[i];
        if (label.is_scalar() && label.text == word) return &node.items[i];
    }
    return nullptr;
}

}  // namespace

const Node& Locator::keep(const std::string& file, Node root) {
    const Node& kept = roots_.emplace_back(std::move(root));
    index(file, kept);
    return kept;
}

Location Locator::locate(const Location& from, std::span<const std::string> below) const {
    Location found = from;
    const auto map = maps_.find(name(from.file, from.line, from.column));
    const Node* node = map == maps_.end() ? nullptr : map->second;
    for (const std::string& word : below) {
        if (node != nullptr) node = child(*node, word);
        if (node == nullptr) break;
        found.line = node->line;
        found.column = node->column;
    }
    return found;
}

void Locator::index(const std::string& file, const Node& node) {
    if (node.is_map()) maps_.emplace(name(file, node.line, node.column), &node);
    for (const Node& item : node.items)
        index(file, item);
}

std::string Locator::name(const std::string& file, int line, int column) {
    return file + ":" + std::to_string(line) + ":" + std::to_string(column);
}

}  // namespace sluice::config
