// SPDX-License-Identifier: Apache-2.0
#include "gateway/cache_key.hpp"

#include <algorithm>
#include <optional>
#include <tuple>
#include <utility>

#include "base/put.hpp"

namespace sluice::gateway {

namespace {

int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    const char lower = static_cast<char>(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/// Takes one decoded byte off the front of `raw`. A "%" without two hex digits is itself.
char take_decoded(std::string_view& raw) {
    const char c = raw.front();
    if (c == '%' && raw.size() >= 3) {
        const int high = hex_digit(raw[1]);
        const int low = hex_digit(raw[2]);
        if (high >= 0 && low >= 0) {
            raw.remove_prefix(3);
            return static_cast<char>(high * 16 + low);
        }
    }
    raw.remove_prefix(1);
    return c == '+' ? ' ' : c;
}

/// A count and what it counts: "3:" of text, "2*" of a list.
void append_count(std::string& out, std::size_t count, char what) {
    char text[kMaxDigits + 1];
    char* const end = put_number(text, count);
    *end = what;
    out.append(text, static_cast<std::size_t>(end + 1 - text));
}

/// "3:abc": no content can imitate what follows it.
void append_text(std::string& out, std::string_view text) {
    append_count(out, text.size(), ':');
    out += text;
}

void append_absent(std::string& out) { out += "-1:"; }

/// The same for text that has to be decoded first. The length goes in front, so it is counted
/// in a first pass rather than kept in a buffer.
void append_decoded(std::string& out, std::string_view raw) {
    if (raw.find_first_of("%+") == std::string_view::npos) return append_text(out, raw);
    std::size_t length = 0;
    for (auto rest = raw; !rest.empty(); ++length) {
        take_decoded(rest);
    }
    append_count(out, length, ':');
    while (!raw.empty()) {
        out += take_decoded(raw);
    }
}

struct Pair {
    std::string_view key{};
    std::string_view value{};
};

/// Takes "key=value" up to the next "&" off the front; ";" is an ordinary byte (aws-semantics
/// 1.5).
Pair take_pair(std::string_view& query) {
    const auto pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(pair.size() + 1, query.size()));
    const auto equals = pair.find('=');
    if (equals == std::string_view::npos) return {pair, {}};
    return {pair.substr(0, equals), pair.substr(equals + 1)};
}

/// Calls `use` for each value of a query parameter in order.
template <class Use>
void each_query_value(std::string_view query, std::string_view key, Use use) {
    while (!query.empty()) {
        const bool empty_pair = query.front() == '&';
        const Pair pair = take_pair(query);
        if (!empty_pair && query_text_equals(pair.key, key)) use(pair.value);
    }
}

template <class Use>
void each_field_value(const http::FieldList& fields, http::Field id, std::string_view name,
                      Use use) {
    for (const http::HeaderField& f : fields.all()) {
        if (f.id == id && (id != http::Field::unknown || http::iequals(f.name, name))) {
            use(f.value);
        }
    }
}

/// "method.request.querystring.type" taken apart.
struct Expression {
    std::string_view position{};  ///< "querystring"
    std::string_view name{};      ///< "type"
};

std::optional<Expression> read_expression(std::string_view text, std::string_view prefix) {
    if (!text.starts_with(prefix)) return std::nullopt;
    text.remove_prefix(prefix.size());
    const auto dot = text.find('.');
    if (dot == std::string_view::npos || dot + 1 == text.size()) return std::nullopt;
    return Expression{text.substr(0, dot), text.substr(dot + 1)};
}

Error failure(std::string_view code, const std::string& parameter) {
    return Error{.origin = Origin::internal, .code = code, .detail = parameter};
}

}  // namespace

std::string_view decode_query_text(std::string_view raw, std::string& scratch) {
    if (raw.find_first_of("%+") == std::string_view::npos) return raw;
    scratch.clear();
    while (!raw.empty()) {
        scratch += take_decoded(raw);
    }
    return scratch;
}

bool query_text_equals(std::string_view raw, std::string_view text) {
    for (const char c : text) {
        if (raw.empty() || take_decoded(raw) != c) return false;
    }
    return raw.empty();
}

/// In `standard` every value of a repeated query parameter or field counts: a backend may read
/// another one than the last, and what is outside the key may not change a stored answer
/// (contract 9).
Result<CacheKey::Part> CacheKey::part_for(
    const std::string& parameter, const std::map<std::string, std::string>& request_parameters,
    const std::map<std::string, std::string>& stage_variables, Compatibility personality) {
    std::string source = parameter;
    if (const auto target = read_expression(parameter, "integration.request.")) {
        const auto mapped = request_parameters.find(parameter);
        if (mapped != request_parameters.end()) {
            source = mapped->second;
        } else if (target->position == "path") {  // mapped implicitly (aws-semantics 7.2)
            source = "method.request.path." + std::string{target->name};
        } else {
            return failure("unmapped_parameter", parameter);
        }
    }

    Part part;
    append_text(part.label, parameter);
    if (source.size() >= 2 && source.front() == '\'' && source.back() == '\'') {
        part.from = From::literal;
        part.name = source.substr(1, source.size() - 2);
        return part;
    }
    constexpr std::string_view kStage = "stageVariables.";
    if (source.starts_with(kStage)) {
        const auto found = stage_variables.find(source.substr(kStage.size()));
        part.from = From::literal;
        if (found != stage_variables.end()) part.name = found->second;
        return part;
    }
    const auto expression = read_expression(source, "method.request.");
    if (!expression) {
        return failure(source == parameter ? "bad_parameter" : "unsupported_mapping", source);
    }
    part.name = expression->name;
    auto position = expression->position;
    constexpr std::string_view kMulti = "multivalue";
    part.all_values = position.starts_with(kMulti) || personality == Compatibility::standard;
    if (position.starts_with(kMulti)) position.remove_prefix(kMulti.size());
    if (position == "path" && position == expression->position) {
        part.from = From::path;
    } else if (position == "querystring") {
        part.from = From::query;
    } else if (position == "header") {
        part.from = From::header;
        part.field = http::field_id(part.name);
    } else {
        return failure(source == parameter ? "bad_parameter" : "unsupported_mapping", source);
    }
    return part;
}

Result<CacheKey> CacheKey::compile(const Identity& identity,
                                   std::span<const std::string> parameters,
                                   const std::map<std::string, std::string>& request_parameters,
                                   const std::map<std::string, std::string>& stage_variables,
                                   Compatibility personality) {
    CacheKey key;
    for (const auto part :
         {identity.api_id, identity.stage, identity.partition, identity.cache_namespace}) {
        append_text(key.prefix_, part);
    }
    std::vector<std::string> sorted(parameters.begin(), parameters.end());
    std::sort(sorted.begin(), sorted.end());
    sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
    for (const std::string& parameter : sorted) {
        auto part = part_for(parameter, request_parameters, stage_variables, personality);
        if (!part) return part.error();
        key.parts_.push_back(std::move(*part));
    }
    return key;
}

void CacheKey::append_query(std::string& out, const Part& part, std::string_view query) {
    std::size_t count = 0;
    std::string_view last;
    each_query_value(query, part.name, [&](std::string_view value) {
        last = value;
        ++count;
    });
    if (count == 0) return append_absent(out);
    if (!part.all_values || count == 1) return append_decoded(out, last);
    append_count(out, count, '*');  // "2*1:a1:b"
    each_query_value(query, part.name, [&](std::string_view value) { append_decoded(out, value); });
}

void CacheKey::append_header(std::string& out, const Part& part, const http::FieldList& fields) {
    std::size_t count = 0;
    std::string_view last;
    each_field_value(fields, part.field, part.name, [&](std::string_view value) {
        last = value;
        ++count;
    });
    if (count == 0) return append_absent(out);
    if (!part.all_values || count == 1) return append_text(out, last);
    append_count(out, count, '*');
    each_field_value(fields, part.field, part.name,
                     [&](std::string_view value) { append_text(out, value); });
}

void CacheKey::build(std::string& out, std::string_view method, const Inputs& inputs) const {
    out.assign(prefix_);
    append_text(out, method);
    for (const Part& part : parts_) {
        out += part.label;
        switch (part.from) {
            case From::path: {
                const PathParam* const param = inputs.params.find(part.name);
                param == nullptr ? append_absent(out) : append_text(out, param->value);
                break;
            }
            case From::query:
                append_query(out, part, inputs.query);
                break;
            case From::header:
                append_header(out, part, inputs.fields);
                break;
            case From::literal:
                append_text(out, part.name);
                break;
        }
    }
}

bool CacheKey::covers_header(std::string_view name) const {
    return std::any_of(parts_.begin(), parts_.end(), [&](const Part& part) {
        return part.from == From::header && http::iequals(part.name, name);
    });
}

bool CacheKey::covers_path(std::string_view name) const {
    return std::any_of(parts_.begin(), parts_.end(), [&](const Part& part) {
        return part.from == From::path && part.name == name;
    });
}

}  // namespace sluice::gateway
