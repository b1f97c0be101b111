// SPDX-License-Identifier: Apache-2.0
#include "gateway/pipeline.hpp"

#include "gateway/client_address.hpp"
#include "gateway/context.hpp"
#include "gateway/counting.hpp"
#include "gateway/observation.hpp"
#include "gateway/response.hpp"
#include "sluice/base/prefetch.hpp"
#include "sluice/telemetry/log.hpp"

namespace sluice::gateway {
namespace {

// What a request reads of them: an HttpProxy down to its template, a series' pointer to its cells.
constexpr std::size_t kIntegrationSize = 5 * 64;
constexpr std::size_t kSeriesStart = 64;

/// A client may name its own request id, in UUID form (aws-semantics 7.7).
Uuid request_id(const http::RequestHead& head, Random& random) {
    Uuid id = Uuid::make(random);
    const http::HeaderField* sent = head.fields.find("x-amzn-RequestId");
    if (sent != nullptr && Uuid::is_uuid(sent->value)) sent->value.copy(id.text.data(), 36);
    return id;
}

/// "%2F" stays inside its segment here, but a backend may take it for a slash: then the same
/// bytes must not name a method that asks for a key.
bool may_mean_a_guarded_method(const Exchange& x) {
    std::string_view rest = x.where.path;
    if (rest.find("%2") == std::string_view::npos) return false;
    std::string decoded;
    for (; !rest.empty();) {
        const bool slash = rest.size() >= 3 && rest[0] == '%' && rest[1] == '2' &&
                           (rest[2] == 'F' || rest[2] == 'f');
        decoded += slash ? '/' : rest[0];
        rest.remove_prefix(slash ? 3 : 1);
    }
    const auto other = x.stage->tree.match(decoded, x.request.head.verb, x.snapshot.compatibility);
    return other && x.stage->methods[other->index].needs_key;
}

}  // namespace

Task<void> Pipeline::serve(http::Request& request, http::Stream& client) {
    const LocalSnapshotPtr snapshot = snapshot_;  // this request keeps what it started with
    Exchange x{request, client,           *snapshot,
               worker_, request.received, worker_.calendar.at(request.received)};
    x.sent_key.begin(*snapshot, request.head.fields);
    x.id = request_id(request.head, worker_.random);
    x.extended_id = ExtendedId::make(worker_.random);

    const bool routed = route(x);
    std::unique_ptr<Observation> observation;  // of this request; most have none
    if (x.method != nullptr && x.method->watch) observation = Observation::begin(x);
    if (!routed) {
        if (x.reply_type != Reply::none) send_reply(x);
        finish(x);
        co_return;
    }
    x.method->series->prefetch(worker_.index);
    try {
        Verdict verdict = x.method->chain.advance(x);
        if (verdict == Verdict::wait) verdict = co_await x.method->chain.resume(x);
        if (x.observation != nullptr) x.observation->filtered();
        if (verdict == Verdict::pass) co_await x.method->integration->call(x);
    } catch (const std::exception& e) {
        // A broken invariant: this request fails, the others do not notice (style: errors).
        log::error("request {} failed: {}", x.id.view(), e.what());
        x.reply(Reply::internal_error);
    }
    if (x.cached && x.reply_type == Reply::none && !client.response_started()) send_cached(x);
    if (x.reply_type != Reply::none && !client.response_started()) send_reply(x);
    if (!client.response_complete()) client.abort();
    finish(x);
}

bool Pipeline::route(Exchange& x) const {
    const http::RequestHead& head = x.request.head;
    x.trusted_peer = x.snapshot.trusted_proxies.contains(x.request.peer);
    x.source =
        client_address(x.request.peer, x.trusted_peer, x.snapshot.trusted_proxies, head.fields);
    x.target = http::normalise(head.origin_form, x.snapshot.compatibility, x.target_scratch);
    x.connection = connection_tokens(head.fields);
    if (!x.target.ok || x.connection.malformed) {
        x.reply(Reply::bad_request);
        return false;
    }
    x.sent_key.find(x.snapshot);
    const std::string_view host = normalise_host(head.authority, x.host_scratch);
    const std::string_view path = x.target.path;
    if (x.snapshot.health_paths && (path == "/ping" || path == "/sping") &&
        x.snapshot.domains.is_custom_domain(host)) {
        send_whole(x, 200, "Content-Type: text/plain\r\n", "healthy");
        return false;
    }
    const auto where = x.snapshot.domains.find(host, path, x.snapshot.compatibility);
    if (!where) {
        x.reply(Reply::forbidden);
        return false;
    }
    x.where = *where;
    x.stage = x.snapshot.stages[where->stage].get();
    const auto match = x.stage->tree.match(where->path, head.verb, x.snapshot.compatibility);
    if (!match) {
        x.method = &x.stage->unmatched;
        x.reply(Reply::missing_authentication_token);
        return false;
    }
    x.params = match->params;
    x.method = &x.stage->methods[match->index];
    prefetch(x.method, sizeof(Method));
    x.method->chain.prefetch();
    prefetch(x.method->integration.get(), kIntegrationSize);
    prefetch(x.method->series, kSeriesStart);
    if (!x.method->needs_key && may_mean_a_guarded_method(x)) {
        x.reply(Reply::bad_request);
        return false;
    }
    if (x.client.declares_too_much()) {
        x.reply(Reply::request_too_large);
        return false;
    }
    return true;
}

void Pipeline::finish(Exchange& x) noexcept {
    const bool known = x.answered != TimePoint{};
    const Duration latency = (known ? x.answered : std::chrono::steady_clock::now()) - x.started;
    count_end(x, latency);
    if (x.observation != nullptr) x.observation->finished();
    if (x.stage != nullptr && x.stage->log_file) write_access_line(x, latency);
}

void Pipeline::refuse(int status, std::string_view, http::Stream& client) {
    worker_.cells.refused.add();
    send_refusal(client, reply_for_status(status), snapshot_->compatibility, worker_.random,
                 wall_now());
}

}  // namespace sluice::gateway
