// SPDX-License-Identifier: Apache-2.0
#include "gateway/response.hpp"

#include <array>
#include <ctime>
#include <string>

#include "base/put.hpp"
#include "gateway/counting.hpp"
#include "gateway/observation.hpp"
#include "gateway/snapshot.hpp"
#include "net/scratch.hpp"

namespace sluice::gateway {
namespace {

using config::Compatibility;
using http::Framing;

// A bucket that is never refilled: there is no time to come back at.
constexpr std::chrono::hours kNever{24 * 366};

/// More than the longest end of a head takes: framing, ids, Connection and the empty line.
constexpr std::size_t kEndSize = 256;

/// Copying so much costs less than what the kernel spends on a list of parts.
constexpr std::size_t kSmallBody = 16 * 1024;

char* put_length(char* at, std::uint64_t length) {
    at = put(at, "Content-Length: ");
    at = put_number(at, length);
    return put(at, "\r\n");
}

/// The ids, Connection, and the empty line.
char* put_end(char* at, const Uuid& id, const ExtendedId& extended, const http::Stream& client) {
    at = put(at, "x-amzn-RequestId: ");
    at = put(at, id.view());
    at = put(at, "\r\nx-amz-apigw-id: ");
    at = put(at, extended.view());
    if (!client.keep_alive()) {
        at = put(at, "\r\nConnection: close");
    } else if (client.minor_version() == 0) {
        at = put(at, "\r\nConnection: keep-alive");
    }
    return put(at, "\r\n\r\n");
}

/// Whole seconds, rounded up, at least one (RFC 9110 10.2.3).
std::uint64_t retry_seconds(std::chrono::nanoseconds t) {
    const auto s = std::chrono::ceil<std::chrono::seconds>(t).count();
    return s < 1 ? 1 : static_cast<std::uint64_t>(s);
}

std::string reply_start(const ReplyText& text) {
    ByteWriter out{256};
    write_status_line(out, text.status, reason_phrase(text.status));
    out.field("Content-Type", text.content_type);
    if (!text.error_type.empty()) out.field("x-amzn-ErrorType", text.error_type);
    return std::string{out.view()};
}

/// Status line and fields of a reply that are always the same; written once.
std::string_view reply_start(Reply reply, Compatibility compatibility) {
    using Starts = std::array<std::string, static_cast<std::size_t>(Reply::count_)>;
    static const auto starts = [] {
        std::array<Starts, 2> both;
        for (const Compatibility c : {Compatibility::standard, Compatibility::aws}) {
            for (std::size_t i = 0; i < both[0].size(); ++i) {
                both[static_cast<std::size_t>(c)][i] =
                    reply_start(describe(static_cast<Reply>(i), c));
            }
        }
        return both;
    }();
    return starts[static_cast<std::size_t>(compatibility)][static_cast<std::size_t>(reply)];
}

/// A small body is copied behind the head: they go out as one piece.
void send_all(Exchange& x, ByteWriter& head, std::string_view body) {
    if (x.observation != nullptr) x.observation->response_body(body);
    if (body.size() > kSmallBody) {
        x.client.send(head.view(), body, true);
        return;
    }
    const std::size_t head_size = head.view().size();
    head.text(body);
    x.client.send(head.view().substr(0, head_size), head.view().substr(head_size), true);
}

}  // namespace

void write_status_line(ByteWriter& out, int status, std::string_view reason) {
    constexpr std::string_view kVersion = "HTTP/1.1 ";
    out.reserve(kVersion.size() + kMaxDigits + reason.size() + 3);
    char* at = put(out.end(), kVersion);
    at = put_number(at, static_cast<std::uint64_t>(status));
    *at++ = ' ';
    at = put(at, reason);
    out.advance_to(put(at, "\r\n"));
}

void write_date(ByteWriter& out, WallTime now) {
    thread_local std::int64_t formatted_second = -1;
    thread_local char line[40];
    thread_local std::size_t size = 0;
    const auto second = std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count();
    if (second != formatted_second) {
        const std::time_t t = second;
        std::tm parts{};
        ::gmtime_r(&t, &parts);
        size = std::strftime(line, sizeof line, "Date: %a, %d %b %Y %H:%M:%S GMT\r\n", &parts);
        formatted_second = second;
    }
    out.text({line, size});
}

void end_head(ByteWriter& out, const Exchange& x, Framing framing, std::uint64_t length) {
    out.reserve(kEndSize);
    char* at = out.end();
    if (framing == Framing::length) at = put_length(at, length);
    if (framing == Framing::chunked) at = put(at, "Transfer-Encoding: chunked\r\n");
    out.advance_to(put_end(at, x.id, x.extended_id, x.client));
    if (x.observation != nullptr) x.observation->response_head(out.view());
}

void send_whole(Exchange& x, int status, std::string_view fields, std::string_view body) {
    ByteWriter& out = net::Scratch::of_thread().head;
    out.clear();
    write_status_line(out, status, reason_phrase(status));
    out.text(fields);
    const bool with_body = !x.client.is_head() && http::may_have_body(status);
    const Framing framing = http::may_have_body(status) ? Framing::length : Framing::none;
    x.client.start_response(status, with_body ? Framing::length : Framing::none);
    end_head(out, x, framing, body.size());
    count_response(x, status);
    send_all(x, out, body);
}

void send_reply(Exchange& x) {
    const Compatibility compatibility = x.snapshot.compatibility;
    const ReplyText& text = describe(x.reply_type, compatibility);
    std::string denied;
    std::string_view body = text.body;
    if (x.reply_type == Reply::access_denied_cache) {
        denied = access_denied_body(x.stage->api_id, x.stage->name, x.request.head.method,
                                    x.where.path.empty() ? "" : x.where.path.substr(1));
        body = denied;
    }
    if (text.closes) x.client.close_after();
    ByteWriter& out = net::Scratch::of_thread().head;
    out.clear();
    out.text(reply_start(x.reply_type, compatibility));
    const bool ever = x.retry_after < kNever;
    if (text.retry_after && ever && compatibility == Compatibility::standard) {
        out.text("Retry-After: ").number(retry_seconds(x.retry_after)).text("\r\n");
    }
    write_date(out, x.wall);
    x.client.start_response(text.status, x.client.is_head() ? Framing::none : Framing::length);
    end_head(out, x, Framing::length, body.size());
    count_response(x, text.status);
    send_all(x, out, body);
}

void send_cached(Exchange& x) {
    const state::CachedResponse& stored = *x.cached;
    ByteWriter& out = net::Scratch::of_thread().head;
    out.clear();
    write_status_line(out, stored.status, reason_phrase(stored.status));
    out.text(stored.fields);
    if (x.snapshot.compatibility == Compatibility::standard) {
        const auto age =
            std::chrono::duration_cast<std::chrono::seconds>(x.started - stored.stored);
        const auto seconds = age.count() < 0 ? 0 : static_cast<std::uint64_t>(age.count());
        out.text("Age: ").number(stored.initial_age + seconds).text("\r\n");
    }
    write_date(out, x.wall);
    if (x.cache_warning) out.field("Warning", kIgnoredWarning);
    const bool with_length = http::may_have_body(stored.status) && !x.client.is_head();
    const Framing framing = with_length ? Framing::length : Framing::none;
    x.client.start_response(stored.status, framing);
    end_head(out, x, framing, stored.body.size());
    count_response(x, stored.status);
    send_all(x, out, stored.body);
}

void send_refusal(http::Stream& client, Reply reply, Compatibility compatibility, Random& random,
                  WallTime now) {
    const ReplyText& text = describe(reply, compatibility);
    ByteWriter& out = net::Scratch::of_thread().head;
    out.clear();
    out.text(reply_start(reply, compatibility));
    write_date(out, now);
    client.close_after();
    client.start_response(text.status, Framing::length);
    out.reserve(kEndSize);
    char* const at = put_length(out.end(), text.body.size());
    out.advance_to(put_end(at, Uuid::make(random), ExtendedId::make(random), client));
    client.send(out.view(), text.body, true);
}

}  // namespace sluice::gateway
