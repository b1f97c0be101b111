// SPDX-License-Identifier: Apache-2.0
//
// The half of Reader that describes instead of reading.
#include "config/describe.hpp"

namespace sluice::config {

Shape describe_config() {
    Shape shape;
    shape.kind = Shape::Kind::object;
    Config config;
    Reader reader(shape);
    read(reader, config);
    return shape;
}

void Reader::describe(const bool& out) {
    shape_->kind = Shape::Kind::boolean;
    shape_->initial = out;
}

void Reader::describe(const double& out, const Number& rule) {
    shape_->kind = Shape::Kind::number;
    shape_->least = rule.least;
    shape_->most = rule.most;
    shape_->minus_one = rule.minus_one;
    shape_->initial = out;
}

void Reader::describe(const std::string& out, const Text& rule) {
    shape_->kind = Shape::Kind::text;
    shape_->pattern = rule.pattern;
    if (rule.least > 0) shape_->least = static_cast<double>(rule.least);
    shape_->most = static_cast<double>(rule.most);
    if (!out.empty()) shape_->initial = out;
}

void Reader::describe(const std::string&, Secret) { shape_->kind = Shape::Kind::text; }

void Reader::describe(const std::filesystem::path& out) {
    shape_->kind = Shape::Kind::text;
    shape_->least = 1;
    if (!out.empty()) shape_->initial = out.string();
}

void Reader::describe_integer(std::int64_t initial, const Range& rule) {
    shape_->kind = Shape::Kind::integer;
    shape_->least = static_cast<double>(rule.least);
    shape_->most = static_cast<double>(rule.most);
    shape_->minus_one = rule.minus_one;
    shape_->initial = initial;
}

void Reader::describe_size(std::int64_t initial, const Size& rule) {
    shape_->kind = Shape::Kind::size;
    shape_->least = static_cast<double>(rule.least);
    shape_->most = static_cast<double>(rule.most);
    shape_->initial = initial;
}

}  // namespace sluice::config
