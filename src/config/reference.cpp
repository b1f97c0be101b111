// SPDX-License-Identifier: Apache-2.0
#include <set>

#include "config/describe.hpp"
#include "sluice/config/load.hpp"

namespace sluice::config {
namespace {

std::string number(double value) {
    const auto whole = static_cast<std::int64_t>(value);
    return static_cast<double>(whole) == value ? std::to_string(whole)
                                               : nlohmann::json(value).dump();
}

std::string range(const Shape& shape, const char* unit) {
    if (!shape.most) return "";
    return ", " + number(shape.least.value_or(0)) + " to " + number(*shape.most) + unit +
           (shape.minus_one ? ", or -1" : "");
}

std::string anchor(const std::string& name) {
    std::string out = name;
    for (char& c : out)
        c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    return out;
}

std::string type(const Shape& shape) {
    switch (shape.kind) {
        case Shape::Kind::text:
            return "text";
        case Shape::Kind::integer:
            return "integer" + range(shape, "");
        case Shape::Kind::number:
            return "number" + range(shape, "");
        case Shape::Kind::boolean:
            return "true or false";
        case Shape::Kind::size:
            return "bytes, or a size such as `64MiB`" + range(shape, "");
        case Shape::Kind::list:
            return "list of " + type(shape.item[0]);
        case Shape::Kind::map:
            return "map `" + shape.key_name + "` to " + type(shape.item[0]);
        case Shape::Kind::object:
            return "[" + shape.name + "](#" + anchor(shape.name) + ")";
        case Shape::Kind::choice:
            break;
        case Shape::Kind::later:
        case Shape::Kind::ignored:
        case Shape::Kind::any:
            return "";
    }
    std::string words;
    for (const std::string& choice : shape.choices) {
        words += (words.empty() ? "`" : ", `") + choice + "`";
    }
    return words;
}

std::string initial(const Shape& shape) {
    if (shape.required) return "**required**";
    if (shape.initial.is_null()) return "";
    const auto& value = shape.initial;
    return "`" + (value.is_string() ? value.get<std::string>() : value.dump()) + "`";
}

/// A "|" would end the cell.
std::string cell(const std::string& text) {
    std::string out;
    for (const char c : text)
        out += c == '|' ? std::string("\\|") : std::string(1, c);
    return out;
}

class ReferenceWriter {
public:
    std::string write(const Shape& root) {
        out_ =
            "# Configuration reference\n\n"
            "<!-- Generated from the source of the configuration reader; do not edit. -->\n\n";
        section(root, "Top level");
        return std::move(out_);
    }

private:
    void section(const Shape& shape, const std::string& title) {
        if (!written_.insert(shape.name).second) return;
        out_ += "## " + title + "\n\n" + shape.object_doc + "\n\n";
        out_ += "| Key | Type | Default | Meaning |\n|---|---|---|---|\n";
        std::string later;
        std::string ignored;
        for (const auto& [key, field] : shape.fields) {
            if (field.kind == Shape::Kind::later) {
                later += (later.empty() ? "`" : ", `") + key + "`";
                for (const auto& choice : field.choices)
                    later += " (but `" + choice + "`)";
            } else if (field.kind == Shape::Kind::ignored) {
                ignored += (ignored.empty() ? "`" : ", `") + key + "`";
            } else {
                out_ += "| `" + key + "` | " + cell(type(field)) + " | " + initial(field) + " | " +
                        cell(field.doc) + " |\n";
            }
        }
        out_ += "\n";
        if (!later.empty())
            out_ += "Not supported yet, and refused unless empty or off: " + later + ".\n\n";
        if (!ignored.empty()) out_ += "Printed by AWS, read and ignored: " + ignored + ".\n\n";
        for (const auto& [key, field] : shape.fields)
            below(field);
    }

    void below(const Shape& shape) {
        if (shape.kind == Shape::Kind::object) section(shape, shape.name);
        for (const Shape& item : shape.item)
            below(item);
    }

    std::string out_{};
    std::set<std::string> written_{};
};

}  // namespace

std::string reference_markdown() { return ReferenceWriter().write(describe_config()); }

}  // namespace sluice::config
