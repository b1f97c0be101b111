// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "sluice/base/byte_writer.hpp"
#include "sluice/http/head.hpp"

namespace sluice::gateway {

/// Writes field lines of a head that was read. Lines that stand in the receive buffer as they
/// would be written, one behind the other, are copied in one piece: what most heads are made of.
class FieldRun {
public:
    explicit FieldRun(ByteWriter& out) : out_{out} {}

    void add(const http::HeaderField& field) {
        if (!stands_as_written(field)) {
            flush();
            out_.field(field.name, field.value);
            return;
        }
        if (field.name.data() != end_) {
            flush();
            start_ = field.name.data();
        }
        end_ = behind(field.value) + 2;
    }
    /// Before anything else is written, and in the end.
    void flush() {
        out_.text({start_, static_cast<std::size_t>(end_ - start_)});
        start_ = end_ = "";
    }

private:
    static const char* behind(std::string_view text) { return text.data() + text.size(); }

    /// Two bytes behind a value can be read: they end its line or, in front of them, its blanks.
    static bool stands_as_written(const http::HeaderField& field) {
        const char* const colon = behind(field.name);
        return field.value.data() == colon + 2 && colon[0] == ':' && colon[1] == ' ' &&
               behind(field.value)[0] == '\r' && behind(field.value)[1] == '\n';
    }

    ByteWriter& out_;
    const char* start_ = "";
    const char* end_ = start_;
};

}  // namespace sluice::gateway
