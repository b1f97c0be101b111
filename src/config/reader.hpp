// SPDX-License-Identifier: Apache-2.0
//
// A cursor at one value of a YAML tree. It knows its path and position, converts, collects
// problems and rejects keys nobody asked for. The same calls, made on a Reader over a Shape,
// describe the value instead: that is where the schema and the reference come from.
#pragma once

#include <algorithm>
#include <chrono>
#include <concepts>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/node.hpp"
#include "config/shape.hpp"
#include "sluice/config/load.hpp"

namespace sluice::config {

class Reader;

/// Allowed integers, durations included.
struct Range {
    std::int64_t least = 0;
    std::int64_t most = 0;
    bool minus_one = false;  ///< -1 means "no limit"
};

/// Allowed numbers; always finite.
struct Number {
    double least = 0;
    double most = 0;
    bool minus_one = false;
};

/// Allowed text. `says` completes "must be ..."; `pattern` tells editors the same.
struct Text {
    std::size_t least = 0;
    std::size_t most = 1024;
    bool (*allows)(char) = nullptr;
    const char* pattern = "";
    const char* says = "";
    std::optional<std::string> (*fault)(const std::string&) = nullptr;  ///< a complete sentence
};

/// Bytes: an integer, or text such as "64MiB".
struct Size {
    std::int64_t least = 0;
    std::int64_t most = 0;
};

/// Text that is never shown; "file:PATH" reads it from that file.
struct Secret {};

/// A file that must be readable when the gateway starts.
struct Existing {};

/// The list may also stand as {items: [...]} or {item: [...]}, as the AWS CLI prints it.
struct AwsList {};

template <class E>
using Name = std::pair<std::string_view, E>;

template <class E, std::size_t N>
std::string_view name_of(const Name<E> (&names)[N], E value) {
    for (const auto& [name, known] : names) {
        if (known == value) return name;
    }
    return {};
}

template <class T>
concept Readable = requires(Reader& r, T& value) {
    read(r, value);
};

/// A list of API keys to import (apiKeyFiles).
struct KeyFile {
    std::filesystem::path path{};
    Location where{};
};

/// What the readers of one load share.
struct Reading {
    Problems problems{};
    std::string file{};                         ///< being read, as messages name it
    std::filesystem::path base{};               ///< its folder
    std::map<std::string, Location> singles{};  ///< top-level keys that may stand only once
    std::vector<KeyFile> key_files{};
    bool header_bytes_set = false;
    bool underscores_set = false;
};

class Reader {
public:
    Reader(Reading& reading, const Node& node, std::string path, const Node* key = nullptr)
        : reading_(&reading), node_(&node), key_(key), path_(std::move(path)) {}
    explicit Reader(Shape& shape) : shape_(&shape) {}

    /// Names and explains the object that read() is about to read; its first line.
    void object(std::string_view name, std::string_view doc);

    /// A key of this object. True when it was there (null is absent) and could be read.
    template <class T, class... Rule>
    bool required(std::string_view key, T& out, std::string_view doc, const Rule&... rule) {
        return field(key, true, out, doc, rule...);
    }
    template <class T, class... Rule>
    bool optional(std::string_view key, T& out, std::string_view doc, const Rule&... rule) {
        return field(key, false, out, doc, rule...);
    }

    /// A reserved key: refused as not supported yet, unless its value asks for nothing (null,
    /// false, "", empty, or one of `harmless`).
    void later(std::string_view key, std::string_view doc,
               std::initializer_list<std::string_view> harmless = {});
    /// A key that AWS prints and that needs no answer here.
    void ignored(std::string_view key);

    /// A map with free keys: `each(entry, name)` for every one, entry standing at its value.
    template <class F>
    void entries(std::string_view key, std::string_view key_name, std::string_view doc, F each) {
        if (shape_) {
            Shape shape;
            shape.kind = Shape::Kind::map;
            shape.doc = doc;
            shape.key_name = key_name;
            shape.item.resize(1);
            Reader entry(shape.item[0]);
            each(entry, std::string{});
            shape_->fields.emplace_back(key, std::move(shape));
            return;
        }
        known_.emplace_back(key);
        Reader child = at(key);
        if (!child.present() || !child.must_be(Node::Kind::map)) return;
        for (std::size_t i = 0; i < child.node_->keys.size(); ++i) {
            Reader entry = child.entry(i);
            each(entry, child.node_->keys[i].text);
        }
    }

    /// Reads this very value.
    template <class T, class... Rule>
    bool value(T& out, const Rule&... rule) {
        if (!shape_) return present() && parse(out, rule...);
        describe(out, rule...);
        return false;
    }

    /// Ends the message about an unknown key of this object.
    void explain_unknown(std::string hint) { unknown_hint_ = " " + std::move(hint); }

    bool describing() const { return shape_ != nullptr; }
    bool present() const { return node_ != nullptr && !node_->is_null(); }
    bool has(std::string_view key) const;
    Location where() const;
    Location where(std::string_view key) const;
    const std::string& path() const { return path_; }
    Reading& reading() { return *reading_; }

    /// Adds a problem at this value, at its key, or at the value of a key below.
    void problem(std::string message);
    void key_problem(std::string message);
    void problem(std::string_view key, std::string message);
    void warning(std::string_view key, std::string message);

    /// Makes a path absolute, from the folder of the file being read.
    std::filesystem::path resolved(const std::string& path) const;

private:
    template <class T, class... Rule>
    bool field(std::string_view key, bool must, T& out, std::string_view doc, const Rule&... rule);

    Reader at(std::string_view key);
    Reader entry(std::size_t index) const;
    Reader element(std::size_t index) const;
    bool must_be(Node::Kind kind);
    void finish();
    void unwrap_aws_list();
    void add(Severity severity, Location where, std::string message);

    /// The scalar after substitution; nothing (and a problem) when it is none.
    struct Scalar {
        std::string text;
        bool plain;
    };
    std::optional<Scalar> scalar(std::string_view expected);
    std::string shown() const;

    bool parse(bool& out);
    bool parse(double& out, const Number& rule);
    bool parse(std::string& out, const Text& rule = {});
    bool parse(std::string& out, Secret);
    bool parse(std::filesystem::path& out);
    bool parse(std::filesystem::path& out, Existing);
    bool parse(KeyFile& out);
    bool parse_integer(std::int64_t& out, const Range& rule);
    bool parse_size(std::int64_t& out, const Size& rule);
    bool parse_choice(std::size_t& index, std::span<const std::string> names);

    template <std::integral T>
    requires(!std::same_as<T, bool>) bool parse(T& out, const Range& rule) {
        std::int64_t value = 0;
        if (!parse_integer(value, rule)) return false;
        out = static_cast<T>(value);
        return true;
    }
    template <std::integral T>
    bool parse(T& out, const Size& rule) {
        std::int64_t value = 0;
        if (!parse_size(value, rule)) return false;
        out = static_cast<T>(value);
        return true;
    }
    template <class Rep, class Period>
    bool parse(std::chrono::duration<Rep, Period>& out, const Range& rule) {
        std::int64_t value = 0;
        if (!parse_integer(value, rule)) return false;
        out = std::chrono::duration<Rep, Period>(value);
        return true;
    }
    template <class E, std::size_t N>
    bool parse(E& out, const Name<E> (&names)[N]) {
        std::vector<std::string> texts;
        for (const auto& name : names)
            texts.emplace_back(name.first);
        std::size_t index = 0;
        if (!parse_choice(index, texts)) return false;
        out = names[index].second;
        return true;
    }
    template <class T, class... Rule>
    bool parse(std::optional<T>& out, const Rule&... rule) {
        T value{};
        if (!parse(value, rule...)) return false;
        out = std::move(value);
        return true;
    }
    template <class T, class... Rule>
    bool parse(std::vector<T>& out, const Rule&... rule) {
        if (!must_be(Node::Kind::list)) return false;
        for (std::size_t i = 0; i < node_->items.size(); ++i) {
            T item{};
            if (element(i).parse(item, rule...)) out.push_back(std::move(item));
        }
        return true;
    }
    template <class T>
    bool parse(std::vector<T>& out, AwsList) {
        unwrap_aws_list();
        return parse(out);
    }
    template <Readable T>
    bool parse(T& out) {
        if (!must_be(Node::Kind::map)) return false;
        if constexpr (requires { out.where; }) out.where = where();
        read(*this, out);
        finish();
        return true;
    }

    void describe(const bool& out);
    void describe(const double& out, const Number& rule);
    void describe(const std::string& out, const Text& rule = {});
    void describe(const std::string& out, Secret);
    void describe(const std::filesystem::path& out);
    void describe(const std::filesystem::path& out, Existing) { describe(out); }
    void describe(const KeyFile& out) { describe(out.path); }
    void describe_integer(std::int64_t initial, const Range& rule);
    void describe_size(std::int64_t initial, const Size& rule);

    template <std::integral T>
    requires(!std::same_as<T, bool>) void describe(const T& out, const Range& rule) {
        describe_integer(static_cast<std::int64_t>(out), rule);
    }
    template <std::integral T>
    void describe(const T& out, const Size& rule) {
        describe_size(static_cast<std::int64_t>(out), rule);
    }
    template <class Rep, class Period>
    void describe(const std::chrono::duration<Rep, Period>& out, const Range& rule) {
        describe_integer(out.count(), rule);
    }
    template <class E, std::size_t N>
    void describe(const E& out, const Name<E> (&names)[N]) {
        shape_->kind = Shape::Kind::choice;
        for (const auto& name : names)
            shape_->choices.emplace_back(name.first);
        shape_->initial = std::string(name_of(names, out));
    }
    template <class T, class... Rule>
    void describe(const std::optional<T>&, const Rule&... rule) {
        T value{};
        describe(value, rule...);
        shape_->initial = nullptr;
    }
    template <class T, class... Rule>
    void describe(const std::vector<T>&, const Rule&... rule) {
        shape_->kind = Shape::Kind::list;
        shape_->item.resize(1);
        T item{};
        Reader child(shape_->item[0]);
        child.describe(item, rule...);
        shape_->item[0].initial = nullptr;
    }
    template <class T>
    void describe(const std::vector<T>& out, AwsList) {
        describe(out);
        shape_->aws_list = true;
    }
    template <Readable T>
    void describe(const T&) {
        shape_->kind = Shape::Kind::object;
        T value{};
        read(*this, value);
    }

    Reading* reading_ = nullptr;
    const Node* node_ = nullptr;  ///< null: the key is absent
    const Node* key_ = nullptr;
    std::string path_{};
    std::vector<std::string> known_{};     ///< keys asked for: what a typo may have meant
    std::vector<std::string> accepted_{};  ///< keys that exist but are no suggestion
    std::string unknown_hint_{};
    Shape* shape_ = nullptr;
};

template <class T, class... Rule>
bool Reader::field(std::string_view key, bool must, T& out, std::string_view doc,
                   const Rule&... rule) {
    if (shape_) {
        Shape shape;
        shape.doc = doc;
        shape.required = must;
        Reader child(shape);
        child.describe(out, rule...);
        if (must) shape.initial = nullptr;
        shape_->fields.emplace_back(key, std::move(shape));
        return false;
    }
    known_.emplace_back(key);
    Reader child = at(key);
    if (child.present()) return child.parse(out, rule...);
    if (must) add(Severity::error, where(), child.path_ + ": is required");
    return false;
}

}  // namespace sluice::config
