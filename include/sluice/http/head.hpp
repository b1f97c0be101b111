// SPDX-License-Identifier: Apache-2.0
//
// HTTP/1.1 message heads as views into the receive buffer, read strictly: what could be framed
// in two ways is refused (robustness 1). Pure; allocates nothing.
#pragma once

#include <boost/beast/http/field.hpp>
#include <boost/beast/http/verb.hpp>
#include <cstdint>
#include <ostream>  // Beast 1.81 prints verbs without it
#include <string_view>

#include "sluice/base/inline_list.hpp"

namespace sluice::http {

using Field = boost::beast::http::field;
using Verb = boost::beast::http::verb;

struct HeaderField {
    Field id = Field::unknown;  ///< unknown: compare `name` without case
    std::string_view name{};
    std::string_view value{};  ///< blanks at both ends removed
};

inline constexpr std::size_t kMaxFields = 256;  ///< hard cap; the configured limit is below it

/// Fields in order of arrival.
class FieldList : public InlineList<HeaderField, kMaxFields> {
public:
    /// First field with this id, or null.
    const HeaderField* find(Field id) const;
    /// First field with this name (any case), or null.
    const HeaderField* find(std::string_view name) const;
};

enum class Framing : std::uint8_t { none, length, chunked, until_close };

/// Whether an answer with this status, to anything but HEAD, may have a body. 1xx are never passed
/// on as answers. RFC 9110 6.4.1.
constexpr bool may_have_body(int status) { return status != 204 && status != 304; }

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
