// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstring>

#include "http/head_lines.hpp"
#include "sluice/http/head.hpp"

namespace sluice::http {
namespace {

using strict::Cursor;
using strict::Fault;
using strict::is;

/// One reading of one request head.
class RequestReader {
public:
    RequestReader(Cursor& in, const HeadLimits& limits, RequestHead& head)
        : in_(in), limits_(limits), head_(head) {}

    const Fault* read_line() {
        if (const Fault* fault = skip_empty_line()) return fault;
        if (const Fault* fault = read_method()) return fault;
        if (const Fault* fault = read_target()) return fault;
        if (const Fault* fault = read_version()) return fault;
        if (head_.verb == Verb::connect || head_.verb == Verb::trace) {
            return &strict::kMethodNotServed;
        }
        return split_target();
    }

    const Fault* read_fields() {
        const std::size_t most = std::min(limits_.fields, kMaxFields);
        const auto weighed = [this](const HeaderField& field) { return weigh(field); };
        if (const Fault* fault = strict::read_fields(in_, most, head_.fields, weighed)) {
            return fault;
        }
        return finish();
    }

private:
    enum Once : unsigned { kHostField = 1, kAuthorization = 2, kContentType = 4, kExpect = 8 };

    const Fault* skip_empty_line();
    const Fault* read_method();
    const Fault* read_target();
    const Fault* read_version();
    const Fault* split_target();
    const Fault* split_absolute(std::string_view after_scheme);
    const Fault* weigh(const HeaderField&);
    const Fault* once(Once which, const Fault& repeated = strict::kRepeated);
    const Fault* weigh_host(std::string_view value);
    const Fault* weigh_expect(std::string_view value);
    const Fault* weigh_connection(std::string_view value);
    const Fault* finish();

    Cursor& in_;
    const HeadLimits& limits_;
    RequestHead& head_;
    strict::BodyFields body_{};
    unsigned seen_ = 0;
    bool close_ = false;
    bool keep_ = false;
};

const Fault* RequestReader::skip_empty_line() {
    if (in_.at == in_.end) return &strict::kMore;
    if (*in_.at != '\r') return nullptr;
    return strict::end_line(in_, in_.at, strict::kBadMethod);
}

const Fault* RequestReader::read_method() {
    const char* const stop = strict::find_token_end(in_, in_.at);
    if (stop == in_.end) return &strict::kMore;
    if (*stop != ' ' || stop == in_.at) return &strict::kBadMethod;
    head_.method = {in_.at, static_cast<std::size_t>(stop - in_.at)};
    head_.verb = boost::beast::http::string_to_verb({head_.method.data(), head_.method.size()});
    in_.at = stop + 1;
    return nullptr;
}

const Fault* RequestReader::read_target() {
    const char* const start = in_.at;
    const std::size_t room = static_cast<std::size_t>(in_.end - start);
    const char* const longest = start + std::min(room, limits_.target_bytes);
    const char* stop = start;
    for (;;) {
        stop = scan::over_target(stop, {in_.begin, longest});
        while (stop < longest && is(*stop, strict::kTarget))
            ++stop;
        if (stop >= longest || *stop != '%') break;
        for (int digit = 0; digit < 2; ++digit) {
            if (++stop == in_.end) return &strict::kMore;
            if (!is(*stop, strict::kHex)) return &strict::kBadEscape;
        }
        ++stop;
    }
    const std::size_t length = static_cast<std::size_t>(stop - start);
    if (length > limits_.target_bytes) return &strict::kTargetTooLong;
    if (stop == in_.end) return &strict::kMore;
    if (*stop != ' ') {
        if (length == limits_.target_bytes) return &strict::kTargetTooLong;
        return *stop == '\r' || *stop == '\n' ? &strict::kNoVersion : &strict::kBadTarget;
    }
    if (length == 0) return &strict::kBadTarget;
    head_.target = {start, length};
    in_.at = stop + 1;
    return nullptr;
}

const Fault* RequestReader::read_version() {
    if (strict::starts_with(in_, in_.at, "HTTP/1.1\r\n")) {  // nearly always
        in_.at += 10;
        return nullptr;
    }
    constexpr std::string_view form = "HTTP/0.0";  // RFC 9112 2.3, each 0 stands for a digit
    const std::size_t room = static_cast<std::size_t>(in_.end - in_.at);
    for (std::size_t i = 0; i < std::min(room, form.size()); ++i) {
        if (form[i] == '0' ? !strict::is_digit(in_.at[i]) : in_.at[i] != form[i]) {
            return &strict::kBadVersion;
        }
    }
    if (room < form.size()) return &strict::kMore;
    const char major = in_.at[5];
    const char minor = in_.at[7];
    if (major != '1' || minor > '1') return &strict::kVersion;
    head_.minor_version = minor - '0';
    return strict::end_line(in_, in_.at + form.size(), strict::kBadVersion);
}

const Fault* RequestReader::split_target() {
    const std::string_view target = head_.target;
    if (target.front() == '/') {
        head_.origin_form = target;
        return nullptr;
    }
    if (target == "*") {
        head_.origin_form = target;
        return head_.verb == Verb::options ? nullptr : &strict::kBadTarget;
    }
    for (const std::string_view scheme : {"http://", "https://"}) {
        if (iequals(target.substr(0, scheme.size()), scheme)) {
            return split_absolute(target.substr(scheme.size()));
        }
    }
    return &strict::kBadTarget;
}

const Fault* RequestReader::split_absolute(std::string_view after_scheme) {
    const std::size_t end = std::min(after_scheme.find_first_of("/?"), after_scheme.size());
    head_.authority = after_scheme.substr(0, end);
    if (!strict::is_authority(head_.authority)) return &strict::kBadTarget;
    head_.origin_form = after_scheme.substr(end);
    if (head_.origin_form.empty()) {
        head_.origin_form = head_.verb == Verb::options ? "*" : "/";  // RFC 9112 3.2.4, 3.2.1
        return nullptr;
    }
    // "http://host?query" would need a path that is not among the bytes. No client sends it.
    return head_.origin_form.front() == '/' ? nullptr : &strict::kBadTarget;
}

const Fault* RequestReader::once(Once which, const Fault& repeated) {
    if ((seen_ & which) != 0) return &repeated;
    seen_ |= which;
    return nullptr;
}

/// An underscore spelling of a framing field: backends that fold '_' to '-' would obey it. (The
/// right spelling has an id and does not come here.)
bool imitates_framing(std::string_view name) {
    const auto same = [name](std::string_view known) {
        return std::ranges::equal(name, known, [](char a, char b) {
            return (a == '_' ? '-' : a >= 'A' && a <= 'Z' ? a | 0x20 : a) == b;
        });
    };
    return same("content-length") || same("transfer-encoding");
}

const Fault* RequestReader::weigh(const HeaderField& field) {
    switch (field.id) {
        case Field::host:
            return weigh_host(field.value);
        case Field::content_length:
            return strict::take_content_length(field.value, body_);
        case Field::transfer_encoding:
            return strict::take_transfer_encoding(field.value, head_.minor_version, body_);
        case Field::connection:
            return weigh_connection(field.value);
        case Field::expect:
            return weigh_expect(field.value);
        case Field::authorization:
            return once(kAuthorization);
        case Field::content_type:
            return once(kContentType);
        case Field::unknown:
            return imitates_framing(field.name) ? &strict::kLookAlike : nullptr;
        default:
            return nullptr;
    }
}

const Fault* RequestReader::weigh_host(std::string_view value) {
    if (const Fault* fault = once(kHostField)) return fault;
    if (!strict::is_authority(value)) return &strict::kBadHost;
    // The authority of an absolute-form target wins (RFC 9112 3.2.2).
    if (head_.authority.empty()) head_.authority = value;
    return nullptr;
}

const Fault* RequestReader::weigh_expect(std::string_view value) {
    if (const Fault* fault = once(kExpect, strict::kExpectation)) return fault;
    if (!iequals(value, "100-continue")) return &strict::kExpectation;
    // From an HTTP/1.0 client it must be ignored (RFC 9110 10.1.1).
    head_.expect_continue = head_.minor_version == 1;
    return nullptr;
}

const Fault* RequestReader::weigh_connection(std::string_view value) {
    while (!value.empty()) {
        const std::string_view option = strict::next_element(value);
        if (option.empty()) continue;  // RFC 9110 5.6.1.2
        if (iequals(option, "close")) {
            close_ = true;
        } else if (iequals(option, "keep-alive")) {
            keep_ = true;
        } else if (!strict::is_token(option)) {
            return &strict::kBadConnection;
        } else {
            for (const std::string_view name :
                 {"host", "content-length", "transfer-encoding", "x-api-key"}) {
                if (iequals(option, name)) return &strict::kProtectedOption;
            }
        }
    }
    return nullptr;
}

const Fault* RequestReader::finish() {
    if (head_.minor_version == 1 && (seen_ & kHostField) == 0) return &strict::kNoHost;
    if (body_.has_coding) head_.framing = Framing::chunked;
    if (body_.has_length) head_.framing = Framing::length;
    head_.content_length = body_.length;
    head_.keep_alive = !close_ && (head_.minor_version == 1 || keep_);
    return nullptr;
}

void reset(RequestHead& head) {
    head.verb = Verb::unknown;
    head.method = head.target = head.authority = head.origin_form = {};
    head.minor_version = 1;
    head.framing = Framing::none;
    head.content_length = 0;
    head.keep_alive = true;
    head.expect_continue = false;
    head.fields.clear();
}

}  // namespace

HeadResult read_request_head(std::string_view bytes, const HeadLimits& limits, RequestHead& out) {
    reset(out);
    const std::string_view window = bytes.substr(0, limits.head_bytes);
    Cursor in{window};
    RequestReader reader{in, limits, out};
    const Fault* too_large = &strict::kTargetTooLong;
    const Fault* fault = reader.read_line();
    if (fault == nullptr) {
        too_large = &strict::kHeadTooLarge;
        fault = reader.read_fields();
    }
    if (fault == nullptr) {
        const auto consumed = static_cast<std::size_t>(in.at - window.data());
        return {HeadResult::State::complete, consumed, 0, {}};
    }
    if (fault == &strict::kMore) {
        if (bytes.size() < limits.head_bytes) return {};
        fault = too_large;
    }
    return {HeadResult::State::refused, 0, fault->status, fault->reason};
}

}  // namespace sluice::http
