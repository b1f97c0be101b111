// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "http/head_lines.hpp"
#include "sluice/http/head.hpp"

namespace sluice::http {
namespace {

using strict::Cursor;
using strict::Fault;

/// "HTTP/1.1 200" where each 0 stands for a digit (RFC 9112 4). The blank behind the status is
/// often left out when there is no reason phrase.
const Fault* read_status_line(Cursor& in, ResponseHead& head) {
    constexpr std::string_view form = "HTTP/0.0 000";
    const std::size_t room = static_cast<std::size_t>(in.end - in.at);
    const std::size_t known = strict::starts_with(in, in.at, "HTTP/1.1 ") ? 9 : 0;  // nearly always
    for (std::size_t i = known; i < std::min(room, form.size()); ++i) {
        if (form[i] == '0' ? !strict::is_digit(in.at[i]) : in.at[i] != form[i]) {
            return i < 8 ? &strict::kBadVersion : &strict::kBadStatus;
        }
        if ((i == 5 && in.at[i] != '1') || (i == 7 && in.at[i] > '1')) return &strict::kVersion;
    }
    if (room < form.size()) return &strict::kMore;
    const auto digit = [&in](std::size_t i) { return in.at[i] - '0'; };
    head.minor_version = digit(7);
    head.status = digit(9) * 100 + digit(10) * 10 + digit(11);
    if (head.status < 100 || head.status > 599) return &strict::kBadStatus;

    const char* first = in.at + form.size();
    if (first == in.end) return &strict::kMore;
    if (*first != ' ') return strict::end_line(in, first, strict::kBadStatus);
    ++first;
    const char* const last = strict::find_control(in, first);
    if (const Fault* fault = strict::end_line(in, last, strict::kBadReason)) return fault;
    head.reason = {first, static_cast<std::size_t>(last - first)};
    return nullptr;
}

struct Options {
    bool close = false;
    bool keep = false;

    void add(std::string_view value) {
        while (!value.empty()) {
            const std::string_view option = strict::next_element(value);
            close = close || iequals(option, "close");
            keep = keep || iequals(option, "keep-alive");
        }
    }
};

const Fault* read_fields(Cursor& in, std::size_t most, ResponseHead& head) {
    strict::BodyFields body;
    Options options;
    const auto weigh = [&](const HeaderField& field) -> const Fault* {
        if (field.id == Field::content_length) {
            return strict::take_content_length(field.value, body);
        }
        if (field.id == Field::transfer_encoding) {
            return strict::take_transfer_encoding(field.value, head.minor_version, body);
        }
        if (field.id == Field::connection) options.add(field.value);
        return nullptr;
    };
    if (const Fault* fault = strict::read_fields(in, most, head.fields, weigh)) return fault;
    if (body.has_coding) head.framing = Framing::chunked;
    if (body.has_length) head.framing = Framing::length;
    head.content_length = body.length;
    head.keep_alive = !options.close && (head.minor_version == 1 || options.keep);
    return nullptr;
}

void reset(ResponseHead& head) {
    head.status = 0;
    head.reason = {};
    head.minor_version = 1;
    head.framing = Framing::until_close;
    head.content_length = 0;
    head.keep_alive = true;
    head.fields.clear();
}

}  // namespace

HeadResult read_response_head(std::string_view bytes, const HeadLimits& limits, ResponseHead& out) {
    reset(out);
    const std::string_view window = bytes.substr(0, limits.head_bytes);
    Cursor in{window};
    const Fault* fault = read_status_line(in, out);
    if (fault == nullptr) fault = read_fields(in, std::min(limits.fields, kMaxFields), out);
    if (fault == nullptr) {
        const auto consumed = static_cast<std::size_t>(in.at - window.data());
        return {HeadResult::State::complete, consumed, 0, {}};
    }
    if (fault == &strict::kMore) {
        if (bytes.size() < limits.head_bytes) return {};
        fault = &strict::kHeadTooLarge;
    }
    // Whatever the offence, what the client sees is a bad gateway (robustness 3.1).
    return {HeadResult::State::refused, 0, 502, fault->reason};
}

}  // namespace sluice::http
