// SPDX-License-Identifier: Apache-2.0
//
// HTTP/1.1 message heads as views into the receive buffer, read strictly: what could be framed
// in two ways is refused (robustness 1). Pure; allocates nothing.
#pragma once

#include <boost/beast/http/field.hpp>
#include <boost/beast/http/verb.hpp>
#include <cstdint>
#include <ostream>  // Beast 1.81 prints verbs without it
#include <span>
#include <string_view>

namespace sluice::http {

using Field = boost::beast::http::field;
using Verb = boost::beast::http::verb;

struct HeaderField {
    Field id = Field::unknown;  ///< unknown: compare `name` without case
    std::string_view name{};
    std::string_view value{};  ///< blanks at both ends removed
};

inline constexpr std::size_t kMaxFields = 256;  ///< hard cap; the configured limit is below it

/// Fields in order of arrival, in fixed storage that is not touched until used.
class FieldList {
public:
    FieldList() noexcept {}  // NOLINT: the slots stay uninitialised on purpose
    FieldList(const FieldList& o) noexcept : count_{o.count_} {
        for (std::size_t i = 0; i < count_; ++i)
            fields_[i] = o.fields_[i];
    }
    FieldList& operator=(const FieldList& o) noexcept {
        count_ = o.count_;
        for (std::size_t i = 0; i < count_; ++i)
            fields_[i] = o.fields_[i];
        return *this;
    }
    ~FieldList() = default;

    std::span<const HeaderField> all() const { return {fields_, count_}; }
    std::size_t size() const { return count_; }
    bool push(const HeaderField& f) {
        if (count_ == kMaxFields) return false;
        fields_[count_++] = f;
        return true;
    }
    void clear() { count_ = 0; }
    /// First field with this id, or null.
    const HeaderField* find(Field id) const;
    /// First field with this name (any case), or null.
    const HeaderField* find(std::string_view name) const;

private:
    std::size_t count_ = 0;
    union {
        HeaderField fields_[kMaxFields];
    };
};

enum class Framing : std::uint8_t { none, length, chunked, until_close };

struct RequestHead {
    Verb verb = Verb::unknown;
    std::string_view method{};
    std::string_view target{};       ///< as sent
    std::string_view authority{};    ///< Host, or that of an absolute-form target (which wins)
    std::string_view origin_form{};  ///< path and query of the target: "/..." or "*"
    int minor_version = 1;
    Framing framing = Framing::none;
    std::uint64_t content_length = 0;
    bool keep_alive = true;
    bool expect_continue = false;
    FieldList fields{};
};

struct ResponseHead {
    int status = 0;
    std::string_view reason{};
    int minor_version = 1;
    Framing framing = Framing::until_close;  ///< as if for a GET; HEAD/204/304 are the caller's
    std::uint64_t content_length = 0;
    bool keep_alive = true;  ///< by version and Connection; until_close framing ends it too
    FieldList fields{};
};

struct HeadLimits {
    std::size_t head_bytes = 32'768;
    std::size_t target_bytes = 10'240;
    std::size_t fields = 100;
};

/// Outcome of reading a head from the bytes received so far.
struct HeadResult {
    enum class State : std::uint8_t { complete, incomplete, refused };
    State state = State::incomplete;
    std::size_t consumed = 0;   ///< complete: bytes up to and including the empty line
    int status = 400;           ///< refused: what to answer (robustness 1.1)
    std::string_view reason{};  ///< refused: stable word for the log ("bare_lf", "te_and_cl", ...)
};

/// Reads a request head at the start of `bytes`. May be called again from the start when more
/// bytes came. Refuses as early as the bytes allow. At most one leading CRLF is skipped.
HeadResult read_request_head(std::string_view bytes, const HeadLimits&, RequestHead& out);

/// The same for a response. Interim (1xx) heads are returned like any other.
HeadResult read_response_head(std::string_view bytes, const HeadLimits&, ResponseHead& out);

/// The id of a field name (a token, in any case); unknown for fields that are treated like any
/// other.
Field field_id(std::string_view name);

/// Equal but for the case of ASCII letters.
bool iequals(std::string_view a, std::string_view b);

}  // namespace sluice::http
