// SPDX-License-Identifier: Apache-2.0
#include "telemetry/access_log_template.hpp"

#include <algorithm>
#include <utility>

#include "telemetry/line_buffer.hpp"

namespace sluice::telemetry {
namespace {

constexpr std::size_t kMaxFormatBytes = 8192;  // aws-semantics 15.2

// The four named formats, aws-semantics 15.2.
constexpr std::pair<std::string_view, std::string_view> kNamed[] = {
    {"CLF",
     R"($context.identity.sourceIp $context.identity.caller $context.identity.user)"
     R"( [$context.requestTime] "$context.httpMethod $context.resourcePath $context.protocol")"
     R"( $context.status $context.responseLength $context.requestId $context.extendedRequestId)"},
    {"JSON",
     R"({"requestId":"$context.requestId","extendedRequestId":"$context.extendedRequestId",)"
     R"("ip":"$context.identity.sourceIp","caller":"$context.identity.caller",)"
     R"("user":"$context.identity.user","requestTime":"$context.requestTime",)"
     R"("httpMethod":"$context.httpMethod","resourcePath":"$context.resourcePath",)"
     R"("status":"$context.status","protocol":"$context.protocol",)"
     R"("responseLength":"$context.responseLength"})"},
    {"XML", R"(<request id="$context.requestId">)"
            R"(<extendedRequestId>$context.extendedRequestId</extendedRequestId>)"
            R"(<ip>$context.identity.sourceIp</ip><caller>$context.identity.caller</caller>)"
            R"(<user>$context.identity.user</user><requestTime>$context.requestTime</requestTime>)"
            R"(<httpMethod>$context.httpMethod</httpMethod>)"
            R"(<resourcePath>$context.resourcePath</resourcePath><status>$context.status</status>)"
            R"(<protocol>$context.protocol</protocol>)"
            R"(<responseLength>$context.responseLength</responseLength></request>)"},
    {"CSV",
     R"($context.identity.sourceIp,$context.identity.caller,$context.identity.user,)"
     R"($context.requestTime,$context.httpMethod,$context.resourcePath,$context.protocol,)"
     R"($context.status,$context.responseLength,$context.requestId,$context.extendedRequestId)"},
};

/// A format taken apart: literals[i], names[i], literals[i + 1], ...
struct Parts {
    std::vector<std::string_view> literals, names;
};

bool is_name_byte(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/// Words joined by single dots: "a.b" of "a.b. c".
std::string_view leading_name(std::string_view text) {
    std::size_t size = 0;
    while (size < text.size()) {
        const bool joins =
            text[size] == '.' && size > 0 && size + 1 < text.size() && is_name_byte(text[size + 1]);
        if (!is_name_byte(text[size]) && !joins) break;
        ++size;
    }
    return text.substr(0, size);
}

/// A name as an error quotes it.
std::string shown(std::string_view name) {
    constexpr std::size_t kLongest = 64;
    return std::string(name.substr(0, kLongest)) + (name.size() > kLongest ? "..." : "");
}

std::string_view without_line_end(std::string_view text) {
    while (text.ends_with('\n') || text.ends_with('\r'))
        text.remove_suffix(1);
    // Formats are often copied from shell commands, where the end is spelt out.
    if (text.ends_with("\\n")) text.remove_suffix(2);
    return text;
}

bool has_control_character(std::string_view text) {
    return std::any_of(text.begin(), text.end(), [](char c) {
        return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7F;
    });
}

std::optional<Parts> split(std::string_view text, std::string& error) {
    constexpr std::string_view kPrefix = "$context.";
    Parts parts;
    std::size_t literal_from = 0;
    for (std::size_t at = text.find('$'); at != text.npos; at = text.find('$', at)) {
        const std::string_view rest = text.substr(at);
        const std::string_view word = leading_name(rest.substr(1));
        if (word.empty() || (word[0] >= '0' && word[0] <= '9')) {
            ++at;
            continue;
        }
        if (!rest.starts_with(kPrefix) || word.size() < kPrefix.size()) {
            error = "only $context variables can be used, not $" + shown(word);
            return std::nullopt;
        }
        parts.literals.push_back(text.substr(literal_from, at - literal_from));
        parts.names.push_back(word.substr(kPrefix.size() - 1));
        literal_from = at += 1 + word.size();
    }
    parts.literals.push_back(text.substr(literal_from));
    return parts;
}

bool check(std::string_view text, std::string& error) {
    if (text.size() > kMaxFormatBytes) {
        error = "must not be longer than 8192 bytes";
    } else if (has_control_character(text)) {
        error = "must be a single line without control characters";
    }
    return error.empty();
}

bool check(const Parts& parts, std::string& error) {
    for (const std::string_view name : parts.names) {
        if (find_variable(name)) continue;
        error = "unknown variable $context." + shown(name) + "; did you mean $context." +
                nearest_variable(name) + "?";
        return false;
    }
    const auto has = [&](std::string_view name) {
        return std::find(parts.names.begin(), parts.names.end(), name) != parts.names.end();
    };
    if (has("requestId") || has("extendedRequestId")) return true;
    error =
        "must be CLF, JSON, XML or CSV, or contain $context.requestId or "
        "$context.extendedRequestId";
    return false;
}

/// Nothing between the variables but a comma, perhaps inside quotes.
bool is_csv(const Parts& parts) {
    const auto matches = [](std::string_view literal, auto... choices) {
        return ((literal == choices) || ...);
    };
    if (parts.names.size() < 2) return false;
    if (!matches(parts.literals.front(), "", "\"") || !matches(parts.literals.back(), "", "\"")) {
        return false;
    }
    return std::all_of(parts.literals.begin() + 1, parts.literals.end() - 1,
                       [&](auto literal) { return matches(literal, ",", "\",", ",\"", "\",\""); });
}

/// Follows the literals and says in which place the next variable stands.
class PlaceFinder {
public:
    PlaceFinder(std::string_view text, const Parts& parts)
        : json_(text.starts_with('{')), xml_(text.starts_with('<')), csv_(is_csv(parts)) {}

    Place after(std::string_view literal) {
        for (const char c : literal) {
            if (escape_) {
                escape_ = false;
            } else if (json_ && quoted_ && c == '\\') {
                escape_ = true;
            } else if (c == '"') {
                quoted_ = !quoted_;
            }
        }
        if (json_) return quoted_ ? Place::json_string : Place::json_bare;
        if (xml_) return Place::xml;
        if (csv_) return quoted_ ? Place::csv_quoted : Place::csv_bare;
        return quoted_ ? Place::plain_quoted : Place::plain;
    }
    bool quoted() const { return quoted_; }

private:
    bool json_, xml_, csv_;
    bool quoted_ = false, escape_ = false;
};

/// What ends a field of plain text and so must not come from its value: what follows it in the
/// format, and the blank where no quotes protect it. "-./:" occur inside ids, addresses and paths
/// and separate nothing.
std::string delimiters(std::string_view next_literal, bool quoted) {
    constexpr std::string_view kInsideValues = "-./:";
    std::string found;
    if (!next_literal.empty() && !is_name_byte(next_literal[0]) &&
        kInsideValues.find(next_literal[0]) == kInsideValues.npos) {
        found += next_literal[0];
    }
    if (!quoted) found += ' ';
    return found;
}

const CleanBytes* clean_for(Place place, std::string_view next_literal, bool quoted,
                            Template& compiled) {
    switch (place) {
        case Place::json_bare:
        case Place::json_string:
            return &kCleanJson;
        case Place::xml:
            return &kCleanXml;
        case Place::csv_bare:
        case Place::csv_quoted:
            return &kCleanCsv;
        case Place::plain:
        case Place::plain_quoted:
            break;
    }
    compiled.clean_sets.push_back(
        std::make_unique<const CleanBytes>(clean_plain(delimiters(next_literal, quoted))));
    return compiled.clean_sets.back().get();
}

/// A variable that can have no value here is text known now; part of the literal around it.
std::string_view constant_for(Place place) { return place == Place::json_bare ? "null" : "-"; }

Template build(const Parts& parts, PlaceFinder places) {
    Template compiled;
    std::uint32_t literal_from = 0;
    const auto here = [&] { return static_cast<std::uint32_t>(compiled.literals.size()); };
    for (std::size_t i = 0; i < parts.names.size(); ++i) {
        compiled.literals += parts.literals[i];
        const Place place = places.after(parts.literals[i]);
        const Variable variable = *find_variable(parts.names[i]);
        if (variable == Variable::absent) {
            compiled.literals += constant_for(place);
            continue;
        }
        const CleanBytes* clean =
            clean_for(place, parts.literals[i + 1], places.quoted(), compiled);
        compiled.steps.push_back(
            {literal_from, here() - literal_from, variable, place, clean, text_member(variable)});
        literal_from = here();
    }
    compiled.literals += parts.literals.back();
    compiled.literals += '\n';
    compiled.tail_at = literal_from;
    compiled.tail_size = here() - literal_from;
    compiled.literals.append(LineBuffer::kPadding, '\0');
    return compiled;
}

std::string_view named_or_own(std::string_view text) {
    for (const auto& [name, format] : kNamed) {
        if (name == text) return format;
    }
    return text;
}

}  // namespace

std::optional<Template> compile_template(std::string_view text, std::string& error) {
    error.clear();
    const std::string_view format = named_or_own(without_line_end(text));
    if (!check(format, error)) return std::nullopt;
    const auto parts = split(format, error);
    if (!parts || !check(*parts, error)) return std::nullopt;
    return build(*parts, PlaceFinder(format, *parts));
}

}  // namespace sluice::telemetry
