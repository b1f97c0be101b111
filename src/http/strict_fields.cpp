// SPDX-License-Identifier: Apache-2.0
#include "sluice/http/head.hpp"

namespace sluice::http {
namespace {

constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; }

}  // namespace

bool iequals(std::string_view a, std::string_view b) {
    if (a.size() != b.size()) return false;
    for (std::size_t i = 0; i < a.size(); ++i) {
        if (lower(a[i]) != lower(b[i])) return false;
    }
    return true;
}

const HeaderField* FieldList::find(Field id) const {
    for (const HeaderField& field : all()) {
        if (field.id == id) return &field;
    }
    return nullptr;
}

const HeaderField* FieldList::find(std::string_view name) const {
    for (const HeaderField& field : all()) {
        if (iequals(field.name, name)) return &field;
    }
    return nullptr;
}

}  // namespace sluice::http
