// SPDX-License-Identifier: Apache-2.0
#include "config/reader.hpp"

#include <algorithm>
#include <cstdlib>

#include "config/files.hpp"
#include "config/substitute.hpp"
#include "config/text.hpp"

namespace sluice::config {
namespace {

std::optional<std::string> environment(const std::string& name) {
    const char* value = std::getenv(name.c_str());
    if (value == nullptr) return {};
    return std::string(value);
}

/// `a.b`, or `a["x/y"]` when the key is not a plain word.
std::string joined(const std::string& path, std::string_view key) {
    const auto plain = [](char c) { return is_alnum(c) || c == '_' || c == '-'; };
    if (key.empty() || !std::all_of(key.begin(), key.end(), plain)) {
        return path + "[" + in_quotes(key) + "]";
    }
    std::string shown = key.size() > 64 ? std::string(key.substr(0, 64)) + "..." : std::string(key);
    return path.empty() ? shown : path + "." + shown;
}

std::string number_text(double value) {
    nlohmann::json json = value;
    if (value == static_cast<double>(static_cast<std::int64_t>(value))) {
        json = static_cast<std::int64_t>(value);
    }
    return json.dump();
}

std::string range_text(const std::string& least, const std::string& most, bool minus_one) {
    return least + " to " + most + (minus_one ? ", or -1 for no limit" : "");
}

}  // namespace

// ---------------------------------------------------------------- moving around

bool Reader::has(std::string_view key) const {
    if (node_ == nullptr || !node_->is_map()) return false;
    for (std::size_t i = 0; i < node_->keys.size(); ++i) {
        if (node_->keys[i].text == key) return !node_->items[i].is_null();
    }
    return false;
}

Reader Reader::at(std::string_view key) {
    static const Node kAbsent;
    for (std::size_t i = 0; node_->is_map() && i < node_->keys.size(); ++i) {
        if (node_->keys[i].text == key) return entry(i);
    }
    return {*reading_, kAbsent, joined(path_, key)};
}

Reader Reader::entry(std::size_t index) const {
    const Node& key = node_->keys[index];
    return {*reading_, node_->items[index], joined(path_, key.text), &key};
}

Reader Reader::element(std::size_t index) const {
    return {*reading_, node_->items[index], path_ + "[" + std::to_string(index) + "]"};
}

Location Reader::where() const {
    if (node_ == nullptr) return {};
    return {reading_->file, node_->line, node_->column};
}

Location Reader::where(std::string_view key) const {
    if (node_ == nullptr) return {};
    for (std::size_t i = 0; node_->is_map() && i < node_->keys.size(); ++i) {
        if (node_->keys[i].text != key) continue;
        return {reading_->file, node_->items[i].line, node_->items[i].column};
    }
    return where();
}

bool Reader::must_be(Node::Kind kind) {
    if (node_->kind == kind) return true;
    problem(std::string("must be a ") + (kind == Node::Kind::map ? "map" : "list") + ", not " +
            shown());
    return false;
}

void Reader::unwrap_aws_list() {
    if (!node_->is_map()) return;
    const Node* list = nullptr;
    for (std::size_t i = 0; i < node_->keys.size(); ++i) {
        const std::string& key = node_->keys[i].text;
        if (key == "items" || key == "item") {
            list = &node_->items[i];
        } else if (key != "position") {
            return;
        }
    }
    if (list != nullptr) node_ = list;
}

// ---------------------------------------------------------------- problems

void Reader::add(Severity severity, Location at, std::string message) {
    reading_->problems.push_back({severity, std::move(at), std::move(message)});
}

void Reader::problem(std::string message) {
    if (shape_) return;
    add(Severity::error, where(), (path_.empty() ? "" : path_ + ": ") + message);
}

void Reader::key_problem(std::string message) {
    if (shape_) return;
    const Location at = key_ ? Location{reading_->file, key_->line, key_->column} : where();
    add(Severity::error, at, path_ + ": " + message);
}

void Reader::problem(std::string_view key, std::string message) {
    if (shape_) return;
    add(Severity::error, where(key), joined(path_, key) + ": " + message);
}

void Reader::warning(std::string_view key, std::string message) {
    if (shape_) return;
    add(Severity::warning, where(key), joined(path_, key) + ": " + message);
}

void Reader::finish() {
    const auto among = [](const std::vector<std::string>& list, const std::string& key) {
        return std::find(list.begin(), list.end(), key) != list.end();
    };
    for (const Node& key : node_->keys) {
        if (among(known_, key.text) || among(accepted_, key.text)) continue;
        std::vector<std::string> candidates;
        for (const std::string& known : known_) {
            if (!has(known)) candidates.push_back(known);
        }
        add(Severity::error, {reading_->file, key.line, key.column},
            joined(path_, key.text) + ": unknown key" + did_you_mean(key.text, candidates) +
                unknown_hint_);
    }
}

std::string Reader::shown() const {
    if (node_->is_map()) return "a map";
    if (node_->is_list()) return "a list";
    return node_->is_null() ? "empty" : in_quotes(node_->text);
}

// ---------------------------------------------------------------- keys

void Reader::object(std::string_view name, std::string_view doc) {
    if (!shape_) return;
    shape_->name = name;
    shape_->object_doc = doc;
}

namespace {

/// Off, empty or not set, as AWS prints features nobody uses: nothing to do, nothing ignored.
bool asks_for_nothing(const Node& node, std::initializer_list<std::string_view> harmless) {
    if (node.is_null()) return true;
    if (node.is_scalar()) {
        if (node.text.empty() || (node.plain && node.text == "false")) return true;
        return std::find(harmless.begin(), harmless.end(), node.text) != harmless.end();
    }
    // {insecureSkipVerification: false}
    return std::all_of(node.items.begin(), node.items.end(), [&](const Node& item) {
        return node.is_map() &&
               (item.is_null() || (item.is_scalar() && item.plain && item.text == "false"));
    });
}

}  // namespace

void Reader::later(std::string_view key, std::string_view doc,
                   std::initializer_list<std::string_view> harmless) {
    if (shape_) {
        Shape shape;
        shape.kind = Shape::Kind::later;
        shape.doc = doc;
        for (const auto value : harmless)
            shape.choices.emplace_back(value);
        shape_->fields.emplace_back(key, std::move(shape));
        return;
    }
    accepted_.emplace_back(key);
    const Reader child = at(key);
    if (asks_for_nothing(*child.node_, harmless)) return;
    std::string other;
    for (const auto value : harmless)
        other = " other than " + std::string(value);
    add(Severity::error, child.where(), child.path_ + other + " is not supported yet");
}

void Reader::ignored(std::string_view key) {
    if (!shape_) {
        accepted_.emplace_back(key);
        return;
    }
    Shape shape;
    shape.kind = Shape::Kind::ignored;
    shape_->fields.emplace_back(key, std::move(shape));
}

std::filesystem::path Reader::resolved(const std::string& path) const {
    const std::filesystem::path base = reading_ ? reading_->base : std::filesystem::path(".");
    std::error_code ignored;
    const auto absolute = std::filesystem::absolute(base / path, ignored);
    return absolute.lexically_normal();
}

// ---------------------------------------------------------------- values

std::optional<Reader::Scalar> Reader::scalar(std::string_view expected) {
    if (!node_->is_scalar()) {
        problem("must be " + std::string(expected) + ", not " + shown());
        return {};
    }
    Substituted result = substitute(node_->text, environment);
    if (!result.fault.empty()) {
        problem(result.fault);
        return {};
    }
    if (result.changed && find_bad_utf8(result.text)) {
        problem("the substituted text holds control characters or is not UTF-8");
        return {};
    }
    return Scalar{std::move(result.text), node_->plain || result.changed};
}

bool Reader::parse(bool& out) {
    const auto text = scalar("true or false");
    if (!text) return false;
    if (text->plain && (text->text == "true" || text->text == "false")) {
        out = text->text == "true";
        return true;
    }
    problem("must be true or false, not " + shown() + (node_->plain ? "" : " in quotes"));
    return false;
}

bool Reader::parse_integer(std::int64_t& out, const Range& rule) {
    const auto text = scalar("a number");
    if (!text) return false;
    const auto value = sluice::config::parse_integer(text->text);
    const std::string range =
        range_text(std::to_string(rule.least), std::to_string(rule.most), rule.minus_one);
    if (!text->plain || !value) {
        problem("must be a whole number, " + range + ", not " + shown() +
                (text->plain ? number_hint(text->text) : " in quotes"));
        return false;
    }
    out = *value;
    if ((*value >= rule.least && *value <= rule.most) || (rule.minus_one && *value == -1)) {
        return true;
    }
    problem("must be " + range);
    return false;
}

bool Reader::parse(double& out, const Number& rule) {
    const auto text = scalar("a number");
    if (!text) return false;
    const auto value = parse_number(text->text);
    const std::string range =
        range_text(number_text(rule.least), number_text(rule.most), rule.minus_one);
    if (!text->plain || !value) {
        problem("must be a number, " + range + ", not " + shown() +
                (text->plain ? number_hint(text->text) : " in quotes"));
        return false;
    }
    out = *value;
    if (*value >= rule.least && *value <= rule.most) return true;
    if (rule.minus_one && *value == -1.0) return true;
    problem("must be " + range);
    return false;
}

bool Reader::parse_size(std::int64_t& out, const Size& rule) {
    const auto text = scalar("a size");
    if (!text) return false;
    const auto bytes = sluice::config::parse_size(text->text);
    if (!bytes) {
        problem("must be a number of bytes or a size such as 64MiB, not " + shown() +
                number_hint(text->text));
        return false;
    }
    out = static_cast<std::int64_t>(*bytes);
    if (out >= rule.least && out <= rule.most) return true;
    problem("must be " + range_text(std::to_string(rule.least), std::to_string(rule.most), false) +
            " bytes");
    return false;
}

bool Reader::parse(std::string& out, const Text& rule) {
    auto text = scalar("text");
    if (!text) return false;
    const std::string& value = text->text;
    if (value.size() < rule.least || value.size() > rule.most) {
        problem("must have " + std::to_string(rule.least) + " to " + std::to_string(rule.most) +
                " characters");
        return false;
    }
    if (rule.allows != nullptr && !std::all_of(value.begin(), value.end(), rule.allows)) {
        problem("must be " + std::string(rule.says) + ", not " + shown());
        return false;
    }
    if (rule.fault != nullptr) {
        if (const auto fault = rule.fault(value)) {
            problem(*fault);
            return false;
        }
    }
    out = std::move(text->text);
    return true;
}

bool Reader::parse(std::filesystem::path& out, Existing) {
    constexpr std::size_t kMaxBytes = 1'048'576;
    if (!parse(out)) return false;
    const auto content = read_file(out, kMaxBytes);
    if (!content.fault.empty()) problem(content.fault);
    return content.fault.empty();
}

bool Reader::parse(KeyFile& out) {
    out.where = where();
    return parse(out.path);
}

bool Reader::parse(std::string& out, Secret) {
    auto text = scalar("text");
    if (!text) return false;
    constexpr std::string_view kFile = "file:";
    FileText secret{std::move(text->text), ""};
    if (secret.text.starts_with(kFile)) {
        secret = read_secret(resolved(secret.text.substr(kFile.size())));
    }
    if (secret.text.empty() && secret.fault.empty()) secret.fault = "must not be empty";
    if (!secret.fault.empty()) {
        problem(secret.fault);
        return false;
    }
    out = std::move(secret.text);
    return true;
}

bool Reader::parse(std::filesystem::path& out) {
    std::string text;
    if (!parse(text, Text{1, 4096})) return false;
    out = resolved(text);
    return true;
}

bool Reader::parse_choice(std::size_t& index, std::span<const std::string> names) {
    const auto text = scalar("text");
    if (!text) return false;
    const auto found = std::find(names.begin(), names.end(), text->text);
    if (found != names.end()) {
        index = static_cast<std::size_t>(found - names.begin());
        return true;
    }
    std::string list;
    for (const std::string& name : names)
        list += (list.empty() ? "" : ", ") + name;
    const std::string near = nearest(text->text, names);
    const bool close = edit_distance(text->text, near) * 2 <= near.size();
    problem("must be one of " + list + ", not " + shown() +
            (close ? "; did you mean " + in_quotes(near) + "?" : ""));
    return false;
}

}  // namespace sluice::config
