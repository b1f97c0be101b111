// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <set>

#include "config/describe.hpp"
#include "sluice/config/load.hpp"

namespace sluice::config {

namespace {

using Json = nlohmann::ordered_json;

Json number(double value) {
    const auto whole = static_cast<std::int64_t>(value);
    return static_cast<double>(whole) == value ? Json(whole) : Json(value);
}

class SchemaWriter {
public:
    Json write(const Shape& root) {
        Json out{{"$schema", "http://json-schema.org/draft-07/schema#"},
                 {"title", "Sluice configuration"}};
        out.update(object(root));
        definitions_["substitution"] = {
            {"description", "Text that ${NAME} or ${NAME:-default} puts a value into."},
            {"type", "string"},
            {"pattern", "\\$\\{[A-Za-z_][A-Za-z0-9_]*(:-[^}]*)?\\}"}};
        out["definitions"] = definitions_;
        return out;
    }

private:
    Json object(const Shape& shape) {
        Json out{{"description", shape.object_doc},
                 {"type", "object"},
                 {"additionalProperties", false},
                 {"properties", Json::object()}};
        Json required = Json::array();
        for (const auto& [key, field] : shape.fields) {
            out["properties"][key] = nullable(field);
            if (field.required) required.push_back(key);
        }
        if (!required.empty()) out["required"] = required;
        return out;
    }

    /// null means "not set" wherever a value may be absent.
    Json nullable(const Shape& shape) {
        Json out = value(shape);
        if (shape.required || shape.kind == Shape::Kind::ignored ||
            shape.kind == Shape::Kind::later) {
            return out;
        }
        Json either = Json::object();
        for (const char* key : {"description", "default"}) {
            if (!out.contains(key)) continue;
            either[key] = out[key];
            out.erase(key);
        }
        if (!shape.doc.empty()) either["description"] = shape.doc;
        Json choices = Json::array();
        if (out.size() == 1 && out.contains("anyOf")) {
            choices = out["anyOf"];
        } else {
            choices.push_back(std::move(out));
        }
        choices.push_back(Json{{"type", "null"}});
        either["anyOf"] = std::move(choices);
        return either;
    }

    Json value(const Shape& shape) {
        Json out = bare(shape);
        if (!shape.doc.empty() && shape.kind != Shape::Kind::object) {
            out["description"] = shape.doc;
        }
        if (!shape.initial.is_null()) out["default"] = shape.initial;
        return out;
    }

    Json bare(const Shape& shape) {
        switch (shape.kind) {
            case Shape::Kind::text:
                return text(shape);
            case Shape::Kind::integer:
                return bounded(shape, "integer");
            case Shape::Kind::number:
                return bounded(shape, "number");
            case Shape::Kind::boolean:
                return substitutable({{"type", "boolean"}});
            case Shape::Kind::choice:
                return substitutable({{"enum", shape.choices}});
            case Shape::Kind::size:
                return {{"type", Json::array({"integer", "string"})}, {"minimum", 0}};
            case Shape::Kind::list:
                return list(shape);
            case Shape::Kind::map:
                return {{"type", "object"}, {"additionalProperties", value(shape.item[0])}};
            case Shape::Kind::object:
                return reference(shape);
            case Shape::Kind::later:
                return later(shape);
            case Shape::Kind::ignored:
                return {{"description", "Printed by AWS; read and ignored."}};
            case Shape::Kind::any:
                break;
        }
        return Json::object();
    }

    static Json substitutable(Json plain) {
        const Json substitution{{"$ref", "#/definitions/substitution"}};
        return {{"anyOf", Json::array({std::move(plain), substitution})}};
    }

    static Json bounded(const Shape& shape, const char* type) {
        Json out{{"type", type}};
        if (shape.least) out["minimum"] = shape.minus_one ? Json(-1) : number(*shape.least);
        if (shape.most) out["maximum"] = number(*shape.most);
        return substitutable(std::move(out));
    }

    static Json text(const Shape& shape) {
        Json out{{"type", "string"}};
        if (shape.least) out["minLength"] = number(*shape.least);
        if (shape.most) out["maxLength"] = number(*shape.most);
        if (shape.pattern.empty()) return out;
        out["pattern"] = shape.pattern;
        return substitutable(std::move(out));
    }

    Json list(const Shape& shape) {
        Json plain{{"type", "array"}, {"items", value(shape.item[0])}};
        if (!shape.aws_list) return plain;
        Json wrapped{
            {"description", "As the AWS CLI prints it."},
            {"type", "object"},
            {"additionalProperties", false},
            {"properties", {{"items", plain}, {"item", plain}, {"position", Json::object()}}}};
        return {{"anyOf", Json::array({plain, std::move(wrapped)})}};
    }

    Json reference(const Shape& shape) {
        if (!definitions_.contains(shape.name)) {
            definitions_[shape.name] = nullptr;  // keeps the order of first use
            definitions_[shape.name] = object(shape);
        }
        return {{"$ref", "#/definitions/" + shape.name}};
    }

    static Json later(const Shape& shape) {
        Json harmless = Json::array({nullptr, false, "", Json::array()});
        for (const std::string& choice : shape.choices)
            harmless.push_back(choice);
        Json off{{"type", "object"}, {"additionalProperties", {{"enum", {nullptr, false}}}}};
        return {{"description", "Not supported yet."},
                {"anyOf", Json::array({Json{{"enum", std::move(harmless)}}, std::move(off)})}};
    }

    Json definitions_ = Json::object();
};

}  // namespace

std::string schema() { return SchemaWriter().write(describe_config()).dump(2) + "\n"; }

}  // namespace sluice::config
