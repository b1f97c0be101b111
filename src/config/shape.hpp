// SPDX-License-Identifier: Apache-2.0
//
// What a value of the configuration may be. The read() functions produce it when they are asked
// to describe instead of to read, so the schema and the reference cannot differ from them.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace sluice::config {

struct Shape {
    enum class Kind {
        any,
        text,
        integer,
        number,
        boolean,
        choice,
        size,     ///< bytes, or text such as "64MiB"
        list,     ///< of `item`
        map,      ///< free keys, values as `item`
        object,   ///< `fields`
        later,    ///< only values that ask for nothing
        ignored,  ///< AWS prints it; read and dropped
    };

    Kind kind = Kind::any;
    std::string name{};        ///< of an object: its definition
    std::string doc{};         ///< of the key
    std::string object_doc{};  ///< of an object: what it is
    std::string key_name{};    ///< of a map: what its keys are
    bool required = false;
    bool aws_list = false;   ///< also as {items: [...]}, the way the AWS CLI prints a list
    bool minus_one = false;  ///< -1 besides the range: no limit
    nlohmann::ordered_json initial{};  ///< default; null = none
    std::optional<double> least{};
    std::optional<double> most{};
    std::string pattern{};
    std::vector<std::string> choices{};
    std::vector<std::pair<std::string, Shape>> fields{};
    std::vector<Shape> item{};  ///< one, of a list or map

    const Shape* field(std::string_view key) const {
        for (const auto& [known, shape] : fields) {
            if (known == key) return &shape;
        }
        return nullptr;
    }
};

}  // namespace sluice::config
