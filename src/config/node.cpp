// SPDX-License-Identifier: Apache-2.0
#include "config/node.hpp"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <map>
#include <optional>
#include <sstream>
#include <unordered_map>

#include "config/text.hpp"

namespace sluice::config {
namespace {

/// Ends the parse; the position travels with it.
struct Refusal {
    int line;
    int column;
    std::string message;
};

class TreeBuilder : public YAML::EventHandler {
public:
    TreeBuilder(const std::string& file, Problems& problems) : file_(file), problems_(problems) {}

    Node take() { return std::move(root_); }

    void OnDocumentStart(const YAML::Mark& mark) override {
        if (++documents_ > 1) refuse(mark, "only one YAML document per file is read");
    }
    void OnDocumentEnd() override {}
    void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        add(at(mark, Node::Kind::null), anchor);
    }
    void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        const auto found = anchors_.find(anchor);
        if (found == anchors_.end()) refuse(mark, "an alias may not stand inside its own anchor");
        spend_alias(mark, found->second.size);
        if (open_.size() + depth(found->second) > kMaxDepth) refuse_depth(mark);
        add(found->second, 0);
    }
    void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  const std::string& value) override {
        check_tag(mark, tag);
        Node node = at(mark, Node::Kind::scalar);
        node.plain = tag != "!";
        node.text = value;
        if (node.plain && (value.empty() || value == "~" || value == "null")) {
            node.kind = Node::Kind::null;
        }
        if (value.find('\0') != std::string::npos) refuse(mark, "text may not contain NUL");
        add(std::move(node), anchor);
    }
    void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                         YAML::EmitterStyle::value) override {
        check_tag(mark, tag);
        open(at(mark, Node::Kind::list), anchor);
    }
    void OnSequenceEnd() override { close(); }
    void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                    YAML::EmitterStyle::value) override {
        check_tag(mark, tag);
        open(at(mark, Node::Kind::map), anchor);
    }
    void OnMapEnd() override { close(); }

private:
    struct Open {
        Node node;
        YAML::anchor_t anchor;
        std::optional<Node> key{};                             // waits for its value
        std::unordered_map<std::string, int> lines_of_keys{};  // first line of each key
    };

    [[noreturn]] static void refuse(const YAML::Mark& mark, std::string message) {
        throw Refusal{mark.line + 1, mark.column + 1, std::move(message)};
    }
    [[noreturn]] static void refuse_depth(const YAML::Mark& mark) {
        refuse(mark, "nested deeper than " + std::to_string(kMaxDepth) + " levels");
    }
    static void check_tag(const YAML::Mark& mark, const std::string& tag) {
        if (!tag.empty() && tag != "?" && tag != "!") refuse(mark, "YAML tags are not supported");
    }
    static Node at(const YAML::Mark& mark, Node::Kind kind) {
        Node node;
        node.kind = kind;
        node.line = mark.line + 1;
        node.column = mark.column + 1;
        return node;
    }
    static std::size_t depth(const Node& node) {
        std::size_t deepest = 0;
        for (const Node& item : node.items)
            deepest = std::max(deepest, depth(item));
        return deepest + 1;
    }

    void spend_alias(const YAML::Mark& mark, std::size_t nodes) {
        alias_nodes_ += nodes;
        if (alias_nodes_ > kMaxAliasNodes) {
            refuse(mark, "anchors and aliases expand to more than " +
                             std::to_string(kMaxAliasNodes) + " values");
        }
    }

    void open(Node node, YAML::anchor_t anchor) {
        if (open_.size() >= kMaxDepth) {
            throw Refusal{node.line, node.column,
                          "nested deeper than " + std::to_string(kMaxDepth) + " levels"};
        }
        open_.push_back({std::move(node), anchor});
    }

    void close() {
        Open done = std::move(open_.back());
        open_.pop_back();
        add(std::move(done.node), done.anchor);
    }

    void add(Node node, YAML::anchor_t anchor) {
        if (++nodes_ > kMaxNodes) {
            throw Refusal{node.line, node.column,
                          "more than " + std::to_string(kMaxNodes) + " values"};
        }
        if (anchor != 0) {
            spend_alias({}, node.size);
            anchors_[anchor] = node;
        }
        if (open_.empty()) {
            root_ = std::move(node);
            return;
        }
        Open& parent = open_.back();
        if (parent.node.is_list()) return append(parent.node, std::move(node));
        if (!parent.key) {
            parent.key = std::move(node);
            return;
        }
        add_entry(parent, std::move(node));
    }

    static void append(Node& parent, Node node) {
        parent.size += node.size;
        parent.items.push_back(std::move(node));
    }

    void add_entry(Open& map, Node value) {
        Node key = std::move(*map.key);
        map.key.reset();
        if (!key.is_scalar()) {
            throw Refusal{key.line, key.column, "a key must be plain or quoted text"};
        }
        if (key.plain && key.text == "<<") {
            throw Refusal{key.line, key.column, "merge keys (\"<<\") are not supported"};
        }
        const auto [first, added] = map.lines_of_keys.emplace(key.text, key.line);
        if (!added) {
            problems_.push_back({Severity::error,
                                 {file_, key.line, key.column},
                                 "duplicate key " + in_quotes(key.text) + ", first at line " +
                                     std::to_string(first->second)});
            return;
        }
        map.node.keys.push_back(std::move(key));
        append(map.node, std::move(value));
    }

    const std::string& file_;
    Problems& problems_;
    Node root_{};
    std::vector<Open> open_{};
    std::map<YAML::anchor_t, Node> anchors_{};
    std::size_t nodes_ = 0;
    std::size_t alias_nodes_ = 0;
    int documents_ = 0;
};

/// yaml-cpp quotes names of anchors and tags, and a secret that starts with "*" reads as one.
std::string without_names(std::string message) {
    const auto colon = message.find(": ");
    return colon == std::string::npos ? message : message.substr(0, colon);
}

}  // namespace

Node parse_yaml(const std::string& text, const std::string& file, Problems& problems) {
    if (text.size() > kMaxFileBytes) {
        problems.push_back({Severity::error,
                            {file, 1, 1},
                            "larger than " + std::to_string(kMaxFileBytes) + " bytes"});
        return {};
    }
    if (const auto bad = find_bad_utf8(text)) {
        problems.push_back({Severity::error, {file, bad->line, bad->column}, bad->message});
        return {};
    }
    TreeBuilder tree(file, problems);
    try {
        std::istringstream in(text);
        YAML::Parser parser(in);
        while (parser.HandleNextDocument(tree)) {
        }
        return tree.take();
    } catch (const Refusal& refusal) {
        problems.push_back(
            {Severity::error, {file, refusal.line, refusal.column}, refusal.message});
    } catch (const YAML::Exception& error) {
        problems.push_back({Severity::error,
                            {file, error.mark.line + 1, error.mark.column + 1},
                            "not valid YAML: " + without_names(error.msg)});
    }
    return {};
}

}  // namespace sluice::config
